"""Hot statements by the database's driver itself, within the transaction of a session.

SQLAlchemy costs several times what such a statement does. Projected tables are not written
so, save by `service.guard`. https://peps.python.org/pep-0249/
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Dialect
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session
from sqlmodel import SQLModel

DRIVER = "driver"
RETRIED = frozenset({"40001", "40P01", "55P03"})  # serialization, deadlock, lock time-out
CHUNK = 400
EVERY: frozenset[str] = frozenset()  # of the columns of a table

Row = tuple[Any, ...]
Bind = Callable[[Any], Any]


def fetched(session: Session, sql: str, args: Sequence[object] = ()) -> list[Row]:
    """Return every row of a statement with `?` for each of its arguments."""
    raw, dialect = connected(session)
    try:
        found: list[Row] = raw.execute(marked(sql, dialect.name), args).fetchall()
    except dialect.loaded_dbapi.Error as error:
        raise failed(sql, error, dialect) from error
    return found


def execute(session: Session, sql: str, args: Sequence[object]) -> None:
    """Execute a statement that returns nothing."""
    raw, dialect = connected(session)
    try:
        raw.execute(marked(sql, dialect.name), args)
    except dialect.loaded_dbapi.Error as error:
        raise failed(sql, error, dialect) from error


def connected(session: Session) -> tuple[Any, Dialect]:
    """Return the driver's own connection, and the dialect; a unit of work keeps them at hand."""
    kept: tuple[Any, Dialect] | None = session.info.get(DRIVER)
    if kept is not None:
        return kept
    connection = session.connection()
    return connection.connection.driver_connection, connection.dialect


@cache
def marked(sql: str, dialect: str) -> str:
    """Return the statement with the marks of this database's driver."""
    return sql if dialect == "sqlite" else sql.replace("?", "%s")


def failed(sql: str, error: Exception, dialect: Dialect) -> BaseException:
    """Return the driver's error as SQLAlchemy raises it, without the values."""
    return DBAPIError.instance(
        sql, None, error, dialect.loaded_dbapi.Error, hide_parameters=True, dialect=dialect
    )


def columns(
    session: Session,
    table: type[SQLModel],
    keys: Iterable[UUID],
    by: str = "id",
    only: frozenset[str] = EVERY,
) -> list[dict[str, Any]]:
    """Return the rows of a table whose `by` is among `keys`, as dicts, in order of key.

    Where some columns are named, it is `only` these, `id` among them.
    """
    opening, names, convert = _selected(table, connected(session)[1], only)
    found: list[dict[str, Any]] = []
    for part in chunks(keys):
        sql = marks(f"{opening} WHERE {by} IN ({{marks}})", part)
        found += [
            dict(zip(names, convert(row), strict=True)) for row in fetched(session, sql, part)
        ]
    return sorted(found, key=_key)


def chunks(keys: Iterable[UUID]) -> Iterator[list[str]]:
    """Yield the keys as arguments of a statement, no more at a time than a statement takes."""
    wanted = [key.hex for key in keys]
    for start in range(0, len(wanted), CHUNK):
        yield wanted[start : start + CHUNK]


def marks(sql: str, part: Sequence[str]) -> str:
    """Return the statement with as many marks as there are arguments."""
    return sql.replace("{marks}", ", ".join("?" * len(part)))


def as_uuid(value: UUID | str) -> UUID:
    """Return a key as Python's, from either database."""
    return value if isinstance(value, UUID) else UUID(value)


def insert(session: Session, row: SQLModel) -> list[str]:
    """Write a new row, and return the names of its columns; projected ones by `service.guard`."""
    dialect = connected(session)[1]
    sql, names, binds = _inserted(type(row), dialect)
    values = [bind(getattr(row, name)) for name, bind in zip(names, binds, strict=True)]
    execute(session, sql, values)
    return names


_INSERTED: dict[tuple[type[SQLModel], str], tuple[str, list[str], list[Bind]]] = {}


def _inserted(table: type[SQLModel], dialect: Dialect) -> tuple[str, list[str], list[Bind]]:
    known = _INSERTED.get((table, dialect.name))
    if known is None:
        mapped = table.__table__  # type: ignore[attr-defined]
        names = [column.name for column in mapped.columns]
        listed, marked_ = ", ".join(map(_quote(dialect), names)), ", ".join("?" * len(names))
        binds = [
            column.type.dialect_impl(dialect).bind_processor(dialect) or _as_it_is
            for column in mapped.columns
        ]
        known = f"INSERT INTO {mapped.name} ({listed}) VALUES ({marked_})", names, binds  # noqa: S608
        _INSERTED[table, dialect.name] = known
    return known


def _quote(dialect: Dialect) -> Callable[[str], str]:
    quote: Callable[[str], str] = dialect.identifier_preparer.quote
    return quote


def _as_it_is(value: Any) -> Any:  # noqa: ANN401 - of any column
    return value


def _key(row: dict[str, Any]) -> UUID:
    key: UUID = row["id"]
    return key


Selected = tuple[str, list[str], Callable[[Row], list[Any]]]
_SELECTED: dict[tuple[type[SQLModel], str, frozenset[str]], Selected] = {}


def _selected(table: type[SQLModel], dialect: Dialect, only: frozenset[str]) -> Selected:
    """Return the SELECT of columns, their names, and how a row's values become Python's."""
    known = _SELECTED.get((table, dialect.name, only))
    if known is None:
        mapped = table.__table__  # type: ignore[attr-defined]
        chosen = [column for column in mapped.columns if not only or column.name in only]
        names = [column.name for column in chosen]
        quoted = ", ".join(map(_quote(dialect), names))
        known = f"SELECT {quoted} FROM {mapped.name}", names, _converter(chosen, dialect)  # noqa: S608
        _SELECTED[table, dialect.name, only] = known
    return known


def _converter(selected: Iterable[Column[Any]], dialect: Dialect) -> Callable[[Row], list[Any]]:
    each = [
        column.type.dialect_impl(dialect).result_processor(dialect, None) for column in selected
    ]

    def convert(row: Row) -> list[Any]:
        return [
            value if process is None else process(value)
            for process, value in zip(each, row, strict=True)
        ]

    return convert


def may_retry(error: DBAPIError) -> bool:
    """Tell whether the same may succeed when it is tried again."""
    state = getattr(error.orig, "sqlstate", None)
    locked = isinstance(error, OperationalError) and "locked" in str(error.orig)
    return state in RETRIED or locked
