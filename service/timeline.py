"""One patient's enrolments, attendance, questionnaire totals and consents, in the order of time."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, or_
from sqlalchemy import select as select_columns
from sqlmodel import Session as DbSession
from sqlmodel import col

from service.instruments import instrument
from service.models.consents import Category, Consent, Decision
from service.models.enrollments import (
    Attendance,
    AttendanceMark,
    Enrollment,
    EnrollmentStatus,
    EnrollmentStatusChange,
)
from service.models.groups import Session
from service.models.patients import Patient
from service.models.screening import Response, ResponseStatus
from service.rows import get

Columns = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Something that happened; `kind` and `id` order what happened at the same moment."""

    at: datetime
    kind: str
    id: UUID

    @property
    def key(self) -> tuple[datetime, str, UUID]:
        """Return the place in the order, which the next page begins after."""
        return self.at, self.kind, self.id


@dataclass(frozen=True, kw_only=True)
class EnrollmentEntry(Entry):
    """An enrolment got this status."""

    enrollment_id: UUID
    group_id: UUID
    status: EnrollmentStatus
    reason: str | None


@dataclass(frozen=True, kw_only=True)
class AttendanceEntry(Entry):
    """A session began, which the person attended or missed."""

    session_id: UUID
    group_id: UUID
    mark: AttendanceMark


@dataclass(frozen=True, kw_only=True)
class ResponseEntry(Entry):
    """A questionnaire was filled in."""

    instrument: str
    status: ResponseStatus
    total: int | None
    band: str | None


@dataclass(frozen=True, kw_only=True)
class ConsentEntry(Entry):
    """A permit or denial began, or was withdrawn."""

    consent_id: UUID
    connection_id: UUID
    category: Category | None
    categories: list[Category]
    decision: Decision
    withdrawn: bool


Key = tuple[datetime, str, UUID]


@dataclass(frozen=True)
class Source:
    """Where entries of one kind come from: whose they are, and the columns `at`, `id` and more."""

    kind: str
    patient_id: Any
    columns: dict[str, Any]
    make: Callable[[str, Columns], Entry]
    join: tuple[Any, Any] | None = None

    @property
    def at(self) -> Any:  # noqa: ANN401 - a column
        return self.columns["at"]

    @property
    def id(self) -> Any:  # noqa: ANN401 - a column
        return self.columns["id"]

    def statement(self) -> Select[Any]:
        found = select_columns(*(column.label(name) for name, column in self.columns.items()))
        return found.join(*self.join) if self.join else found


def timeline(
    session: DbSession, patient_id: UUID, *, after: Key | None = None, limit: int
) -> list[Entry]:
    """Return up to `limit` entries of one person, oldest first, after the key of another."""
    get(session, Patient, patient_id)
    found = [
        entry for source in SOURCES for entry in _entries(session, source, patient_id, after, limit)
    ]
    return sorted(found, key=lambda entry: entry.key)[:limit]


def _entries(
    session: DbSession, source: Source, patient_id: UUID, after: Key | None, limit: int
) -> Iterable[Entry]:
    statement = source.statement().where(source.patient_id == patient_id, source.at.is_not(None))
    if after is not None:
        statement = statement.where(_follows(source, after))
    rows = session.execute(statement.order_by(source.at, source.id).limit(limit)).mappings()
    return [source.make(source.kind, cast("Columns", row)) for row in rows]


def _follows(source: Source, after: Key) -> ColumnElement[bool]:
    at, kind, last = after
    later: ColumnElement[bool] = source.at > at
    if source.kind < kind:
        return later
    if source.kind > kind:
        return or_(later, source.at == at)
    return or_(later, and_(source.at == at, source.id > last))


def _enrollment(kind: str, values: Columns) -> Entry:
    return EnrollmentEntry(kind=kind, **values)


def _attendance(kind: str, values: Columns) -> Entry:
    return AttendanceEntry(kind=kind, **values)


def _response(kind: str, values: Columns) -> Entry:
    given = dict(values)
    definition = instrument(given["instrument"], given.pop("instrument_version"))
    band = definition.band(given["total"]) if given["total"] is not None else None
    return ResponseEntry(kind=kind, **given, band=band.label if band else None)


def _consent(kind: str, values: Columns) -> Entry:
    withdrawn = kind == WITHDRAWAL
    said = [Category(one) for one in values["categories"]]
    return ConsentEntry(
        kind=kind,
        **{**values, "categories": said},
        category=said[0] if len(said) == 1 else None,
        consent_id=values["id"],
        withdrawn=withdrawn,
    )


WITHDRAWAL = "consent-withdrawal"
ATTENDED = {
    "at": col(Session.start),
    "id": col(Attendance.id),
    "session_id": col(Session.id),
    "group_id": col(Session.group_id),
    "mark": col(Attendance.mark),
}
CONSENTED = {
    "at": col(Consent.start),
    "id": col(Consent.id),
    "connection_id": col(Consent.connection_id),
    "categories": col(Consent.categories),
    "decision": col(Consent.decision),
}
ENROLLED = {
    "at": col(EnrollmentStatusChange.start),
    "id": col(EnrollmentStatusChange.id),
    "enrollment_id": col(Enrollment.id),
    "group_id": col(Enrollment.group_id),
    "status": col(EnrollmentStatusChange.status),
    "reason": col(EnrollmentStatusChange.reason),
}
ANSWERED = {
    "at": col(Response.authored),
    "id": col(Response.id),
    "instrument": col(Response.instrument),
    "instrument_version": col(Response.instrument_version),
    "status": col(Response.status),
    "total": col(Response.total),
}
SOURCES = (
    Source(
        "attendance",
        col(Attendance.patient_id),
        ATTENDED,
        _attendance,
        (Session, col(Session.id) == col(Attendance.session_id)),
    ),
    Source("consent", col(Consent.patient_id), CONSENTED, _consent),
    Source(
        WITHDRAWAL,
        col(Consent.patient_id),
        {**CONSENTED, "at": col(Consent.withdrawn_at)},
        _consent,
    ),
    Source(
        "enrollment",
        col(Enrollment.patient_id),
        ENROLLED,
        _enrollment,
        (Enrollment, col(Enrollment.id) == col(EnrollmentStatusChange.enrollment_id)),
    ),
    Source("response", col(Response.patient_id), ANSWERED, _response),
)
