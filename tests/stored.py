"""What is stored: every document as its reader has it, and all that tells of an audience."""

import re
from typing import Any

from service.database import Database
from service.fhir.index_tables import COLUMNS, INDEX_TABLES

OURS = re.compile(rb'"versionId":"\d+","lastUpdated":"[^"]+"')
# Of each table of the search index: its rows, by the documents' ids.
INDEXES = {
    f"document_{name}": f"SELECT d.id, i.type, {columns.replace('param', 'i.param')}"
    f" FROM document_{name} i LEFT JOIN documents d ON d.number = i.document WHERE i.audience"
    for name, columns in zip(INDEX_TABLES, COLUMNS, strict=True)
}
WHOSE = "id, source, patient_key, subject, confidentiality, owner, date_low, date_high"
OF_VERSIONS = (
    "SELECT v.id, v.version, v.last_updated, v.content, v.deleted, v.sealed"
    " FROM document_versions v JOIN documents d ON d.id = v.id WHERE d.audience = {}"
)

Json = dict[str, Any]


def rows(database: Database, sql: str) -> list[tuple[Any, ...]]:
    with database.engine.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(sql)]


def current(database: Database, audience: int | None = None) -> dict[str, tuple[Any, ...]]:
    """Every live document, without version and time, whose it is, and its index."""
    where = "" if audience is None else f" AND audience = {audience}"
    theirs = ">= 0" if audience is None else f"= {audience}"
    found = {
        f"{number}:{kind}/{one}": (OURS.sub(b"", bytes(content)), whose)
        for number, kind, one, content, *whose in rows(
            database,
            f"SELECT audience, type, id, content, {WHOSE} FROM documents WHERE NOT deleted{where}",
        )
    }
    for table, select in INDEXES.items():
        for row in rows(database, f"{select} {theirs}"):
            found.setdefault(f"{table}: {row}", ())
    return found


def everything(database: Database, audience: int) -> dict[str, set[Any]]:
    """All that a reader of this audience can tell: bytes, versions, times, history, events."""
    asked = {
        "documents": f"SELECT id, type, version, last_updated, content, deleted, subject"
        f" FROM documents WHERE audience = {audience}",
        "versions": OF_VERSIONS.format(audience),
        "events": f"SELECT id, version, type, kind, at FROM events WHERE audience = {audience}",
        **{table: f"{select} = {audience}" for table, select in INDEXES.items()},
    }
    return {
        name: {
            tuple(bytes(x) if isinstance(x, memoryview) else x for x in row)
            for row in rows(database, sql)
        }
        for name, sql in asked.items()
    }
