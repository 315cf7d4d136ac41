"""Seats of a group: taken by members, by members on hold, and by offers that stand."""

from sqlmodel import Session, col, func, select
from sqlmodel.sql.expression import SelectOfScalar

from service.commands import ChangeEnrollment, Enroll
from service.enrollments.history import ACTIVE, OFFERED, ON_HOLD, WAITLISTED
from service.errors import BusinessRuleError
from service.models.enrollments import Enrollment
from service.models.groups import SupportGroup
from service.restrictions import unlifted
from service.rows import require_text

SEATED = (ACTIVE, ON_HOLD, OFFERED)
FULL = "the group is full; enrol as waitlisted"
OTHERS_WAIT = "others wait for a seat; enrol as waitlisted, or say ahead_of_waitlist with a reason"


def free_seats(session: Session, group: SupportGroup) -> int:
    """Return how many seats nobody has; below zero where capacity was lowered."""
    taken = session.exec(
        select(func.count()).where(
            Enrollment.group_id == group.id, col(Enrollment.status).in_(SEATED)
        )
    ).one()
    return group.capacity - taken


def waiting(group: SupportGroup) -> SelectOfScalar[Enrollment]:
    """Select who waits for a seat now, the first first.

    Not who asked to be passed over, nor who may be offered nothing for now.
    """
    return (
        select(Enrollment)
        .where(
            Enrollment.group_id == group.id,
            Enrollment.status == WAITLISTED,
            col(Enrollment.until).is_(None),
            col(Enrollment.patient_id).not_in(unlifted()),
        )
        .order_by(col(Enrollment.queue_number), col(Enrollment.id))
    )


def require_seat(
    session: Session, group: SupportGroup, row: Enrollment | None, *, ahead: bool
) -> None:
    """Raise BusinessRuleError unless a seat is free for this person, whose turn it is.

    `ahead` lets somebody take a free seat out of turn.
    """
    if free_seats(session, group) < 1:
        raise BusinessRuleError(FULL, element="status")
    first = session.exec(waiting(group).limit(1)).first()
    if first is not None and first is not row and not ahead:
        raise BusinessRuleError(OTHERS_WAIT, element="status")


def check_ahead(command: Enroll | ChangeEnrollment) -> None:
    """Raise InvalidError where somebody is put ahead of others for no seat, or nobody says why."""
    if not command.ahead_of_waitlist:
        return
    if command.status not in {ACTIVE, WAITLISTED}:
        raise BusinessRuleError("is for a seat or a place in line", element="ahead_of_waitlist")
    require_text(command.reason, "reason")
