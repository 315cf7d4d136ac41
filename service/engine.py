"""Engines: SQLite with one writer at a time, PostgreSQL through psycopg.

https://www.sqlite.org/wal.html
"""

import sqlite3
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import URL, Connection, Engine, event, make_url
from sqlalchemy import create_engine as sqlalchemy_engine
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

UNIT_OF_WORK = "unit_of_work"
WRITING = "alongside_write"
BUSY_SECONDS = 30
POOL = 20
APPLICATION_NAME = "alongside-write"
PREPARED = 300  # statements that one connection to PostgreSQL keeps


def is_sqlite(engine: Engine) -> bool:
    return engine.dialect.name == "sqlite"


def normalised(url: str) -> str:
    """Return the URL with the psycopg driver named, where only PostgreSQL was."""
    for short in ("postgres://", "postgresql://"):
        if url.startswith(short):
            return "postgresql+psycopg://" + url.removeprefix(short)
    return url


def sqlite_file(url: str) -> Path:
    """Return the file of a SQLite database; it need not exist."""
    return Path(make_url(url).database or "")


def libpq(url: str) -> URL:
    """Return the URL of a PostgreSQL database as its own programs read it."""
    return make_url(normalised(url)).set(drivername="postgresql")


def conninfo(url: str) -> str:
    """Return what psycopg connects by, password and all."""
    return libpq(url).render_as_string(hide_password=False)


def create_engine(url: str, *, busy_seconds: float = BUSY_SECONDS) -> Engine:
    """Return the engine for writing, and for reading outside the hot path.

    On SQLite a connection waits `busy_seconds` while another program writes.
    """
    url = normalised(url)
    if not url.startswith("sqlite"):
        engine = sqlalchemy_engine(
            url,
            pool_size=POOL,
            max_overflow=POOL,
            json_serializer=_dump,
            json_deserializer=orjson.loads,
            pool_use_lifo=True,  # the connection used last has its statements prepared
            connect_args={"application_name": APPLICATION_NAME, "prepare_threshold": 1},
        )
        event.listen(engine, "connect", _prepare_postgresql)
    else:
        engine = sqlalchemy_engine(
            url,
            poolclass=QueuePool,
            pool_size=POOL,
            max_overflow=POOL,
            json_serializer=_dump,
            json_deserializer=orjson.loads,
            connect_args={"timeout": busy_seconds, "check_same_thread": False},
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    event.listen(engine, "checkin", _forget_unit_of_work)
    return engine


def _dump(value: object) -> str:
    return orjson.dumps(value).decode()


def _prepare_sqlite(connection: sqlite3.Connection, record: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA wal_autocheckpoint = 0")  # service.checkpoints does it
    connection.execute("PRAGMA cache_size = -8000")  # KiB
    info: dict[Any, Any] = record.info
    # The triggers of the projected tables ask this; any other program has no such function.
    connection.create_function("alongside_unit_of_work", 0, lambda: info.get(UNIT_OF_WORK, 0))


def _prepare_postgresql(connection: Any, _record: ConnectionPoolEntry) -> None:  # noqa: ANN401
    connection.prepared_max = PREPARED


def _forget_unit_of_work(_connection: object, record: ConnectionPoolEntry) -> None:
    record.info.pop(UNIT_OF_WORK, None)


def _begin_sqlite(connection: Connection) -> None:
    writing = connection.get_execution_options().get(WRITING, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
