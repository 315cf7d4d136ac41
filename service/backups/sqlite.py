"""SQLite: the online backup, of one moment while others write.

https://www.sqlite.org/backup.html
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from service.engine import sqlite_file
from service.errors import BackupError

ENDING = ".db"
BUSY_SECONDS = 10.0
WRITTEN = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
REVISION = "SELECT version_num FROM alembic_version"
RESTORED = ".restored"
CHECK = "PRAGMA integrity_check(1000000000)"  # all that there is to say, not the first hundred
FALSE_FROM, FALSE_UNTIL = (3, 40, 0), (3, 41, 1)


def save(url: str, file: Path) -> None:
    """Copy the database; all pages in one step, so that it is one moment however many write."""
    origin = sqlite_file(url)
    if not origin.is_file():
        raise BackupError(f"there is no database at {origin}: check DATABASE_URL")
    _copy(origin, file)


def check(file: Path) -> None:
    """Raise BackupError unless every page of the copy is whole."""
    try:
        with closing(_read_only(file)) as connection:
            found = [text for (text,) in connection.execute(CHECK) if not _is_false(text)]
    except sqlite3.DatabaseError as error:
        raise BackupError(f"{file} cannot be read as a SQLite file: take another copy") from error
    if [each for each in found if each != "ok"]:
        raise BackupError(f"{file} is damaged ({found[0]}): take another copy")


def _is_false(found: str) -> bool:
    """Tell whether SQLite 3.40 or 3.41.0 says so of a table whose key has another order than it.

    https://sqlite.org/changes.html#version_3_41_1
    """
    return FALSE_FROM <= sqlite3.sqlite_version_info < FALSE_UNTIL and found.startswith(
        "NULL value"
    )


def revision(file: Path) -> str | None:
    """Return the revision that the copy is at, or None where it is no installation."""
    with closing(_read_only(file)) as connection:
        try:
            row = connection.execute(REVISION).fetchone()
        except sqlite3.OperationalError:
            return None
    return str(row[0]) if row else None


def require_free(url: str, *, replace: bool) -> None:
    """Raise BackupError where a process has the file open, or it holds something to be kept.

    Only who is alone may leave the write-ahead log.
    """
    path = sqlite_file(url)
    if not path.is_file():
        return
    try:
        with closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
            tables = connection.execute(WRITTEN).fetchone()[0]
    except sqlite3.OperationalError as error:
        raise BackupError(f"{path} is in use: stop the service first") from error
    except sqlite3.DatabaseError:
        tables = 1  # whatever it is, it is not empty
    if tables and not replace:
        raise BackupError(
            f"{path} holds an installation: name another with DATABASE_URL,"
            " or say --replace to lose it"
        )


def load(url: str, file: Path) -> None:
    """Put the copy in the database's place, whole or not at all."""
    path = sqlite_file(url)
    new = path.with_name(path.name + RESTORED)
    new.unlink(missing_ok=True)
    _copy(file, new)
    new.replace(path)
    with closing(sqlite3.connect(path)) as restored:
        restored.execute("PRAGMA journal_mode = WAL")  # as the service keeps it
    _sync(path.parent)


def _copy(origin: Path, file: Path) -> None:
    try:
        with closing(_read_only(origin)) as source, closing(sqlite3.connect(file)) as copy:
            source.backup(copy, pages=-1)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
        check(file)
        _sync(file)
    except (sqlite3.Error, OSError) as error:
        raise BackupError(
            f"{file} could not be written ({error}): look at the disk's space and permissions"
        ) from error


def _read_only(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS)


def _sync(path: Path) -> None:
    """Have what was written on the disk itself."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
