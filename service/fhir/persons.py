"""Whom a resource that somebody sent is about; every reference of it leads somewhere.

https://hl7.org/fhir/R4/references.html
"""

from uuid import UUID

from sqlmodel import Session as DbSession

from service.errors import MergedError
from service.fhir.changes import Change, Sender
from service.fhir.mapping import Audience
from service.fhir.sent_references import Known, Person, about, by_identifier, require_known
from service.models.patients import Patient
from service.patients import survivor
from service.rows import get


def person(session: DbSession, sender: Sender, known: Known, change: Change) -> Person | None:
    """Return the person whom the resource is about.

    Raises:
        InvalidError: a reference leads to nothing that the caller may see.
        MergedError: it is about a record of the programme that was merged into another.
    """
    if change.lexical is None:
        return None
    require_known(change.places, known)
    element = f"{change.kind.name}.{change.kind.patient_path}"
    found = about(change.kind, change.lexical.value, sender.addresses)
    if isinstance(found, dict):
        identified = f"{element}.identifier"
        place, one = by_identifier(session, sender.access, found, element=identified)
        known[place], found = one, place
    who = None if found is None else known.get(found)
    if who is not None and sender.access.is_programme:  # no hospital has a record that is retired
        _require_current(session, sender.audience, who, element)
    return who


def _require_current(session: DbSession, audience: Audience, who: Person, element: str) -> None:
    row = get(session, Patient, UUID(who.key))
    if row.merged_into_id is not None:
        now = audience.id("Patient", f"patient:{survivor(session, row).id.hex}")
        raise MergedError(f"it was merged into Patient/{now}; refer to that", element=element)
