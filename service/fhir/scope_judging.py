"""What scopes with `?parameter=value` say of content that is in no index, as of older versions.

It is indexed in a database in memory, and asked by the very condition that searches are asked by.
https://www.sqlite.org/inmemorydb.html
"""

import asyncio
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TypeVar

import orjson

from service.access import Access
from service.fhir.endpoint import Endpoint
from service.fhir.history import Version
from service.fhir.identity import caller_audience
from service.fhir.index_tables import COLUMNS, INDEX_TABLES, INSERTS
from service.fhir.rosters import ROSTER
from service.fhir.search_index import IndexRows, index
from service.fhir.search_values import Condition
from service.fhir.sent_references import Addresses

TABLES = (
    "CREATE TABLE documents (id, number, type, subject, date_low, date_high, deleted)",
    *(
        f"CREATE TABLE document_{table} (document, audience, type, {columns})"
        for table, columns in zip(INDEX_TABLES, COLUMNS, strict=True)
    ),
)
DOCUMENT = "INSERT INTO documents VALUES (?, 0, ?, ?, ?, ?, 0)"
# Nobody else's document is ever in this database: there is no audience to ask for.
IS_WITHIN = "SELECT count(*) FROM {} d WHERE {}"


@dataclass(frozen=True)
class Candidate:
    """A version with the id that its document is stored under, and the key of its patient."""

    version: Version
    stored: str
    patient_key: str | None


Told = TypeVar("Told")


async def granted(
    endpoint: Endpoint, access: Access, found: Sequence[tuple[Candidate, Told]]
) -> list[Told]:
    """Return what comes with the versions that the token may read, by what they say themselves."""
    names = sorted({candidate.version.type for candidate, _ in found})
    limit = endpoint.limits(access, names, "r")
    if limit is None:
        return [told for _, told in found]
    return await asyncio.to_thread(
        lambda: [
            told
            for (_, told), is_within in zip(
                found, _judged(endpoint, access, limit, [one for one, _ in found]), strict=True
            )
            if is_within
        ]
    )


def _judged(
    endpoint: Endpoint, access: Access, limit: Condition, candidates: Sequence[Candidate]
) -> Iterator[bool]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as scratch:
        for table in TABLES:
            scratch.execute(table)
        for candidate in candidates:
            yield not candidate.version.deleted and _is_within(
                scratch, endpoint, access, limit, candidate
            )


def _is_within(
    scratch: sqlite3.Connection,
    endpoint: Endpoint,
    access: Access,
    limit: Condition,
    candidate: Candidate,
) -> bool:
    scratch.execute("BEGIN")
    try:
        _keep(scratch, endpoint, access, candidate)
        sql = IS_WITHIN.format("documents", limit.sql)
        ((count,),) = scratch.execute(sql, limit.args)
    finally:
        scratch.execute("ROLLBACK")
    return bool(count)


def _keep(
    scratch: sqlite3.Connection, endpoint: Endpoint, access: Access, candidate: Candidate
) -> None:
    rows, subject = _indexed(endpoint, access, candidate)
    name, stored = candidate.version.type, candidate.stored
    scratch.execute(DOCUMENT, (stored, name, subject, rows.low, rows.high))
    for statement, of_table in zip(INSERTS, rows.tables, strict=True):
        scratch.executemany(statement, [(0, access.audience, name, *row) for row in of_table])


def _indexed(
    endpoint: Endpoint, access: Access, candidate: Candidate
) -> tuple[IndexRows, str | None]:
    """Return the index rows of the version, and the id of the Patient whom it is about."""
    audience = caller_audience(endpoint.key, access)
    key, name = candidate.patient_key, candidate.version.type
    subject = audience.id("Patient", f"patient:{key}") if key and name != ROSTER else None
    resource = orjson.loads(candidate.version.content)
    rows = index(
        resource,
        endpoint.registry.by_type[name],
        meta=resource.get("meta", {}),
        subject=subject,
        locate=Addresses(endpoint.base, audience).locate,
    )
    return rows, subject
