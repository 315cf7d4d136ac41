"""Each command with the function that executes it and the locks it begins with."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session as DbSession
from sqlmodel import col, select

from service import (
    attendance,
    commands,
    connections,
    consents,
    enrollments,
    facilitators,
    groups,
    links,
    patients,
    screening,
    sessions,
)
from service.database import Database
from service.models.aggregates import Aggregate, group_aggregate, patient_aggregate
from service.models.consents import Consent
from service.models.enrollments import Enrollment
from service.models.groups import Session
from service.models.patients import Link
from service.models.screening import Response
from service.rows import get

Locks = Callable[[DbSession, Any], Iterable[Aggregate]]


@dataclass(frozen=True)
class Handler:
    """`locks` may read what never changes, such as an enrolment's group, before the locks."""

    run: Callable[[DbSession, Any, datetime], Any]
    locks: Locks


def execute(database: Database, command: Any) -> Any:  # noqa: ANN401 - each command has its result
    """Run one command in a unit of work and return what its function returns."""
    handler = HANDLERS[type(command)]
    aggregates = database.read(lambda session: list(handler.locks(session, command)))
    return database.unit_of_work(
        lambda session: handler.run(session, command, database.clock()), *aggregates
    )


def execute_within(session: DbSession, database: Database, command: Any) -> Any:  # noqa: ANN401
    """Run one command in a unit of work that has begun already."""
    handler = HANDLERS[type(command)]
    database.lock(session, *handler.locks(session, command))
    return handler.run(session, command, database.clock())


def _alone(kind: str) -> Locks:
    return lambda _session, _command: [Aggregate(kind, "all")]


def _patient(_session: DbSession, command: Any) -> list[Aggregate]:  # noqa: ANN401
    return [patient_aggregate(command.patient_id)]


def _group(_session: DbSession, command: Any) -> list[Aggregate]:  # noqa: ANN401
    return [group_aggregate(command.group_id)]


def _both(session: DbSession, command: Any) -> list[Aggregate]:  # noqa: ANN401
    group = _group(session, command) if command.group_id else []
    return [*_patient(session, command), *group]


def with_groups(session: DbSession, patient_id: UUID) -> list[Aggregate]:
    """Return a patient and the groups whose documents follow the patient's consents."""
    mine = select(Enrollment.group_id).where(col(Enrollment.patient_id) == patient_id)
    found = {group_aggregate(group) for group in session.exec(mine)}
    return [patient_aggregate(patient_id), *found]


def _linking(session: DbSession, command: commands.LinkPatient) -> list[Aggregate]:
    record = Aggregate("record", command.connection_id.hex)  # a record is linked once
    return [record, *with_groups(session, command.patient_id)]


def _session(session: DbSession, command: Any) -> list[Aggregate]:  # noqa: ANN401
    return [group_aggregate(get(session, Session, command.session_id).group_id)]


def _enrollment(session: DbSession, command: commands.ChangeEnrollment) -> list[Aggregate]:
    row = get(session, Enrollment, command.enrollment_id)
    return [patient_aggregate(row.patient_id), group_aggregate(row.group_id)]


def _link(session: DbSession, command: commands.UndoLink) -> list[Aggregate]:
    return with_groups(session, get(session, Link, command.link_id).patient_id)


def _consent(session: DbSession, command: commands.WithdrawConsent) -> list[Aggregate]:
    return with_groups(session, get(session, Consent, command.consent_id).patient_id)


def _response(session: DbSession, command: commands.CorrectResponse) -> list[Aggregate]:
    row = get(session, Response, command.response_id)
    group = [group_aggregate(row.group_id)] if row.group_id else []
    return [patient_aggregate(row.patient_id), *group]


HANDLERS: dict[type, Handler] = {
    commands.CreateConnection: Handler(connections.create_connection, _alone("connections")),
    commands.CreateFacility: Handler(connections.create_facility, _alone("facilities")),
    commands.CreatePlace: Handler(facilitators.create_place, _alone("places")),
    commands.CreateFacilitator: Handler(facilitators.create_facilitator, _alone("facilitators")),
    commands.CreatePatient: Handler(patients.create_patient, lambda *_: ()),
    commands.UpdatePatient: Handler(patients.update_patient, _patient),
    commands.LinkPatient: Handler(links.link_patient, _linking),
    commands.UndoLink: Handler(links.undo_link, _link),
    commands.CreateGroup: Handler(groups.create_group, lambda *_: ()),
    commands.UpdateGroup: Handler(groups.update_group, _group),
    commands.CreateSession: Handler(sessions.create_session, _group),
    commands.UpdateSession: Handler(sessions.update_session, _session),
    commands.Enroll: Handler(enrollments.enroll, _both),
    commands.ChangeEnrollment: Handler(enrollments.change_enrollment, _enrollment),
    commands.RecordAttendance: Handler(attendance.record_attendance, _session),
    commands.RecordResponse: Handler(screening.record_response, _both),
    commands.CorrectResponse: Handler(screening.correct_response, _response),
    commands.RecordConsent: Handler(
        consents.record_consent, lambda session, c: with_groups(session, c.patient_id)
    ),
    commands.WithdrawConsent: Handler(consents.withdraw_consent, _consent),
}
