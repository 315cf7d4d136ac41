"""The tables of the audit's own file on SQLite, which has no revisions; elsewhere Alembic's."""

from sqlalchemy import Connection, inspect

from service.engine import create_engine
from service.models.audit import audit_entries, audit_metadata


def prepare(url: str) -> None:
    """Create the tables where they are missing; what an older version created gets the rest."""
    engine = create_engine(url)
    audit_metadata.create_all(engine)
    known = {column["name"] for column in inspect(engine).get_columns("audit_entries")}
    missing = [each for each in audit_entries.columns if each.name not in known]
    if missing:
        with engine.begin() as connection:
            for column in missing:
                _add(connection, column.name, str(column.type.compile(connection.dialect)))
    engine.dispose()


def _add(connection: Connection, name: str, kind: str) -> None:
    connection.exec_driver_sql(f"ALTER TABLE audit_entries ADD COLUMN {name} {kind}")
