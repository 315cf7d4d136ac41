"""The waitlist: its order, offers of free seats, and what the clock ends by itself (ADR 0022).

All of it runs under the group's lock, so that it happens once, whoever asks first.
"""

from datetime import datetime, timedelta

from sqlmodel import Session, col, func, select

from service.commands import SettleGroup, UpdateGroup
from service.enrollments.history import (
    ACTIVE,
    FINISHED,
    OFFERED,
    ON_HOLD,
    WAITLISTED,
    move,
    move_now,
)
from service.enrollments.seats import free_seats, waiting
from service.errors import BusinessRuleError
from service.groups import require_open, update_group
from service.models.enrollments import Enrollment
from service.models.groups import Promotion, SupportGroup
from service.rows import get
from service.settings import DEFAULT_OFFER_HOURS

OFFER_HOURS = "offer_hours"  # in a session's info: what holds where a group says nothing
LATER = "offers_later"  # in a session's info: seats are offered once all of it is recorded
MAY_MISS = 1
AT_ONCE = 50  # what one transaction does of each, lest it take too long; the next one goes on
SEAT_FREE = "A seat is free"
HOLD_OVER = "The hold is over"
MISSED = "The offer was not answered in time; now at the end of the waitlist"
MISSED_AGAIN = "A second offer was not answered in time"
WITHDRAWN = "The offer ran out while the group took nobody; the place on the waitlist is kept"


def put_last(session: Session, row: Enrollment) -> None:
    """Give it the last place of its group's waitlist."""
    row.queue_number = _numbers(session, row)[1] + 1


def put_first(session: Session, row: Enrollment) -> None:
    """Give it the first place."""
    row.queue_number = _numbers(session, row)[0] - 1


def _numbers(session: Session, row: Enrollment) -> tuple[int, int]:
    number = col(Enrollment.queue_number)
    lowest, highest = session.exec(
        select(func.min(number), func.max(number)).where(Enrollment.group_id == row.group_id)
    ).one()
    return lowest or 0, highest or 0


def settle(
    session: Session, group: SupportGroup, now: datetime, row: Enrollment | None = None
) -> None:
    """Do what the clock has brought, to `row` in any case, then offer the seats that are free."""
    due = (
        select(Enrollment)
        .where(Enrollment.group_id == group.id, col(Enrollment.until) <= now)
        .order_by(col(Enrollment.until), col(Enrollment.queue_number), col(Enrollment.id))
        .limit(AT_ONCE)
    )
    for each in session.exec(due).all():
        _lapse(session, group, each, now)
    if row is not None and row.until is not None and row.until <= now:
        _lapse(session, group, row, now)
    promote(session, group, now)


def promote(session: Session, group: SupportGroup, now: datetime) -> None:
    """Offer the free seats in order, where the group takes people and offers by itself."""
    if session.info.get(LATER) or group.promotion is Promotion.MANUAL:
        return
    if not _is_open(session, group, now):
        return
    for _ in range(AT_ONCE):
        if offer_next(session, group, now) is None:
            return


def offer_next(session: Session, group: SupportGroup, now: datetime) -> Enrollment | None:
    """Offer a seat to the first who waits; return None where no seat is free or nobody waits."""
    row = session.exec(waiting(group).limit(1)).first()
    if row is None or free_seats(session, group) < 1:
        return None
    hours = group.offer_hours or session.info.get(OFFER_HOURS, DEFAULT_OFFER_HOURS)
    until = now + timedelta(hours=hours)
    move_now(session, row, OFFERED, now=now, reason=SEAT_FREE, until=until)
    return row


def change_group(session: Session, command: UpdateGroup, now: datetime) -> SupportGroup:
    """Change a group, and offer the seats that it has more than before."""
    row = update_group(session, command, now)
    settle(session, row, now)
    return row


def settle_group(session: Session, command: SettleGroup, now: datetime) -> None:
    settle(session, get(session, SupportGroup, command.group_id), now)


def groups_with_a_waitlist(session: Session) -> list[SettleGroup]:
    """Return what settles each group in which somebody waits."""
    waits = select(Enrollment.group_id).where(Enrollment.status == WAITLISTED).distinct()
    return [SettleGroup(group_id=group_id) for group_id in session.exec(waits)]


def _lapse(session: Session, group: SupportGroup, row: Enrollment, now: datetime) -> None:
    at = row.until or now
    if row.status is ON_HOLD:
        move(session, row, ACTIVE, at=at, reason=HOLD_OVER)
    elif row.status is OFFERED:
        _expire(session, group, row, now)
    else:
        row.until = None  # was passed over at their own wish, and is so no longer
        session.flush()


def _expire(session: Session, group: SupportGroup, row: Enrollment, now: datetime) -> None:
    at = row.until or now
    if not _is_open(session, group, now):
        move_now(session, row, WAITLISTED, now=at, reason=WITHDRAWN)
        return
    row.missed_offers += 1
    if row.missed_offers <= MAY_MISS:
        put_last(session, row)
        move_now(session, row, WAITLISTED, now=at, reason=MISSED)
    else:
        move_now(session, row, FINISHED, now=at, reason=MISSED_AGAIN)


def _is_open(session: Session, group: SupportGroup, now: datetime) -> bool:
    try:
        require_open(session, group, now)
    except BusinessRuleError:
        return False
    return True
