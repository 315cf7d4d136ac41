"""One audit row for every request, committed before the answer's first byte (ADR 0006).

Rows that come together share a commit. https://hl7.org/fhir/R4/security.html#audit
"""

import asyncio
import sqlite3
import threading
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import NamedTuple, Protocol

import psycopg
from sqlalchemy import make_url

from service.checkpoints import Checkpoints
from service.engine import create_engine, normalised
from service.errors import BusyError
from service.models.audit import audit_metadata

SQLITE_INSERT = (
    "INSERT INTO audit_entries"
    " (request_id, at, client, audience, address, method, path, query, status, patients)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
POSTGRESQL_INSERT = SQLITE_INSERT.replace("?", "%s")
BUSY_SECONDS = 2.0
BATCH = 500
TURNS = 8
APPLICATION_NAME = "alongside-audit"


class AuditEntry(NamedTuple):
    """Who asked for what, when, and how it ended; the fields are the table's columns."""

    request_id: str
    at: int
    client: str | None
    audience: int | None
    address: str | None
    method: str
    path: str
    query: str | None
    status: int
    patients: str | None = None


class AuditWriter(Protocol):
    """Writes audit rows; raises BusyError where it cannot, and then nothing may be answered."""

    async def write(self, entry: AuditEntry) -> None:
        """Return when the row is committed."""

    def write_now(self, entry: AuditEntry) -> None:
        """Do the same, for a command line."""

    def close(self) -> None:
        """Close the connection."""


def open_audit(url: str) -> AuditWriter:
    """Return the writer for this database."""
    if url.startswith("sqlite"):
        return SqliteAudit(make_url(url).database or ":memory:")
    return PostgresqlAudit(url)


def prepare(url: str) -> None:
    """Create the table where it is missing, as on SQLite, whose audit file has no revisions."""
    engine = create_engine(url)
    audit_metadata.create_all(engine)
    engine.dispose()


class SqliteAudit:
    """Commits inline: rows that come in successive turns of the event loop share a transaction."""

    def __init__(self, path: str) -> None:
        if not Path(path).exists():
            prepare(f"sqlite:///{path}")
        self._connection = sqlite3.connect(
            path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute("PRAGMA wal_autocheckpoint = 0")
        self._checkpoints = Checkpoints(path)
        self._lock = threading.Lock()
        self._waiting: dict[asyncio.AbstractEventLoop, list[_Waiting]] = {}

    async def write(self, entry: AuditEntry) -> None:
        loop = asyncio.get_running_loop()
        waiting = self._waiting.get(loop)
        if waiting is None:
            waiting = self._waiting[loop] = []
            loop.call_soon(self._gather, loop, 0, TURNS)
        future: asyncio.Future[None] = loop.create_future()
        waiting.append((entry, future))
        await future

    def write_now(self, entry: AuditEntry) -> None:
        try:
            self._insert([entry])
        except sqlite3.Error as error:
            raise _unwritten() from error

    def close(self) -> None:
        self._checkpoints.close()
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
        try:
            self._insert([entry for entry, _ in waiting])
        except sqlite3.Error as error:
            failure = _unwritten()
            failure.__cause__ = error
        for _, future in waiting:
            if future.done():
                continue
            _settle(future, failure)

    def _insert(self, entries: list[AuditEntry]) -> None:
        with self._lock:
            self._checkpoints.committed()
            if len(entries) == 1:
                self._connection.execute(SQLITE_INSERT, entries[0])
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._connection.executemany(SQLITE_INSERT, entries)
                self._connection.execute("COMMIT")
            except sqlite3.Error:
                self._connection.execute("ROLLBACK")
                raise


_Waiting = tuple[AuditEntry, "asyncio.Future[None]"]
_Queued = tuple[AuditEntry, "Future[None]"]


class PostgresqlAudit:
    """Commits in a thread: what arrives during one commit shares the next."""

    def __init__(self, url: str) -> None:
        self._url = normalised(url).replace("postgresql+psycopg://", "postgresql://", 1)
        self._connection: psycopg.Connection[tuple[object, ...]] | None = None
        self._queue: SimpleQueue[_Queued | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    async def write(self, entry: AuditEntry) -> None:
        await asyncio.wrap_future(self._enqueue(entry))

    def write_now(self, entry: AuditEntry) -> None:
        self._enqueue(entry).result()

    def close(self) -> None:
        self._queue.put(None)
        if self._thread is not None:
            self._thread.join(timeout=BUSY_SECONDS)

    def _enqueue(self, entry: AuditEntry) -> "Future[None]":
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="audit", daemon=True)
                self._thread.start()
        future: Future[None] = Future()
        self._queue.put((entry, future))
        return future

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            batch, ending = self._collect(first)
            self._commit(batch)
            if ending:
                break
        if self._connection is not None:
            self._connection.close()

    def _collect(self, first: _Queued) -> tuple[list[_Queued], bool]:
        batch = [first]
        with suppress(Empty):
            while len(batch) < BATCH:
                each = self._queue.get_nowait()
                if each is None:
                    return batch, True
                batch.append(each)
        return batch, False

    def _commit(self, batch: list[_Queued]) -> None:
        failure: BusyError | None = None
        try:
            self._insert([entry for entry, _ in batch])
        except psycopg.Error as error:
            failure = _unwritten()
            failure.__cause__ = error
        for _, future in batch:
            if not future.set_running_or_notify_cancel():
                continue
            _settle(future, failure)

    def _insert(self, entries: list[AuditEntry]) -> None:
        connection, fresh = self._connection, False
        if connection is None or connection.closed:
            connection, fresh = self._connect(), True
        try:
            self._execute(connection, entries)
        except psycopg.OperationalError:
            if fresh:
                raise
            self._execute(self._connect(), entries)  # the server was restarted meanwhile

    def _connect(self) -> psycopg.Connection[tuple[object, ...]]:
        self._connection = psycopg.connect(
            self._url, application_name=APPLICATION_NAME, connect_timeout=int(BUSY_SECONDS)
        )
        return self._connection

    @staticmethod
    def _execute(
        connection: psycopg.Connection[tuple[object, ...]], entries: list[AuditEntry]
    ) -> None:
        with connection.transaction(), connection.cursor() as cursor:
            cursor.executemany(POSTGRESQL_INSERT, entries)


def _settle(future: "asyncio.Future[None] | Future[None]", failure: BusyError | None) -> None:
    """Let whoever waits for a row go on, or tell it that there is none."""
    if failure is None:
        future.set_result(None)
    else:
        future.set_exception(failure)


def _unwritten() -> BusyError:
    return BusyError("the audit row could not be written, so nothing is answered")
