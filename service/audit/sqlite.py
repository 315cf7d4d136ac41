"""Audit rows in a file of their own, committed inline on the event loop (ADR 0006).

Rows that come in successive turns of the loop share a transaction.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from service.audit.chain import Chain, Chains
from service.audit.entries import (
    BUSY_SECONDS,
    COLUMNS,
    AuditEntry,
    Told,
    Waiting,
    settle,
    unwritten,
)
from service.audit.epochs import Epochs
from service.audit.seals import add_seals
from service.audit.tables import prepare
from service.checkpoints import Checkpoints
from service.clock import Clock, microseconds, system_clock
from service.errors import BusyError

INSERT = (
    f"INSERT INTO audit_entries ({', '.join(COLUMNS)})"  # noqa: S608 - names of ours
    f" VALUES ({', '.join('?' * len(COLUMNS))})"
)
TURNS = 8


class SqliteAudit:
    """One connection, one chain; whoever holds the lock writes."""

    def __init__(
        self, path: str, clock: Clock = system_clock, *, documents: str | None = None
    ) -> None:
        """Write to this file; `documents` is the database that each batch asks for the epochs."""
        prepare(f"sqlite:///{path}")
        self._clock = clock
        self._epochs = Epochs(documents) if documents else None
        self._connection = sqlite3.connect(
            path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute("PRAGMA wal_autocheckpoint = 0")
        self._checkpoints = Checkpoints(path)
        self._lock = threading.Lock()
        self._chain, self._chains = Chain(), Chains()
        self._waiting: dict[asyncio.AbstractEventLoop, list[Waiting]] = {}

    async def write(self, entry: AuditEntry) -> Told:
        loop = asyncio.get_running_loop()
        waiting = self._waiting.get(loop)
        if waiting is None:
            waiting = self._waiting[loop] = []
            loop.call_soon(self._gather, loop, 0, TURNS)
        future: asyncio.Future[Told] = loop.create_future()
        waiting.append((entry, future))
        return await future

    def write_now(self, entry: AuditEntry) -> None:
        try:
            self._insert([entry])
            self.seal()
        except sqlite3.Error as error:
            raise unwritten() from error

    def seal(self) -> None:
        with self._lock:
            heads = self._chains.unsealed([self._chain])
            if not heads:
                return
            with self._transaction():
                add_seals(self._connection, heads, microseconds(self._clock()), mark="?")
            self._chains.sealed(heads)

    def close(self) -> None:
        self._checkpoints.close()
        with suppress(sqlite3.Error):  # the next seal of whoever is left does without
            self.seal()
        if self._epochs is not None:
            self._epochs.close()
        self._connection.close()

    def _gather(self, loop: asyncio.AbstractEventLoop, seen: int, turns: int) -> None:
        """Wait for another turn of the loop while each turn brings more rows."""
        found = len(self._waiting[loop])
        if found > seen and turns:
            loop.call_soon(self._gather, loop, found, turns - 1)
        else:
            self._commit(loop)

    def _commit(self, loop: asyncio.AbstractEventLoop) -> None:
        waiting = self._waiting.pop(loop)
        failure: BusyError | None = None
        told: Told = None
        try:
            self._insert([entry for entry, _ in waiting])
            told = None if self._epochs is None else self._epochs.read()
        except sqlite3.Error as error:
            failure = unwritten()
            failure.__cause__ = error
        settle(waiting, failure, told)

    def _insert(self, entries: list[AuditEntry]) -> None:
        with self._lock:
            self._checkpoints.committed()
            chained = self._chain.linked(entries)
            if len(chained) == 1:
                self._connection.execute(INSERT, chained[0].row)
            else:
                with self._transaction():
                    self._connection.executemany(INSERT, [each.row for each in chained])
            self._chain.advance(chained)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except sqlite3.Error:
            self._connection.execute("ROLLBACK")
            raise
