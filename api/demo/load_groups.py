"""Loads groups with their enrolments, sessions with their attendance, and questionnaires."""

from dataclasses import replace
from uuid import UUID

from sqlmodel import Session as DbSession
from sqlmodel import col, select

from api.demo.load_people import Ids
from api.demo.plan import EnrollmentPlan, GroupPlan, SeriesPlan, SessionPlan
from service.attendance import record_attendance
from service.commands import (
    ChangeEnrollment,
    CreateSession,
    Enroll,
    Mark,
    RecordAttendance,
    RecordResponse,
    UpdateSession,
)
from service.database import Database
from service.enrollments import change_enrollment, enroll
from service.groups import create_group
from service.models.aggregates import group_aggregate, patient_aggregate
from service.models.groups import Session, SessionStatus, SupportGroup
from service.models.screening import Response
from service.screening import record_response
from service.sessions import create_session, update_session

FACILITATOR = "Facilitator, demo"


def load_group(database: Database, plan: GroupPlan, ids: Ids) -> None:
    """Load a group and who is in it; before its sessions, so that no visit renders twice."""
    name = plan.command.public_name
    of_name = select(SupportGroup.id).where(SupportGroup.public_name == name)

    def work(session: DbSession) -> UUID:
        known = session.exec(of_name).first()
        return known or _create(database, session, plan, ids)

    members = (patient_aggregate(ids.patients[one.patient]) for one in plan.enrollments)
    ids.groups[name] = database.unit_of_work(work, *members)


def _create(database: Database, session: DbSession, plan: GroupPlan, ids: Ids) -> UUID:
    command = replace(
        plan.command,
        place_id=None if plan.place is None else ids.places[plan.place],
        facilitator_id=ids.facilitators[plan.facilitator],
    )
    row = create_group(session, command, database.clock())
    session.flush()
    for one in plan.enrollments:
        _enroll(database, session, one, group_id=row.id, patient_id=ids.patients[one.patient])
    return row.id


def _enroll(
    database: Database,
    session: DbSession,
    plan: EnrollmentPlan,
    *,
    group_id: UUID,
    patient_id: UUID,
) -> None:
    first, *rest = plan.steps
    command = Enroll(patient_id=patient_id, group_id=group_id, status=first.status, start=first.at)
    row = enroll(session, command, database.clock())
    session.flush()
    for step in rest:
        change = ChangeEnrollment(
            enrollment_id=row.id, status=step.status, at=step.at, reason=step.reason
        )
        change_enrollment(session, change, database.clock())
        session.flush()


def load_session(database: Database, group: GroupPlan, plan: SessionPlan, ids: Ids) -> None:
    """Load one meeting: booked, held with its marks, or cancelled."""
    group_id = ids.groups[group.command.public_name]
    known = select(Session.id).where(Session.group_id == group_id, col(Session.start) == plan.start)

    def work(session: DbSession) -> None:
        if session.exec(known).first():
            return
        command = CreateSession(group_id=group_id, start=plan.start, end=plan.end)
        row = create_session(session, command, database.clock())
        session.flush()
        if plan.marks:
            record_attendance(session, _marks(row.id, plan, ids), database.clock())
        if plan.cancel_reason:
            off = UpdateSession(
                session_id=row.id,
                status=SessionStatus.CANCELLED,
                cancel_reason=plan.cancel_reason,
            )
            update_session(session, off, database.clock())

    database.unit_of_work(work, group_aggregate(group_id))


def _marks(session_id: UUID, plan: SessionPlan, ids: Ids) -> RecordAttendance:
    marks = tuple(
        Mark(patient_id=ids.patients[one.patient], mark=one.mark, arrived_at=one.arrived_at)
        for one in plan.marks
    )
    return RecordAttendance(session_id=session_id, marks=marks, recorded_by=FACILITATOR)


def load_series(database: Database, plan: SeriesPlan, ids: Ids) -> None:
    """Load all questionnaires of one person."""
    patient_id, group_id = ids.patients[plan.patient], ids.groups[plan.group]

    def work(session: DbSession) -> None:
        if session.exec(select(Response.id).where(Response.patient_id == patient_id)).first():
            return
        for one in plan.responses:
            command = RecordResponse(
                patient_id=patient_id,
                group_id=group_id,
                instrument=one.instrument,
                answers=one.answers,
                authored=one.authored,
                status=one.status,
            )
            record_response(session, command, database.clock())

    database.unit_of_work(work, patient_aggregate(patient_id), group_aggregate(group_id))
