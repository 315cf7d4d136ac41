"""Whether there is a database, of a kind and version that is known to work."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import psycopg

from api.doctor.findings import Finding, error, ok
from service.engine import conninfo, libpq, sqlite_file
from service.settings import Settings

CONNECT_SECONDS = 5
POSTGRESQL_OLDEST = 150_000
SQLITE_OLDEST = (3, 35, 0)


def findings(settings: Settings) -> Iterator[Finding]:
    url = settings.database_url
    yield from _sqlite(url) if url.startswith("sqlite") else _postgresql(url)


def _sqlite(url: str) -> Iterator[Finding]:
    path = sqlite_file(url)
    if not path.is_file():
        yield error("database", f"There is no database at {path}: run `alongside migrate`.")
        return
    if sqlite3.sqlite_version_info < SQLITE_OLDEST:
        yield error("database", f"SQLite {sqlite3.sqlite_version} is too old: 3.35 is needed.")
        return
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    except sqlite3.Error as failure:
        yield error("database", f"{path} cannot be read ({failure}): restore a copy.")
        return
    yield ok("database", f"SQLite {sqlite3.sqlite_version} at {path}, journal mode {mode}.")
    if mode != "wal":  # the service sets it; a file system that cannot share memory refuses
        yield error("journal", f"{path} is not in WAL mode: is it on a network file system?")


def _postgresql(url: str) -> Iterator[Finding]:
    try:
        with psycopg.connect(conninfo(url), connect_timeout=CONNECT_SECONDS) as connection:
            version = connection.info.server_version
    except psycopg.Error as failure:
        said = f"{libpq(url).render_as_string()} cannot be reached ({type(failure).__name__})"
        yield error("database", f"{said}: start it, or check DATABASE_URL.")
        return
    said = f"PostgreSQL {version // 10_000}.{version % 10_000}"
    if version < POSTGRESQL_OLDEST:
        yield error("database", f"{said} is too old: 15 or newer is needed.")
    else:
        yield ok("database", f"{said} answers.")
