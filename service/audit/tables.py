"""The tables of the audit's own file on SQLite, which has no revisions; elsewhere Alembic's."""

from sqlalchemy import Connection, inspect

from service.audit.partitions import ensure
from service.clock import Clock, system_clock
from service.engine import create_engine, is_sqlite
from service.models.audit import audit_entries, audit_metadata


def prepare(url: str, clock: Clock = system_clock) -> None:
    """Create the tables where they are missing; what an older version created gets the rest.

    On PostgreSQL the coming months get their partitions.
    """
    engine = create_engine(url)
    try:
        audit_metadata.create_all(engine)
        with engine.begin() as connection:
            if is_sqlite(engine):
                _complete(connection)
            else:
                ensure(connection, clock())
    finally:
        engine.dispose()


def _complete(connection: Connection) -> None:
    known = {column["name"] for column in inspect(connection).get_columns("audit_entries")}
    for column in audit_entries.columns:
        if column.name not in known:
            kind = str(column.type.compile(connection.dialect))
            connection.exec_driver_sql(f"ALTER TABLE audit_entries ADD COLUMN {column.name} {kind}")
