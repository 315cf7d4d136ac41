"""Transfers: one enrolment ends and another begins, or neither."""

from datetime import datetime

from sqlmodel import Session

from service.commands import Enroll, TransferEnrollment
from service.enrollments.enrolling import enroll
from service.enrollments.history import ACTIVE, FINISHED, WAITLISTED, move
from service.enrollments.waitlist import promote, settle
from service.errors import BusinessRuleError, InvalidError
from service.models.enrollments import Enrollment
from service.models.groups import SupportGroup
from service.rows import check_version, get, require_offset

TRANSFERRED = "transferred"


def transfer_enrollment(session: Session, command: TransferEnrollment, now: datetime) -> Enrollment:
    """Return the new enrolment; the seat that the old one leaves is offered to whoever is next."""
    row = get(session, Enrollment, command.enrollment_id)
    left = get(session, SupportGroup, row.group_id)
    get(session, SupportGroup, command.group_id, "group_id")
    settle(session, left, now, row)
    check_version(row, command.if_match)
    if row.status is FINISHED:
        raise BusinessRuleError("the enrolment is finished: enrol again")
    if command.group_id == row.group_id:
        raise InvalidError("must be another group", element="group_id")
    if command.status not in {ACTIVE, WAITLISTED}:
        raise BusinessRuleError("goes on as active or waitlisted", element="status")
    at = require_offset(command.at or now, "at")
    move(session, row, FINISHED, at=at, reason=TRANSFERRED)
    new = enroll(session, _begun(command, row, at), now)
    new.transferred_from_id = row.id
    promote(session, left, now)
    return new


def _begun(command: TransferEnrollment, row: Enrollment, at: datetime) -> Enroll:
    return Enroll(
        patient_id=row.patient_id,
        group_id=command.group_id,
        status=command.status,
        start=at,
        ahead_of_waitlist=command.ahead_of_waitlist,
        reason=command.reason,
    )
