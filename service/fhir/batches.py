"""Rows of the document store written in batches: few round trips, one statement a table.

https://www.postgresql.org/docs/current/functions-json.html
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import orjson
from sqlalchemy import LargeBinary, String
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
                raw.execute(whole, (orjson.dumps(many, default=_text).decode(),))
            elif many:
                raw.cursor().executemany(marked(sql, "postgresql"), many)


def _text(value: object) -> str:
    """Return the text that a document's bytes are."""
    if isinstance(value, bytes):
        return value.decode()
    raise TypeError(f"{type(value).__name__} has no place in a batch")


@cache
def from_json(sql: str) -> str | None:
    """Return PostgreSQL's INSERT of an array of rows, or None where there is none."""
    found = INSERT.match(sql)
    if found is None or found[1] == "document_versions":  # its bytes are compressed, not text
        return None
    columns = SQLModel.metadata.tables[found[1]].columns
    names = [name.strip() for name in found[2].split(",")]
    picked = ", ".join(_element(number, columns[name].type) for number, name in enumerate(names))
    return f"INSERT INTO {found[1]} ({found[2]}) SELECT {picked} FROM json_array_elements(%s) r"  # noqa: S608


def _element(number: int, kind: Any) -> str:  # noqa: ANN401 - a type of any column
    if isinstance(kind, LargeBinary):
        return f"convert_to(r->>{number}, 'UTF8')"
    if isinstance(kind, String):
        return f"r->>{number}"
    return f"(r->>{number})::{kind.compile(dialect=POSTGRESQL)}"
