"""Bringing a database to the newest revision, and checking that the revisions equal the models.

https://alembic.sqlalchemy.org/en/latest/api/commands.html
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from service.engine import UNIT_OF_WORK, WRITING, create_engine
from service.guard import SCHEMA_CHANGE
from service.migrations.schema import install_guard, metadata_of, missing_triggers
from service.migrations.statistics import keep_statistics

# One number for everyone who migrates, so that two processes starting together take turns.
MIGRATION_LOCK = 7_206_113_551


def configuration() -> Config:
    """Return Alembic's configuration, as pyproject.toml has it for the command line."""
    config = Config()
    config.set_main_option("script_location", "service:migrations")
    return config


def newest() -> str:
    """Return the revision that this code needs."""
    head = ScriptDirectory.from_config(configuration()).get_current_head()
    return head or ""


def is_known(revision: str) -> bool:
    """Tell whether this code can bring a database on from this revision."""
    script = ScriptDirectory.from_config(configuration())
    return revision in {each.revision for each in script.walk_revisions()}


def current(database_url: str) -> str | None:
    """Return the revision that the database is at."""
    engine = create_engine(database_url)
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()


def upgrade(database_url: str) -> None:
    """Bring the database to the newest revision, in one transaction."""
    engine = create_engine(database_url)
    try:
        with engine.connect().execution_options(**{WRITING: True}) as connection:
            _upgrade(connection)
            connection.commit()
    finally:
        engine.dispose()


def _upgrade(connection: Connection) -> None:
    connection.info[SCHEMA_CHANGE] = True
    connection.info[UNIT_OF_WORK] = 1
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT set_config('alongside.unit_of_work', 'on', true)"))
        connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
    config = configuration()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    install_guard(connection)
    keep_statistics(connection)


def check(database_url: str | None = None) -> list[str]:
    """Return how models and revisions differ, on an empty database; nothing if they agree.

    Without a URL a temporary SQLite file is used.
    """
    if database_url is not None:
        return _differences(database_url)
    with TemporaryDirectory() as folder:
        return _differences(f"sqlite:///{Path(folder) / 'check.db'}")


def _is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """Tell what is compared: the months of the audit rows come and go without revisions."""
    return kind != "table" or not (name or "").startswith("audit_entries_")


def _differences(database_url: str) -> list[str]:
    upgrade(database_url)
    engine = create_engine(database_url)
    try:
        with engine.connect() as connection:
            options = {"compare_type": True, "include_name": _is_ours}
            context = MigrationContext.configure(connection, opts=options)
            found: list[Any] = compare_metadata(context, metadata_of(connection))  # type: ignore[arg-type]
            return [str(each) for each in found] + sorted(missing_triggers(connection))
    finally:
        engine.dispose()
