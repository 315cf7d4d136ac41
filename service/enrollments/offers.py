"""Offers of a seat: made by hand, accepted, declined."""

from datetime import datetime

from sqlmodel import Session

from service.commands import AnswerOffer, OfferAnswer, OfferSeat
from service.enrollments.history import ACTIVE, FINISHED, OFFERED, WAITLISTED, move_now
from service.enrollments.seats import free_seats
from service.enrollments.waitlist import offer_next, promote, put_last, settle
from service.errors import BusinessRuleError, InvalidError
from service.groups import require_open
from service.models.enrollments import Enrollment
from service.models.groups import SupportGroup
from service.restrictions import require_unrestricted
from service.rows import check_version, get, require_offset
from service.rules import require_agreement

ACCEPTED, DECLINED = "The offer was accepted", "The offer was declined"
PASSED = "The offer was declined; at the end of the waitlist, and passed over for a while"


def offer_seat(session: Session, command: OfferSeat, now: datetime) -> Enrollment:
    """Offer a free seat to the first who waits; for groups that do not offer by themselves."""
    group = get(session, SupportGroup, command.group_id)
    settle(session, group, now)
    require_open(session, group, now)
    row = offer_next(session, group, now)
    if row is None:
        full = free_seats(session, group) < 1
        raise BusinessRuleError("no seat is free" if full else "nobody waits for a seat")
    return row


def answer_offer(session: Session, command: AnswerOffer, now: datetime) -> Enrollment:
    """Turn an offer into membership, or give the seat to whoever is next.

    Who declines is finished; with `not_before`, last on the waitlist and passed over until then.
    """
    row = get(session, Enrollment, command.enrollment_id)
    group = get(session, SupportGroup, row.group_id)
    settle(session, group, now, row)
    check_version(row, command.if_match)
    not_before = _not_before(command, now)
    if row.status is not OFFERED:
        raise BusinessRuleError(f"no offer stands: the enrolment is {row.status.value}")
    if command.answer is OfferAnswer.ACCEPT:
        require_unrestricted(session, row.patient_id, now)
        require_open(session, group, now)
        require_agreement(session, group, row.patient_id, now)
        move_now(session, row, ACTIVE, now=now, reason=command.reason or ACCEPTED)
    elif not_before is None:
        move_now(session, row, FINISHED, now=now, reason=command.reason or DECLINED)
    else:
        put_last(session, row)
        why = command.reason or PASSED
        move_now(session, row, WAITLISTED, now=now, reason=why, until=not_before)
    promote(session, group, now)
    return row


def _not_before(command: AnswerOffer, now: datetime) -> datetime | None:
    if command.not_before is None:
        return None
    if command.answer is OfferAnswer.ACCEPT:
        raise BusinessRuleError("is for who declines", element="not_before")
    moment = require_offset(command.not_before, "not_before")
    if moment <= now:
        raise InvalidError("must lie in the future", element="not_before")
    return moment
