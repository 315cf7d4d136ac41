"""Enrolling people and moving enrolments, within the group's capacity and past nobody."""

from datetime import datetime

from sqlmodel import Session, select

from service.commands import ChangeEnrollment, Enroll
from service.enrollments.history import (
    ACTIVE,
    FINISHED,
    OFFERED,
    ON_HOLD,
    PROPOSED,
    WAITLISTED,
    begin,
    move,
)
from service.enrollments.seats import check_ahead, require_seat
from service.enrollments.waitlist import promote, put_first, put_last, settle
from service.errors import BusinessRuleError, DuplicateError, InvalidError
from service.groups import require_open
from service.models.enrollments import Enrollment, EnrollmentStatus
from service.models.groups import SupportGroup
from service.patients import current
from service.restrictions import require_unrestricted
from service.rows import check_version, get, require_offset
from service.rules import require_agreement

MOVES = {
    PROPOSED: {WAITLISTED, ACTIVE, FINISHED},
    WAITLISTED: {ACTIVE, FINISHED},
    OFFERED: {ACTIVE, FINISHED},
    ACTIVE: {ON_HOLD, FINISHED},
    ON_HOLD: {ACTIVE, FINISHED},
    FINISHED: set[EnrollmentStatus](),
}


def enroll(session: Session, command: Enroll, now: datetime) -> Enrollment:
    """Propose, wait-list or enrol a person; who is wait-listed may be offered a seat at once.

    Raises:
        DuplicateError: an enrolment in this group has not finished.
        BusinessRuleError: the group does not enrol, is full, or others wait.
    """
    current(session, command.patient_id, "patient_id")
    require_unrestricted(session, command.patient_id, now, "patient_id")
    group = get(session, SupportGroup, command.group_id)
    require_open(session, group, now)
    if command.status not in {PROPOSED, WAITLISTED, ACTIVE}:
        raise BusinessRuleError("begins as proposed, waitlisted or active", element="status")
    check_ahead(command)
    settle(session, group, now)
    _refuse_second(session, command)
    if command.status is ACTIVE:
        require_agreement(session, group, command.patient_id, now)
        require_seat(session, group, None, ahead=command.ahead_of_waitlist)
    start = require_offset(command.start or now, "start")
    row = Enrollment(
        patient_id=command.patient_id, group_id=group.id, status=command.status, start=start
    )
    if row.status is WAITLISTED:
        _queue(session, row, ahead=command.ahead_of_waitlist)
    begin(session, row, reason=command.reason)
    promote(session, group, now)
    return row


def change_enrollment(session: Session, command: ChangeEnrollment, now: datetime) -> Enrollment:
    """Move an enrolment to another status; the history keeps the one before."""
    row = get(session, Enrollment, command.enrollment_id)
    group = get(session, SupportGroup, row.group_id)
    settle(session, group, now, row)
    check_version(row, command.if_match)
    until = _until(command, at := require_offset(command.at or now, "at"))
    if command.status is row.status and (until is None or until == row.until):
        return row
    if command.status is not FINISHED:  # anybody may leave
        require_unrestricted(session, row.patient_id, now)
    _check_move(session, group, row, command, now)
    if command.status is WAITLISTED:
        _queue(session, row, ahead=command.ahead_of_waitlist)
    move(session, row, command.status, at=at, reason=command.reason, until=until)
    promote(session, group, now)
    return row


def _check_move(
    session: Session,
    group: SupportGroup,
    row: Enrollment,
    command: ChangeEnrollment,
    now: datetime,
) -> None:
    longer = command.status is row.status is ON_HOLD
    if command.status not in MOVES[row.status] and not longer:
        legal = ", ".join(sorted(one.value for one in MOVES[row.status])) or "nothing"
        message = f"an enrolment that is {row.status.value} can become {legal}"
        raise BusinessRuleError(message, element="status")
    check_ahead(command)
    if command.status is not ACTIVE:
        return
    if row.status is not ON_HOLD:
        require_open(session, group, now)
    if row.status not in {ON_HOLD, OFFERED}:  # whose seat is kept
        require_seat(session, group, row, ahead=command.ahead_of_waitlist)
    require_agreement(session, group, row.patient_id, now)


def _until(command: ChangeEnrollment, at: datetime) -> datetime | None:
    if command.until is None:
        return None
    if command.status is not ON_HOLD:
        raise BusinessRuleError("is when a hold ends", element="until")
    until = require_offset(command.until, "until")
    if until <= at:
        raise InvalidError("must lie after the hold begins", element="until")
    return until


def _queue(session: Session, row: Enrollment, *, ahead: bool) -> None:
    (put_first if ahead else put_last)(session, row)


def _refuse_second(session: Session, command: Enroll) -> None:
    statement = select(Enrollment.id).where(
        Enrollment.patient_id == command.patient_id,
        Enrollment.group_id == command.group_id,
        Enrollment.status != FINISHED,
    )
    if session.exec(statement).first():
        raise DuplicateError("the person is enrolled in this group already", element="patient_id")
