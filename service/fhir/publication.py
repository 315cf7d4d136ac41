"""Definitions as public documents: written when the software is installed, not made from rows.

https://hl7.org/fhir/R4/conformance-module.html
"""

from collections.abc import Iterable
from typing import Any

from sqlmodel import Session

from service.database import Database
from service.fhir.audiences import identifier_key, public_audience
from service.fhir.documents import Target, Writer, stored_by_id
from service.fhir.mapping import Registry, View
from service.models.aggregates import Aggregate
from service.models.documents import PUBLIC

OURS = "definition:"
KIND = "definition"
PUBLISHED = (
    f"SELECT id FROM documents WHERE audience = {PUBLIC} AND type IN (TYPES)"  # noqa: S608
    f" AND source >= '{OURS}' AND source < '{KIND};' AND NOT deleted"
)


def publish(
    database: Database, registry: Registry, resources: Iterable[dict[str, Any]], lock: Aggregate
) -> None:
    """Serve these definitions and no others; what has not changed keeps its version."""
    found = list(resources)

    def work(session: Session) -> None:
        audience = public_audience(identifier_key(session))
        targets = [
            Target(draft, audience, draft.source, mapping.revision)
            for resource in found
            for mapping in registry.by_kind[KIND]
            if mapping.type == resource["resourceType"]
            for draft in mapping.render(resource, View(audience))
        ]
        wanted = {target.id for target in targets}
        stored = stored_by_id(session, wanted | _published(session, registry))
        writer = Writer(session, database.stamp(session), registry.by_type)
        for target in targets:
            writer.put(target, stored.get(target.id))
        for document_id, document in stored.items():
            if document_id not in wanted:
                writer.remove(document)
        writer.run()

    database.unit_of_work(work, lock)


def _published(session: Session, registry: Registry) -> set[str]:
    names = ", ".join(f"'{mapping.type}'" for mapping in registry.by_kind[KIND])
    rows = session.connection().exec_driver_sql(PUBLISHED.replace("TYPES", names))
    return {row[0] for row in rows}
