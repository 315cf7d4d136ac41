"""Consents that begin or end by the clock: their patients are projected again (ADR 0005)."""

from uuid import UUID

from sqlalchemy import delete
from sqlmodel import Session as DbSession
from sqlmodel import col, select

from service.clock import Clock, microseconds
from service.database import Database
from service.guard import touch
from service.models.aggregates import patient_aggregate
from service.models.consents import Consent
from service.models.documents import ProjectionDue

DUE = "SELECT 1 FROM projection_due WHERE at <= ? LIMIT 1"


def refresh_due(database: Database, clock: Clock) -> int:
    """Re-project every patient whose moment has come; return how many there were."""
    now = microseconds(clock())
    patients = database.read(lambda session: _due(session, now))
    for patient in patients:
        database.unit_of_work(
            lambda session, key=patient: _refresh(session, key, now),  # type: ignore[misc]
            patient_aggregate(UUID(patient)),
        )
    return len(patients)


def _due(session: DbSession, now: int) -> list[str]:
    statement = select(ProjectionDue.patient_id).where(col(ProjectionDue.at) <= now)
    return list(session.exec(statement.order_by(col(ProjectionDue.at))))


def _refresh(session: DbSession, patient: str, now: int) -> None:
    """Touch the consents of the patient that began or ended; nobody may have been first."""
    where = (col(ProjectionDue.patient_id) == patient, col(ProjectionDue.at) <= now)
    due = session.exec(select(ProjectionDue.at).where(*where)).first()
    if due is None:
        return
    changed = [
        row
        for row in session.exec(select(Consent).where(Consent.patient_id == UUID(patient)))
        if any(moment and due <= microseconds(moment) <= now for moment in (row.start, row.end))
    ]
    if not changed:
        session.execute(delete(ProjectionDue).where(*where))
    for row in changed:
        touch(session, row)
