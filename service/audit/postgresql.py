"""Audit rows in a table of the same database, over connections of their own (ADR 0006).

What arrives during one commit shares the next.
"""

import asyncio
import threading
from contextlib import suppress
from typing import Any

import orjson
import psycopg

from service.audit.chain import Chain, Chained, Chains
from service.audit.entries import (
    BUSY_SECONDS,
    COLUMNS,
    AuditEntry,
    Told,
    Waiting,
    settle,
    unwritten,
)
from service.audit.seals import add_seals
from service.clock import Clock, microseconds, system_clock
from service.engine import conninfo
from service.errors import BusyError

KINDS = {"at": "bigint", "audience": "bigint", "status": "int", "seq": "bigint", "hash": "bytea"}
TYPED = ", ".join(f"{name} {KINDS.get(name, 'text')}" for name in COLUMNS)
INSERT = (  # of any number of rows
    f"INSERT INTO audit_entries ({', '.join(COLUMNS)})"  # noqa: S608 - names of ours
    f" SELECT * FROM json_to_recordset(%s) r({TYPED})"
)
# One round trip for both: what was taken away from whom is told along (ADR 0036).
TELLING = (
    f"WITH written AS ({INSERT} RETURNING audience)"  # noqa: S608 - constants
    " SELECT e.audience, e.epoch FROM disclosure_epochs e"
    " WHERE e.audience = 0 OR e.audience IN (SELECT w.audience FROM written w)"
)
ALONE = "LOCK TABLE audit_seals IN EXCLUSIVE MODE"
BATCH = 500
CONNECTING: Any = {
    "autocommit": True,
    "prepare_threshold": 0,
    "application_name": "alongside-audit",
    "connect_timeout": int(BUSY_SECONDS),
}

Connection = psycopg.AsyncConnection[tuple[object, ...]]


class PostgresqlAudit:
    """One connection and one chain for each event loop."""

    def __init__(self, url: str, clock: Clock = system_clock, *, telling: bool = False) -> None:
        """Write to this database; it has the documents, too, where it is `telling`."""
        self._conninfo, self._clock, self._telling = conninfo(url), clock, telling
        self._connections: dict[asyncio.AbstractEventLoop, Connection] = {}
        self._waiting: dict[asyncio.AbstractEventLoop, list[Waiting]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._running: dict[asyncio.AbstractEventLoop, Chain] = {}
        self._chains, self._sealing = Chains(), threading.Lock()

    async def write(self, entry: AuditEntry) -> Told:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Told] = loop.create_future()
        waiting = self._waiting.get(loop)
        if waiting is None:
            self._waiting[loop] = [(entry, future)]
            task = loop.create_task(self._drain(loop))
            self._tasks.add(task)  # or it might be collected before it is done
            task.add_done_callback(self._tasks.discard)
        else:
            waiting.append((entry, future))
        return await future

    def write_now(self, entry: AuditEntry) -> None:
        chain = Chain()
        rows = chain.linked([entry])
        try:
            with (
                psycopg.connect(self._conninfo, **CONNECTING) as connection,
                connection.transaction(),
            ):
                connection.execute(INSERT, _as_json(rows))
                connection.execute(ALONE)
                chain.advance(rows)
                add_seals(connection, [chain.head], microseconds(self._clock()), mark="%s")
        except psycopg.Error as error:
            raise unwritten() from error

    def seal(self) -> None:
        with self._sealing:
            heads = self._chains.unsealed([*self._running.values()])
            if not heads:
                return
            with (
                psycopg.connect(self._conninfo, **CONNECTING) as connection,
                connection.transaction(),
            ):
                connection.execute(ALONE)
                add_seals(connection, heads, microseconds(self._clock()), mark="%s")
            self._chains.sealed(heads)

    def close(self) -> None:
        """Let go of the connections, whichever loop they belong to."""
        with suppress(psycopg.Error):  # the database may be gone
            self.seal()
        for connection in self._connections.values():
            connection.pgconn.finish()
        self._connections.clear()

    async def _drain(self, loop: asyncio.AbstractEventLoop) -> None:
        """Commit until nothing waits; who comes then starts anew."""
        while waiting := self._waiting[loop]:
            self._waiting[loop] = waiting[BATCH:]
            await self._commit(loop, waiting[:BATCH])
        del self._waiting[loop]

    async def _commit(self, loop: asyncio.AbstractEventLoop, batch: list[Waiting]) -> None:
        failure: BusyError | None = None
        told: Told = None
        chain = self._running.setdefault(loop, Chain())
        rows = chain.linked(entry for entry, _ in batch)
        try:
            told = await self._insert(loop, rows)
            chain.advance(rows)
        except (psycopg.Error, OSError) as error:
            # Perhaps they were committed all the same: whatever comes next is another chain.
            self._chains.ended(self._running.pop(loop))
            failure = unwritten()
            failure.__cause__ = error
        settle(batch, failure, told)

    async def _insert(self, loop: asyncio.AbstractEventLoop, rows: list[Chained]) -> Told:
        content = _as_json(rows)
        connection = self._connections.get(loop)
        if connection is not None and not connection.closed:
            with suppress(psycopg.OperationalError):  # the server was restarted meanwhile
                return await self._executed(connection, content)
        connection = await psycopg.AsyncConnection.connect(self._conninfo, **CONNECTING)
        self._connections[loop] = connection
        return await self._executed(connection, content)

    async def _executed(self, connection: Connection, content: tuple[str]) -> Told:
        if not self._telling:
            await connection.execute(INSERT, content)
            return None
        cursor = await connection.execute(TELLING, content)
        return {int(str(audience)): int(str(epoch)) for audience, epoch in await cursor.fetchall()}


def _as_json(rows: list[Chained]) -> tuple[str]:
    found = [
        {
            **row.entry._asdict(),
            "writer": row.writer,
            "seq": row.seq,
            "hash": f"\\x{row.hash.hex()}",
        }
        for row in rows
    ]
    return (orjson.dumps(found).decode(),)
