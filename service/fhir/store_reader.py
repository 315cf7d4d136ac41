"""How the read path asks the store: one statement at a time, outside the ORM.

SQLite is called inline on the event loop, on a connection that cannot write; what takes over
20 ms is begun again in a thread (DESIGN section 3). PostgreSQL goes through async psycopg.
https://www.sqlite.org/c3ref/progress_handler.html
"""

import asyncio
import sqlite3
import threading
import time
from functools import lru_cache
from typing import Any, Protocol

from psycopg import OperationalError
from psycopg.errors import QueryCanceled
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from service.engine import APPLICATION_NAME, conninfo, normalised, sqlite_file
from service.errors import BusyError

INLINE_SECONDS = 0.020
THREAD_SECONDS = 10
STEPS = 1000  # of SQLite's virtual machine between two looks at the clock
HORIZON_SECONDS = 0.05
POOL = 16
POOL_SECONDS = 5.0
TOO_LONG = "the search took too long; ask for less"

Rows = list[tuple[Any, ...]]


class StoreReader(Protocol):
    """Reads committed rows; `?` marks each parameter, whatever the database."""

    async def rows(self, sql: str, args: tuple[object, ...]) -> Rows:
        """Return every row of one SELECT."""

    async def horizon(self) -> int | None:
        """Return the moment, in microseconds, before which nothing can still be committed.

        None stands for: whatever is visible is complete.
        """

    async def moment(self) -> int | None:
        """Return what the clock of the stamps says, or None where it is this machine's."""

    def connections(self) -> dict[str, int]:
        """Return how many connections are in use, and how many wait to be."""

    async def close(self) -> None:
        """Let go of the connections."""


def open_reader(database_url: str) -> StoreReader:
    """Return the reader for this database; it connects when it is first asked."""
    url = normalised(database_url)
    if url.startswith("sqlite"):
        return SqliteReader(url)
    return PostgresqlReader(url)


class SqliteReader:
    """One read-only connection for the event loop, and one for each thread of slow statements."""

    def __init__(self, url: str) -> None:
        self._address = sqlite_file(url).resolve().as_uri() + "?mode=ro"
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._deadline = 0.0

    async def rows(self, sql: str, args: tuple[object, ...]) -> Rows:
        self._deadline = time.monotonic() + INLINE_SECONDS
        try:
            return self._connection().execute(sql, args).fetchall()
        except sqlite3.OperationalError as error:
            if "interrupted" not in str(error):
                raise
        return await asyncio.to_thread(self._slowly, sql, args)

    async def horizon(self) -> int | None:
        return None  # one writer at a time: the order of stamps is the order of commits

    async def moment(self) -> int | None:
        return None

    def connections(self) -> dict[str, int]:
        return {"idle": len(self._opened)}  # one for each thread that asked

    async def close(self) -> None:
        for connection in self._opened:
            connection.close()
        self._opened.clear()
        self._local = threading.local()

    def _connection(self) -> sqlite3.Connection:
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            found = self._local.connection = self._connect()
            found.set_progress_handler(self._is_late, STEPS)
        return found

    def _is_late(self) -> bool:
        return time.monotonic() > self._deadline

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._address,
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        connection.execute("PRAGMA query_only = 1")
        self._opened.append(connection)
        return connection

    def _slowly(self, sql: str, args: tuple[object, ...]) -> Rows:
        found: sqlite3.Connection | None = getattr(self._local, "slow", None)
        if found is None:
            found = self._local.slow = self._connect()
        deadline = time.monotonic() + THREAD_SECONDS
        found.set_progress_handler(lambda: time.monotonic() > deadline, STEPS)
        try:
            return found.execute(sql, args).fetchall()
        except sqlite3.OperationalError as error:
            if "interrupted" not in str(error):
                raise
            raise BusyError(TOO_LONG) from None


@lru_cache(maxsize=512)
def _with_percent(sql: str) -> str:
    return sql.replace("?", "%s")


MOMENT = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
# Stamps are taken after a transaction has its id, so none below this moment can still come.
HORIZON = f"""
SELECT (extract(epoch FROM least(statement_timestamp(), min(xact_start))) * 1000000)::bigint
FROM pg_stat_activity
WHERE datname = current_database() AND application_name = '{APPLICATION_NAME}'
AND backend_xid IS NOT NULL
"""  # noqa: S608 - a constant of ours


class PostgresqlReader:
    """A pool of async connections that prepare what they are asked."""

    def __init__(self, url: str) -> None:
        self._pool = AsyncConnectionPool(
            conninfo(url),
            kwargs={
                "autocommit": True,
                "prepare_threshold": 0,
                "application_name": "alongside-read",
                "options": f"-c statement_timeout={THREAD_SECONDS}s",
            },
            timeout=POOL_SECONDS,
            min_size=1,
            max_size=POOL,
            open=False,
        )
        self._horizon = (0.0, 0)

    async def rows(self, sql: str, args: tuple[object, ...]) -> Rows:
        if self._pool.closed:
            await self._pool.open()
        try:
            return await self._rows(sql, args)
        except QueryCanceled:
            raise BusyError(TOO_LONG) from None
        except PoolTimeout:
            raise BusyError("every connection to the database is taken") from None
        except OperationalError:
            return await self._rows(sql, args)  # the pool has replaced the connection that broke

    async def _rows(self, sql: str, args: tuple[object, ...]) -> Rows:
        async with self._pool.connection() as connection:
            cursor = await connection.execute(_with_percent(sql).encode(), args)
            return await cursor.fetchall()

    async def horizon(self) -> int | None:
        asked, found = self._horizon
        if time.monotonic() - asked > HORIZON_SECONDS:
            asked = time.monotonic()
            ((found,),) = await self.rows(HORIZON, ())
            self._horizon = (asked, found)
        return found

    async def moment(self) -> int | None:
        ((found,),) = await self.rows(MOMENT, ())
        return int(found)

    def connections(self) -> dict[str, int]:
        told = self._pool.get_stats()
        opened, idle = told.get("pool_size", 0), told.get("pool_available", 0)
        waiting = told.get("requests_waiting", 0)
        return {"used": opened - idle, "idle": idle, "wanted": waiting}

    async def close(self) -> None:
        await self._pool.close()
