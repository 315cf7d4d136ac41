"""Enrolments: from proposal to end, within the group's capacity."""

from datetime import datetime

from sqlmodel import Session, col, func, select

from service.commands import ChangeEnrollment, Enroll
from service.errors import BusinessRuleError, DuplicateError
from service.groups import require_open
from service.models.enrollments import Enrollment, EnrollmentStatus, EnrollmentStatusChange
from service.models.groups import SupportGroup
from service.patients import current
from service.rows import check_version, get, require_offset, require_text

PROPOSED, WAITLISTED, ACTIVE, ON_HOLD, FINISHED = EnrollmentStatus
MOVES = {
    PROPOSED: {WAITLISTED, ACTIVE, FINISHED},
    WAITLISTED: {ACTIVE, FINISHED},
    ACTIVE: {ON_HOLD, FINISHED},
    ON_HOLD: {ACTIVE, FINISHED},
    FINISHED: set[EnrollmentStatus](),
}
SEATED = (ACTIVE, ON_HOLD)


def enroll(session: Session, command: Enroll, now: datetime) -> Enrollment:
    """Propose, wait-list or enrol a person.

    Raises:
        DuplicateError: an enrolment in this group has not finished.
        BusinessRuleError: the group does not enrol, or is full.
    """
    current(session, command.patient_id, "patient_id")
    group = get(session, SupportGroup, command.group_id)
    require_open(session, group, now)
    if command.status not in {PROPOSED, WAITLISTED, ACTIVE}:
        raise BusinessRuleError("begins as proposed, waitlisted or active", element="status")
    _refuse_second(session, command)
    if command.status is ACTIVE:
        _require_seat(session, group)
    start = require_offset(command.start or now, "start")
    row = Enrollment(
        patient_id=command.patient_id, group_id=group.id, status=command.status, start=start
    )
    session.add(row)
    session.add(EnrollmentStatusChange(enrollment_id=row.id, status=row.status, start=start))
    return row


def change_enrollment(session: Session, command: ChangeEnrollment, now: datetime) -> Enrollment:
    """Move an enrolment to another status; the history keeps the one before."""
    row = get(session, Enrollment, command.enrollment_id)
    check_version(row, command.if_match)
    if command.status is row.status:
        return row
    if command.status not in MOVES[row.status]:
        legal = ", ".join(sorted(one.value for one in MOVES[row.status])) or "nothing"
        message = f"an enrolment that is {row.status.value} can become {legal}"
        raise BusinessRuleError(message, element="status")
    at = require_offset(command.at or now, "at")
    if command.status is ACTIVE and row.status in {PROPOSED, WAITLISTED}:
        group = get(session, SupportGroup, row.group_id)
        require_open(session, group, now)
        _require_seat(session, group)
    _move(session, row, command, at)
    return row


def _move(session: Session, row: Enrollment, command: ChangeEnrollment, at: datetime) -> None:
    last = session.exec(
        select(EnrollmentStatusChange).where(
            EnrollmentStatusChange.enrollment_id == row.id,
            col(EnrollmentStatusChange.end).is_(None),
        )
    ).one()
    if at < last.start:
        raise BusinessRuleError("must not lie before the last change", element="at")
    if command.status is FINISHED:
        require_text(command.reason, "reason")
        row.end, row.finish_reason = at, command.reason
    elif row.status in {PROPOSED, WAITLISTED} and command.status is ACTIVE:
        row.start = at  # membership begins now; the history keeps the wait
    row.status = command.status
    last.end = at
    session.add(
        EnrollmentStatusChange(
            enrollment_id=row.id,
            status=row.status,
            start=at,
            end=at if row.status is FINISHED else None,
            reason=command.reason,
        )
    )


def _refuse_second(session: Session, command: Enroll) -> None:
    statement = select(Enrollment.id).where(
        Enrollment.patient_id == command.patient_id,
        Enrollment.group_id == command.group_id,
        Enrollment.status != FINISHED,
    )
    if session.exec(statement).first():
        raise DuplicateError("the person is enrolled in this group already", element="patient_id")


def _require_seat(session: Session, group: SupportGroup) -> None:
    taken = session.exec(
        select(func.count()).where(
            Enrollment.group_id == group.id, col(Enrollment.status).in_(SEATED)
        )
    ).one()
    if taken >= group.capacity:
        raise BusinessRuleError("the group is full; enrol as waitlisted", element="status")
