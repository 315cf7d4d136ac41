"""The statuses an enrolment has had: each change ends one and begins the next."""

from datetime import datetime

from sqlmodel import Session, col, select

from service.errors import BusinessRuleError
from service.models.enrollments import Enrollment, EnrollmentStatus, EnrollmentStatusChange
from service.rows import require_text

PROPOSED, WAITLISTED, OFFERED, ACTIVE, ON_HOLD, FINISHED = EnrollmentStatus
NOT_YET = (PROPOSED, WAITLISTED, OFFERED)


def begin(session: Session, row: Enrollment, *, reason: str | None) -> None:
    """Write a new enrolment with the first of its statuses."""
    session.add(row)
    session.add(
        EnrollmentStatusChange(
            enrollment_id=row.id, status=row.status, start=row.start, reason=reason
        )
    )
    session.flush()


def move(
    session: Session,
    row: Enrollment,
    status: EnrollmentStatus,
    *,
    at: datetime,
    reason: str | None,
    until: datetime | None = None,
) -> None:
    """Give it another status from `at` on, which nobody else decided: it may lie in the past.

    Raises:
        BusinessRuleError: `at` lies before the last change.
        RequiredError: an end or a hold has no reason.
    """
    last = _present(session, row)
    if at < last.start:
        raise BusinessRuleError("must not lie before the last change", element="at")
    if status in {ON_HOLD, FINISHED}:
        require_text(reason, "reason")
    if status is FINISHED:
        row.end, row.finish_reason = at, reason
    elif status is ACTIVE and row.status in NOT_YET:
        row.start = at  # membership begins now; the history keeps the wait
    row.status, row.until, last.end = status, until, at
    end = at if status is FINISHED else None
    session.add(
        EnrollmentStatusChange(
            enrollment_id=row.id, status=status, start=at, end=end, reason=reason
        )
    )
    session.flush()


def move_now(
    session: Session,
    row: Enrollment,
    status: EnrollmentStatus,
    *,
    now: datetime,
    reason: str,
    until: datetime | None = None,
) -> None:
    """Give it another status at once; after the last change, though another clock made that."""
    at = max(now, _present(session, row).start)
    move(session, row, status, at=at, reason=reason, until=until)


def _present(session: Session, row: Enrollment) -> EnrollmentStatusChange:
    return session.exec(
        select(EnrollmentStatusChange).where(
            EnrollmentStatusChange.enrollment_id == row.id,
            col(EnrollmentStatusChange.end).is_(None),
        )
    ).one()
