"""Makes index rows anew where documents have those of an older revision of the index.

No version comes to be: what is found by changes, what is served does not. Each batch is one
transaction, and a document says which index it has, so that what was stopped goes on.
"""

from collections.abc import Callable
from typing import Any

import orjson
from sqlmodel import Session

from service.database import Database
from service.fhir.audiences import (
    connection_audiences,
    identifier_key,
    programme_audience,
    public_audience,
)
from service.fhir.documents import Writer
from service.fhir.mapping import Audience, Owner, Registry, ResourceType
from service.fhir.search_index import REVISION, IndexRows, Locate, index, relative
from service.fhir.sent_references import Addresses, Place, references, unsearched
from service.fhir.statements import rows_of

BATCH = 300
OLDER = "SELECT count(*) FROM documents WHERE audience >= 0 AND indexed < ?"
# Whoever writes one of these waits until it is indexed, or was first and has indexed it.
NEXT = (
    "SELECT number, audience, type, content, subject, deleted, owner FROM documents"
    " WHERE indexed < ? ORDER BY indexed, id LIMIT ?"
)
DONE = "UPDATE documents SET date_low = ?, date_high = ?, indexed = ? WHERE number = ?"

Progress = Callable[[int, int], None]


def reindex(
    database: Database, registry: Registry, *, base: str, progress: Progress | None = None
) -> int:
    """Index every older document anew; return how many there were.

    `base` is the address of the FHIR endpoint, which absolute references may begin with;
    `progress` is told how many are done, of how many.
    """
    total = database.read(lambda session: int(rows_of(session, OLDER, (REVISION,))[0][0]))
    done = 0
    while found := database.unit_of_work(lambda session: _batch(session, registry, base)):
        done += found
        if progress is not None:
            progress(done, max(total, done))
    return done


def _batch(session: Session, registry: Registry, base: str) -> int:
    connection = session.connection()
    sqlite = connection.dialect.name == "sqlite"
    rows = rows_of(session, NEXT if sqlite else f"{NEXT} FOR UPDATE", (REVISION, BATCH))
    if not rows:
        return 0
    audiences = _audiences(session)
    writer = Writer(session, 0, registry.by_type)
    updates = []
    for number, audience, name, content, subject, deleted, owner in rows:
        writer.clear(number)
        made, kind = IndexRows(), registry.by_type.get(name)
        if kind is not None and not deleted:
            there = audiences.get(audience)
            locate = Addresses(base, there).locate if there else relative
            made = _index(kind, bytes(content), subject, locate)
            if owner == Owner.CLIENT.value:
                made.references.update(_unsearched(made, bytes(content), locate))
            writer.index(number, audience, name, made)
        updates.append((made.low, made.high, REVISION, number))
    writer.run()
    connection.exec_driver_sql(DONE if sqlite else DONE.replace("?", "%s"), updates)
    return len(rows)


def _index(kind: ResourceType, content: bytes, subject: str | None, locate: Locate) -> IndexRows:
    resource: dict[str, Any] = orjson.loads(content)
    return index(resource, kind, meta=resource.get("meta", {}), subject=subject, locate=locate)


def _unsearched(rows: IndexRows, content: bytes, locate: Locate) -> set[tuple[str, str, str]]:
    found = (locate(one.value["reference"]) for one in references(orjson.loads(content), ""))
    return unsearched(rows, [Place(*place) for place in found if place is not None])


def _audiences(session: Session) -> dict[int, Audience]:
    key = identifier_key(session)
    ours = (public_audience(key), programme_audience(key))
    hospitals = connection_audiences(session, key).values()
    return {audience.number: audience for audience in (*ours, *hospitals)}
