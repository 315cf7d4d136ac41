"""The guard: rows that documents are made from are written by the unit of work alone.

Three nets, each for what the one before lets through: the session's flush, statements of our
own connections, and triggers in the database for every other program.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import Connection, Engine, event, inspect
from sqlalchemy.orm import Session as OrmSession
from sqlalchemy.orm import UOWTransaction

from service import driver
from service.engine import UNIT_OF_WORK
from service.errors import ProjectionError
from service.models.base import Projected, Row, projected_tables

FLUSHING = "flushing"
READS = "reads"
SCHEMA_CHANGE = "schema_change"
WRITE = re.compile(
    r"\b(?:insert\s+(?:or\s+\w+\s+)?into|replace\s+into|update(?:\s+or\s+\w+)?|delete\s+from"
    r"|truncate(?:\s+table)?|merge\s+into|copy)\s+(?:only\s+)?(?:\"?\w+\"?\.)?[\"`\[]?(\w+)",
    re.IGNORECASE,
)


@dataclass
class Touched:
    """The projected rows that this unit of work wrote, with the names of what changed."""

    rows: dict[str, dict[Any, Projected]] = field(default_factory=dict)
    changed: dict[Any, set[str]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.rows)

    def add(self, row: Projected, names: set[str]) -> None:
        """Remember that `names` of this row changed."""
        self.rows.setdefault(type(row).__name__, {})[row.id] = row
        self.changed.setdefault(row.id, set()).update(names)

    def include(self, other: "Touched") -> None:
        """Remember what the other remembers, too."""
        for name, rows in other.rows.items():
            self.rows.setdefault(name, {}).update(rows)
        for key, names in other.changed.items():
            self.changed.setdefault(key, set()).update(names)

    def of(self, cls: type[Projected]) -> list[Any]:
        """Return the touched rows of one table."""
        return list(self.rows.get(cls.__name__, {}).values())


def touch(session: OrmSession, row: Projected, *names: str) -> None:
    """Have this row's documents rendered again in this unit of work, as if `names` had changed."""
    touched: Touched = session.info[UNIT_OF_WORK]
    touched.add(row, set(names))


@contextmanager
def savepoint(session: OrmSession) -> Iterator[None]:
    """Undo what is done within, where it raises: the unit of work goes on as if it never was."""
    session.flush()
    before: Touched = session.info[UNIT_OF_WORK]
    own = session.info[UNIT_OF_WORK] = Touched()
    try:
        with session.begin_nested():
            yield
    finally:
        session.info[UNIT_OF_WORK] = before
        session.connection().info[FLUSHING] = False  # a flush that failed did not say so
    before.include(own)


def insert(session: OrmSession, row: Projected) -> None:
    """Write a new row at once, as a flush would, in one plain statement.

    The row does not become the session's: what is changed of it afterwards is not kept.
    """
    touched: Touched | None = session.info.get(UNIT_OF_WORK)
    if touched is None:
        raise ProjectionError(f"{type(row).__name__} was written outside a unit of work")
    touched.add(row, set(driver.insert(session, row)))


def attach_guard(engine: Engine) -> None:
    """Refuse statements that write a projected table, save those of a flush."""
    event.listen(engine, "before_cursor_execute", _refuse_statement)


@cache
def _guarded() -> frozenset[str]:
    return projected_tables()


def _refuse_statement(
    connection: Connection,
    _cursor: object,
    statement: str,
    _parameters: object,
    _context: object,
    _many: bool,
) -> None:
    info = connection.info
    if info.get(FLUSHING) or info.get(SCHEMA_CHANGE):
        return
    for table in WRITE.findall(statement):
        if table.lower() in _guarded():
            raise ProjectionError(
                f"{table} is written by the unit of work alone: its documents would be stale"
            )


@event.listens_for(OrmSession, "before_flush")
def _collect(session: OrmSession, _context: UOWTransaction, _instances: object) -> None:
    touched = session.info.get(UNIT_OF_WORK)
    if session.info.get(READS):
        raise ProjectionError("what only reads changed a row")
    for row, names in _changes(session):
        if isinstance(row, Projected):
            if touched is None:
                raise ProjectionError(f"{type(row).__name__} was changed outside a unit of work")
            touched.add(row, names)
        if names and row not in session.new:
            row.row_version += 1
    if touched is not None:
        session.connection().info[FLUSHING] = True


def _changes(session: OrmSession) -> Iterator[tuple[Row, set[str]]]:
    for row in list(session.new) + list(session.dirty) + list(session.deleted):
        if isinstance(row, Row):
            names = {a.key for a in inspect(row).attrs if a.history.has_changes()}
            if names or row in session.deleted:
                yield row, names


@event.listens_for(OrmSession, "after_flush_postexec")
def _end_flush(session: OrmSession, _context: UOWTransaction) -> None:
    if session.info.get(UNIT_OF_WORK) is not None:
        session.connection().info[FLUSHING] = False


def trigger_statements(dialect: str) -> list[str]:
    """Return the DDL of the third net, for a migration to run."""
    tables = sorted(projected_tables())
    if dialect == "sqlite":
        return [_sqlite_trigger(t, verb) for t in tables for verb in ("INSERT", "UPDATE", "DELETE")]
    return [POSTGRESQL_FUNCTION, *(_postgresql_trigger(table) for table in tables)]


def _sqlite_trigger(table: str, verb: str) -> str:
    return (
        f"CREATE TRIGGER guard_{table}_{verb.lower()} BEFORE {verb} ON {table} "
        "WHEN alongside_unit_of_work() = 0 BEGIN SELECT RAISE(ABORT, "
        f"'{table} is written by the unit of work alone'); END"
    )


POSTGRESQL_FUNCTION = """
CREATE FUNCTION alongside_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF current_setting('alongside.unit_of_work', true) IS DISTINCT FROM 'on' THEN
    RAISE EXCEPTION '% is written by the unit of work alone', TG_TABLE_NAME
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NULL;
END $$
"""


def _postgresql_trigger(table: str) -> str:
    return (
        f"CREATE TRIGGER guard_{table} BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION alongside_guard()"
    )
