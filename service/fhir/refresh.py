"""What the clock brings: consents (ADR 0005), offers and holds (ADR 0022), measurements (ADR 0047).

Whoever answers next settles it first; so does `alongside settle`, without anybody asking.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, delete
from sqlmodel import Session as DbSession
from sqlmodel import col, select

from service.clock import Clock, microseconds
from service.commands import SettleGroup
from service.database import Database
from service.driver import fetched
from service.enrollments import settle_group
from service.fhir.measured_sources import MEASURED
from service.guard import touch
from service.models.aggregates import Aggregate, group_aggregate, patient_aggregate
from service.models.consents import Consent
from service.models.documents import DueKind, ProjectionDue
from service.models.enrollments import Enrollment
from service.models.subjects import Restriction
from service.restrictions import end_by_clock

DUE = "SELECT 1 FROM projection_due WHERE at <= ? LIMIT 1"
ALL_DUE = "SELECT kind, key FROM projection_due WHERE at <= ? ORDER BY at, key"


def refresh_due(database: Database, clock: Clock) -> int:
    """Settle everything whose moment has come; return how much there was."""
    now = microseconds(clock())
    due = database.read(lambda session: fetched(session, ALL_DUE, (now,)))
    for kind, key in due:
        if kind == DueKind.CONSENTS.value:
            _refresh_consents(database, key, now, clock)
        elif kind == DueKind.MEASUREMENT.value:
            _measure(database, key, now)
        else:
            _settle(database, key, clock)
    return len(due)


def _refresh_consents(database: Database, patient: str, now: int, clock: Clock) -> None:
    database.unit_of_work(
        lambda session: _refresh(session, patient, now, clock()), patient_aggregate(UUID(patient))
    )


def _refresh(session: DbSession, patient: str, now: int, moment: datetime) -> None:
    """Touch the consents of the patient that began or ended, and end a restriction.

    Nobody may have been first.
    """
    where = _came(DueKind.CONSENTS, patient, now)
    due = session.exec(select(ProjectionDue.at).where(*where)).first()
    if due is None:
        return
    changed = [
        row
        for row in session.exec(select(Consent).where(Consent.patient_id == UUID(patient)))
        if any(moment and due <= microseconds(moment) <= now for moment in (row.start, row.end))
    ]
    own = select(Restriction).where(Restriction.patient_id == UUID(patient))
    ended = [row for row in session.exec(own).all() if end_by_clock(row, moment)]
    if not changed and not ended:
        session.execute(delete(ProjectionDue).where(*where))
    for row in changed:
        touch(session, row)


def _settle(database: Database, key: str, clock: Clock) -> None:
    """Settle the group of this enrolment, which settles what else is due in it."""
    enrollment_id = UUID(key)
    row = database.read(lambda session: session.get(Enrollment, enrollment_id))

    def work(session: DbSession) -> None:
        now = clock()
        if row is not None:
            settle_group(session, SettleGroup(group_id=row.group_id), now)
        found = session.get(Enrollment, enrollment_id)
        if found is None or found.until is None or found.until > now:
            where = _came(DueKind.ENROLLMENT, key, microseconds(now))
            session.execute(delete(ProjectionDue).where(*where))

    database.unit_of_work(work, *_locks(row))


def _measure(database: Database, key: str, now: int) -> None:
    """Render what this enrolment is asked for, and note when that changes next.

    Somebody may have been first, and the enrolment may be gone.
    """
    row = database.read(lambda session: session.get(Enrollment, UUID(key)))

    def work(session: DbSession) -> None:
        where = _came(DueKind.MEASUREMENT, key, now)
        if session.exec(select(ProjectionDue.at).where(*where)).first() is None:
            return
        found = session.get(Enrollment, UUID(key))
        session.execute(delete(ProjectionDue).where(*where))
        if found is not None:
            touch(session, found, MEASURED)

    database.unit_of_work(work, *_locks(row))


def _came(kind: DueKind, key: str, now: int) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions by which what is noted has come to its time."""
    return (
        col(ProjectionDue.kind) == kind,
        col(ProjectionDue.key) == key,
        col(ProjectionDue.at) <= now,
    )


def _locks(row: Enrollment | None) -> list[Aggregate]:
    return [group_aggregate(row.group_id), patient_aggregate(row.patient_id)] if row else []
