"""PostgreSQL: its own pg_dump and pg_restore.

https://www.postgresql.org/docs/current/app-pgdump.html
https://www.postgresql.org/docs/current/app-pgrestore.html
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import psycopg
from psycopg import sql

from service.engine import conninfo, create_engine, libpq
from service.errors import BackupError
from service.migrations.schema import metadata_of

ENDING = ".dump"
DEBIAN = Path("/usr/lib/postgresql")
OBJECT = re.compile(
    r"^\d+; \d+ \d+ (TABLE|SEQUENCE|FUNCTION) (?!ATTACH |DATA |SET |OWNED )\S+ (\w+)", re.MULTILINE
)
REVISION = re.compile(r"^COPY \S*alembic_version .*\n(\S+)\n", re.MULTILINE)
TABLES = "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema()"
SERVING = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND application_name LIKE 'alongside-%' AND pid <> pg_backend_pid()"
)


def save(url: str, file: Path) -> None:
    """Dump the database as of one snapshot, which writers do not disturb."""
    _run("pg_dump", ["--format=custom", f"--file={file}"], url)
    check(file)


def check(file: Path) -> None:
    """Raise BackupError unless the dump can be read to its end."""
    _run("pg_restore", ["--file=/dev/null", str(file)])


def revision(file: Path) -> str | None:
    """Return the revision that the dump is at, or None where it is no installation."""
    arguments = ["--data-only", "--table=alembic_version", "--file=-", str(file)]
    found = REVISION.search(_run("pg_restore", arguments))
    return found[1] if found else None


def require_free(url: str, *, replace: bool) -> None:
    """Raise BackupError where processes serve the database, or it holds something to be kept."""
    try:
        with psycopg.connect(conninfo(url)) as connection:
            serving = (connection.execute(SERVING).fetchone() or (0,))[0]
            tables = connection.execute(TABLES).fetchall()
    except psycopg.OperationalError as error:
        raise BackupError("the database cannot be reached: create it, then try again") from error
    if serving:
        raise BackupError(f"the service has {serving} connections open: stop it first")
    if tables and not replace:
        raise BackupError(
            "the database is not empty: name another with DATABASE_URL, or say --replace to lose it"
        )


def load(url: str, file: Path) -> None:
    """Put the dump in place of our tables, in one transaction.

    `pg_restore --clean` would drop the constraints of partitions one by one, which is refused.
    The dump was checked: one that ends too soon would be taken for the whole.
    """
    listed = _run("pg_restore", ["--list", str(file)])
    found = {*OBJECT.findall(listed), *(("TABLE", name) for name in _ours(url))}
    drops = [_drop(kind, name) for kind, name in sorted(found, reverse=True)]  # tables first
    options = ["--no-psqlrc", "--quiet", "--output=/dev/null", "--set=ON_ERROR_STOP=1"]
    with _written(file) as script:
        _run("psql", [*options, "--single-transaction", *drops, "--file=-"], url, script)


def _drop(kind: str, name: str) -> str:
    """Return the argument by which psql drops this; our functions are triggers', without any."""
    drop = sql.SQL("DROP {} IF EXISTS {} CASCADE")
    return f"--command={drop.format(sql.SQL(kind), sql.Identifier(name)).as_string()}"


@contextmanager
def _written(file: Path) -> Iterator[IO[bytes]]:
    """Yield the statements that make what the dump has, as pg_restore writes them."""
    command = [program("pg_restore"), "--no-owner", "--no-privileges", "--file=-", str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writing:  # noqa: S603 - as in _run
        if writing.stdout is not None:
            yield writing.stdout


def _ours(url: str) -> set[str]:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return {name for each in metadata_of(connection) for name in each.tables}
    finally:
        engine.dispose()


def program(name: str) -> str:
    """Return where PostgreSQL's program is: on PATH, else in Debian's newest folder."""
    if found := shutil.which(name):
        return found
    folders = [each for each in DEBIAN.glob("*/bin") if each.parent.name.isdigit()]
    for folder in sorted(folders, key=lambda each: int(each.parent.name), reverse=True):
        if (folder / name).is_file():
            return str(folder / name)
    raise BackupError(
        f"{name} was not found: install PostgreSQL's client programs, of the server's version or"
        " newer (on Debian: apt-get install postgresql-client)"
    )


def _run(
    name: str, arguments: list[str], url: str | None = None, given: IO[bytes] | None = None
) -> str:
    """Run the program and return what it prints; the password is not among its arguments."""
    environment = dict(os.environ)  # noqa: TID251 - libpq's own settings, such as PGSSLMODE
    command = [program(name)]
    if url is not None:
        address = libpq(url)
        if address.password:
            environment["PGPASSWORD"] = str(address.password)
        command.append(f"--dbname={address.set(password=None).render_as_string()}")
    done = subprocess.run(  # noqa: S603 - PostgreSQL's own program, no shell
        [*command, *arguments],
        check=False,
        capture_output=True,
        text=True,
        env=environment,
        stdin=given,
    )
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line and "NOTICE:" not in line]
        why = next(iter(said), "it did not say why")
        raise BackupError(f"{name} failed, and nothing was changed: {why}")
    return done.stdout
