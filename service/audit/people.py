"""Whose rows are asked for, and by which id a reader knows the people in them.

https://hl7.org/fhir/R4/auditevent.html
"""

from collections.abc import Collection
from uuid import UUID

from sqlmodel import Session, col, select

from service import driver
from service.audit.pseudonyms import stored
from service.models.patients import Patient

BY_SHOWN = (
    "SELECT source FROM documents WHERE audience = ? AND type = 'Patient'"
    " AND (id = ? OR chosen_id = ?)"
)
BY_SOURCE = (
    "SELECT source, COALESCE(chosen_id, id) FROM documents"
    " WHERE source IN ({marks}) AND audience = ? AND type = 'Patient'"
)
SOURCE = "patient:"


def patient_shown(session: Session, audience: int, stored_id: str, shown: str) -> UUID | None:
    """Return whose Patient this is, though it may be served no more."""
    for (source,) in driver.fetched(session, BY_SHOWN, (audience, stored_id, shown)):
        if source.startswith(SOURCE):
            return UUID(source.removeprefix(SOURCE))
    return None


def shown_ids(session: Session, audience: int, patients: Collection[UUID]) -> dict[UUID, str]:
    """Return the ids of these people's Patients in an audience, where there is one."""
    found: dict[UUID, str] = {}
    for part in driver.chunks(patients):
        sources = [SOURCE + UUID(str(each)).hex for each in part]
        sql = driver.marks(BY_SOURCE, sources)
        for source, shown in driver.fetched(session, sql, (*sources, audience)):
            found[UUID(source.removeprefix(SOURCE))] = shown
    return found


def with_merged(session: Session, patient_id: UUID) -> set[UUID]:
    """Return the person with every record that was merged into theirs."""
    found, new = {patient_id}, [patient_id]
    while new:
        statement = select(Patient.id).where(col(Patient.merged_into_id).in_(new))
        new = [each for each in session.exec(statement) if each not in found]
        found |= set(new)
    return found


def names_in_rows(session: Session, patients: Collection[UUID]) -> set[str]:
    """Return what rows call these people: ids where they are from before there were pseudonyms."""
    known = stored(session, patients).values()
    return {each.pseudonym for each in known if each} | {each.hex for each in patients}
