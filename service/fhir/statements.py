"""Plain statements inside a unit of work: `?` marks each argument, whatever the database.

https://peps.python.org/pep-0249/#paramstyle
"""

from typing import Any

from sqlmodel import Session as DbSession

from service.driver import fetched

Rows = list[tuple[Any, ...]]


def rows_of(session: DbSession, sql: str, args: tuple[object, ...]) -> Rows:
    """Return every row of a SELECT."""
    return fetched(session, sql, args)
