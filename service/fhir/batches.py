"""Rows of the document store written in batches: few round trips, one statement a table.

https://www.postgresql.org/docs/current/functions-json.html
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import orjson
from sqlalchemy import LargeBinary
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session
from sqlmodel import SQLModel

from service.driver import Row, connected, failed, marked

INSERT = re.compile(r"INSERT INTO (\w+) \(([^)]*)\)")
FEW = 3  # so many rows are sent sooner one by one
POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call]

Batches = Mapping[str, Sequence[Row]]


def write_all(session: Session, batches: Batches, order: Sequence[str]) -> None:
    """Execute these statements, `?` for each argument, for their rows, in this order."""
    raw, dialect = connected(session)
    try:
        if dialect.name == "sqlite":
            for sql in order:
                if many := batches.get(sql):
                    raw.executemany(sql, many)
        else:
            _pipelined(raw, batches, order)
    except dialect.loaded_dbapi.Error as error:
        raise failed("the statements of a batch", error, dialect) from error


def _pipelined(raw: Any, batches: Batches, order: Sequence[str]) -> None:  # noqa: ANN401 - psycopg
    with raw.pipeline():
        for sql in order:
            many = batches.get(sql, ())
            whole = from_json(sql) if len(many) > FEW else None
            if whole is not None:
                statement, names = whole
                objects = [dict(zip(names, row, strict=True)) for row in many]
                raw.execute(statement, (orjson.dumps(objects).decode(),))
            elif many:
                raw.cursor().executemany(marked(sql, "postgresql"), many)


@cache
def from_json(sql: str) -> tuple[str, list[str]] | None:
    """Return PostgreSQL's INSERT of an array of objects, with the names of their members.

    None where a row holds bytes, which are sooner sent as they are.
    """
    found = INSERT.match(sql)
    if found is None:
        return None
    columns = SQLModel.metadata.tables[found[1]].columns
    names = [name.strip() for name in found[2].split(",")]
    if any(isinstance(columns[name].type, LargeBinary) for name in names):
        return None
    short = [f"c{number}" for number in range(len(names))]
    typed = ", ".join(
        f"{each} {columns[name].type.compile(dialect=POSTGRESQL)}"
        for each, name in zip(short, names, strict=True)
    )
    table = f"{found[1]} ({found[2]})"
    return f"INSERT INTO {table} SELECT * FROM json_to_recordset(%s) r({typed})", short  # noqa: S608
