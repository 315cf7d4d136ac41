"""One audit row for every request, committed before the answer's first byte (ADR 0006).

Rows that come together share a commit. https://hl7.org/fhir/R4/security.html#audit
"""

import asyncio
import sqlite3
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import orjson
import psycopg
from sqlalchemy import inspect, make_url

from service.checkpoints import Checkpoints
from service.engine import conninfo, create_engine, sqlite_file
from service.errors import BusyError
from service.models.audit import audit_metadata

SQLITE_INSERT = (
    "INSERT INTO audit_entries"
    " (request_id, at, client, audience, address, method, path, query, status, patients, caller_id)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
POSTGRESQL_INSERT = (  # of any number of rows
    "INSERT INTO audit_entries SELECT * FROM json_to_recordset(%s) r(request_id text, at bigint,"
    " client text, audience bigint, address text, method text, path text, query text, status int,"
    " patients text, caller_id text)"
)
BUSY_SECONDS = 2.0
BATCH = 500
TURNS = 8
CONNECTING: Any = {
    "autocommit": True,
    "prepare_threshold": 0,
    "application_name": "alongside-audit",
    "connect_timeout": int(BUSY_SECONDS),
}


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
    caller_id: str | None = None


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
        return SqliteAudit(str(sqlite_file(url)) if make_url(url).database else ":memory:")
    return PostgresqlAudit(url)


def prepare(url: str) -> None:
    """Create the table where it is missing, as on SQLite, whose audit file has no revisions.

    What an older version created gets the column that came since.
    """
    engine = create_engine(url)
    audit_metadata.create_all(engine)
    known = {column["name"] for column in inspect(engine).get_columns("audit_entries")}
    if "caller_id" not in known:
        with engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE audit_entries ADD COLUMN caller_id TEXT")
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
_Row = tuple[object, ...]


class PostgresqlAudit:
    """One connection for each event loop: what arrives during one commit shares the next."""

    def __init__(self, url: str) -> None:
        self._url = conninfo(url)
        self._connections: dict[asyncio.AbstractEventLoop, psycopg.AsyncConnection[_Row]] = {}
        self._waiting: dict[asyncio.AbstractEventLoop, list[_Waiting]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def write(self, entry: AuditEntry) -> None:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        waiting = self._waiting.get(loop)
        if waiting is None:
            self._waiting[loop] = [(entry, future)]
            task = loop.create_task(self._drain(loop))
            self._tasks.add(task)  # or it might be collected before it is done
            task.add_done_callback(self._tasks.discard)
        else:
            waiting.append((entry, future))
        await future

    def write_now(self, entry: AuditEntry) -> None:
        try:
            with psycopg.connect(self._url, **CONNECTING) as connection:
                connection.execute(POSTGRESQL_INSERT, _rows([entry]))
        except psycopg.Error as error:
            raise _unwritten() from error

    def close(self) -> None:
        """Let go of the connections, whichever loop they belong to."""
        for connection in self._connections.values():
            connection.pgconn.finish()
        self._connections.clear()

    async def _drain(self, loop: asyncio.AbstractEventLoop) -> None:
        """Commit until nothing waits; who comes then starts anew."""
        while waiting := self._waiting[loop]:
            self._waiting[loop] = waiting[BATCH:]
            await self._commit(loop, waiting[:BATCH])
        del self._waiting[loop]

    async def _commit(self, loop: asyncio.AbstractEventLoop, batch: list[_Waiting]) -> None:
        failure: BusyError | None = None
        try:
            await self._insert(loop, [entry for entry, _ in batch])
        except (psycopg.Error, OSError) as error:
            failure = _unwritten()
            failure.__cause__ = error
        for _, future in batch:
            if not future.done():
                _settle(future, failure)

    async def _insert(self, loop: asyncio.AbstractEventLoop, entries: list[AuditEntry]) -> None:
        rows = _rows(entries)
        connection = self._connections.get(loop)
        if connection is not None and not connection.closed:
            with suppress(psycopg.OperationalError):  # the server was restarted meanwhile
                await connection.execute(POSTGRESQL_INSERT, rows)
                return
        connection = await psycopg.AsyncConnection.connect(self._url, **CONNECTING)
        self._connections[loop] = connection
        await connection.execute(POSTGRESQL_INSERT, rows)


def _rows(entries: list[AuditEntry]) -> tuple[str]:
    return (orjson.dumps([entry._asdict() for entry in entries]).decode(),)


def _settle(future: "asyncio.Future[None]", failure: BusyError | None) -> None:
    """Let whoever waits for a row go on, or tell it that there is none."""
    if failure is None:
        future.set_result(None)
    else:
        future.set_exception(failure)


def _unwritten() -> BusyError:
    return BusyError("the audit row could not be written, so nothing is answered")
