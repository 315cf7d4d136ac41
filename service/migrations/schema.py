"""What the newest revision must amount to: the tables of the models and the guard's triggers."""

import re

import sqlalchemy as sa
from sqlalchemy import Connection, MetaData
from sqlmodel import SQLModel

import service.models  # noqa: F401 - fills SQLModel.metadata
from service.guard import trigger_statements
from service.models.audit import audit_metadata

TRIGGER = re.compile(r"\s*CREATE TRIGGER (\w+)")
EXISTING = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'guard_%'",
    "postgresql": (
        "SELECT t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
        " WHERE c.relnamespace = current_schema()::regnamespace AND t.tgname LIKE 'guard_%'"
    ),
}


def metadata_of(connection: Connection) -> list[MetaData]:
    """Return the metadata that live in this database; SQLite keeps audit apart (ADR 0006)."""
    if connection.dialect.name == "sqlite":
        return [SQLModel.metadata]
    return [SQLModel.metadata, audit_metadata]


def missing_triggers(connection: Connection) -> set[str]:
    """Return the names of guard triggers that are wanted or there, but not both."""
    statements = trigger_statements(connection.dialect.name)
    wanted = {found[1] for text in statements if (found := TRIGGER.match(text))}
    return wanted ^ _existing(connection)


def install_guard(connection: Connection) -> None:
    """Create the guard anew where a table has come or gone, after the last revision."""
    if not missing_triggers(connection):
        return
    if connection.dialect.name == "sqlite":
        for name in sorted(_existing(connection)):
            connection.execute(sa.text(f"DROP TRIGGER {name}"))
    else:
        connection.execute(sa.text("DROP FUNCTION IF EXISTS alongside_guard() CASCADE"))
    for statement in trigger_statements(connection.dialect.name):
        connection.execute(sa.text(statement))


def _existing(connection: Connection) -> set[str]:
    return set(connection.execute(sa.text(EXISTING[connection.dialect.name])).scalars())
