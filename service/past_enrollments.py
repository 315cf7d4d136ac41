"""Memberships that are over when they are recorded, as an import of earlier years has them."""

from datetime import datetime

from sqlmodel import Session, col, or_, select

from service.commands import RecordPastEnrollment
from service.errors import BusinessRuleError, DuplicateError, InvalidError
from service.models.enrollments import Enrollment, EnrollmentStatus, EnrollmentStatusChange
from service.models.groups import GroupStatus, SupportGroup
from service.patients import current
from service.restrictions import require_unrestricted
from service.rows import get, require_offset, require_text

ACTIVE, FINISHED = EnrollmentStatus.ACTIVE, EnrollmentStatus.FINISHED


def record_past_enrollment(
    session: Session, command: RecordPastEnrollment, now: datetime
) -> Enrollment:
    """Record that a person was in a group, from when until when, and why it ended.

    Raises:
        DuplicateError: the person was in the group during that time already.
        BusinessRuleError: nobody can have been in a group that is a draft.
    """
    current(session, command.patient_id, "patient_id")
    require_unrestricted(session, command.patient_id, now, "patient_id")
    group = get(session, SupportGroup, command.group_id, "group_id")
    if group.status is GroupStatus.DRAFT:
        raise BusinessRuleError("the group is a draft; nobody was in it", element="group_id")
    require_text(command.reason, "reason")
    start, end = require_offset(command.start, "start"), require_offset(command.end, "end")
    if end <= start:
        raise InvalidError("must lie after the start", element="end")
    if end > now:
        raise InvalidError("must not lie in the future", element="end")
    _refuse_overlap(session, command, start, end)
    return _add(session, command, start, end)


def _refuse_overlap(
    session: Session, command: RecordPastEnrollment, start: datetime, end: datetime
) -> None:
    statement = select(Enrollment.id).where(
        Enrollment.patient_id == command.patient_id,
        Enrollment.group_id == command.group_id,
        col(Enrollment.guest).is_(False),
        Enrollment.start < end,
        or_(col(Enrollment.end).is_(None), col(Enrollment.end) > start),
    )
    if session.exec(statement).first():
        rule = "the person was in this group during that time already"
        raise DuplicateError(rule, element="start")


def _add(
    session: Session, command: RecordPastEnrollment, start: datetime, end: datetime
) -> Enrollment:
    row = Enrollment(
        patient_id=command.patient_id,
        group_id=command.group_id,
        status=FINISHED,
        start=start,
        end=end,
        finish_reason=command.reason,
    )
    was = EnrollmentStatusChange(enrollment_id=row.id, status=ACTIVE, start=start, end=end)
    left = EnrollmentStatusChange(
        enrollment_id=row.id, status=FINISHED, start=end, end=end, reason=command.reason
    )
    session.add_all([row, was, left])
    return row
