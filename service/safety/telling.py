"""Telling of an alert, step by step: who is addressed next, and until when they have.

A step addresses one contact of each owner whose turn it is. Its messages and its timer are in the
outbox; the timer is for those owners whose last step it still is, so that each leaves it once.
No owner's times depend on another's contacts (ADR 0042).
"""

from collections.abc import Collection
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from service import outbox
from service.errors import BusinessRuleError
from service.guard import touch
from service.models.safety import AlertEventKind, Contact
from service.models.screening import Alert, AlertState
from service.safety.policy import policy_of
from service.safety.routing import Owner, lists, permitted
from service.safety.story import addressed, given_up, note, turns
from service.safety.transitions import UNANSWERED, Move, moved

TELL = "alert.tell"
TIMER = "alert.timer"

Told = tuple[Contact, ...]  # in one step


def arm(
    session: Session, alert: Alert, now: datetime, owners: Collection[Owner] | None = None
) -> Told:
    """Begin the next step of these owners, or of all; return who is told in it, if anybody."""
    tier = policy_of(session).tier(alert.tier)
    found = _next(session, alert, now, owners)
    alert.step += 1
    alert.due_at = now + tier.acknowledge if found else now
    alert.close_by = now + tier.close if tier.close else None
    alert.nobody_left_at = None if found else now
    return found


def _next(
    session: Session, alert: Alert, now: datetime, owners: Collection[Owner] | None = None
) -> Told:
    """Return who comes next, one of each of these owners, or of all."""
    tier = policy_of(session).tier(alert.tier)
    known = addressed(session, alert) if alert.step else set[UUID]()
    left = (
        next((each for each in contacts if each.id not in known), None)
        for owner, contacts in lists(session, alert, tier, now).items()
        if owners is None or owner in owners
    )
    return tuple(each for each in left if each is not None)


def send(session: Session, alert: Alert, told: Told, now: datetime) -> None:
    """Write the messages of a step that was begun, and its timer."""
    if not told:
        note(session, alert, AlertEventKind.NOBODY_LEFT, now)
        return
    of = {"alert": str(alert.id), "step": alert.step}
    for each in told:
        detail = str(alert.step)
        note(session, alert, AlertEventKind.ADDRESSED, now, contact_id=each.id, detail=detail)
        payload = {**of, "contact": str(each.id)}
        new = outbox.New(kind=TELL, payload=payload, lane=f"contact:{each.id}")
        outbox.put(session, new, now)
    outbox.put(session, outbox.New(kind=TIMER, payload=of, due=alert.due_at), now)


def tell_next(
    session: Session, alert: Alert, now: datetime, owners: Collection[Owner] | None = None
) -> None:
    """Begin the next step of an alert that is there already."""
    told = arm(session, alert, now, owners)
    session.add(alert)
    session.flush()
    send(session, alert, told, now)


def escalate(
    session: Session,
    alert: Alert,
    now: datetime,
    *,
    by: str | None = None,
    owners: Collection[Owner] | None = None,
) -> None:
    """Tell who comes next, of all owners or of these; `by` is who asked for it, if one did."""
    moved(alert, Move.ESCALATE)
    alert.acknowledged_at = alert.acknowledged_by = None
    note(session, alert, AlertEventKind.ESCALATED, now, by=by)
    tell_next(session, alert, now, owners)


def time_is_up(session: Session, alert: Alert, step: int, now: datetime) -> None:
    """Escalate an alert that nobody acknowledged, for the owners whose last step this is.

    With the programme go hospitals that had no turn yet, such as by a consent given meanwhile.
    """
    if alert.state not in UNANSWERED:
        return
    last = turns(session, alert)
    owners: set[Owner] = {owner for owner, turn in last.items() if turn.step == step}
    if None in owners:
        owners.update(set(permitted(session, alert, now)) - set(last))
    _go_on(session, alert, owners, now)


def _go_on(session: Session, alert: Alert, owners: set[Owner], now: datetime) -> None:
    """Escalate for these owners; where none of them has anybody left, once nobody else has time."""
    if not _next(session, alert, now, owners):
        said = alert.nobody_left_at is not None
        if not owners or said or _others_have_time(session, alert, owners, now):
            return
    escalate(session, alert, now, owners=owners)


def _others_have_time(
    session: Session, alert: Alert, owners: Collection[Owner], now: datetime
) -> bool:
    """Tell whether the time of somebody else who may have been reached is not over."""
    tier = policy_of(session).tier(alert.tier)
    gone, end = given_up(session, alert), alert.due_at or now
    return any(
        now < min(turn.at + tier.acknowledge, end)
        for owner, turn in turns(session, alert).items()
        if owner not in owners and turn.contact_id not in gone
    )


def told(session: Session, alert: Alert, contact_id: UUID, at: datetime) -> None:
    """Note that a contact was told."""
    with suppress(BusinessRuleError):  # somebody may have taken it up meanwhile
        moved(alert, Move.NOTIFY)
    touch(session, alert)  # who was told is among its documents
    note(session, alert, AlertEventKind.TOLD, at, contact_id=contact_id)


def not_told(
    session: Session, alert: Alert, contact_id: UUID, at: datetime, *, why: str, last: bool
) -> None:
    """Note a failed attempt; after the last one, tell who comes next of the same owner."""
    kind = AlertEventKind.GIVEN_UP if last else AlertEventKind.NOT_TOLD
    note(session, alert, kind, at, contact_id=contact_id, detail=why)
    if not last or alert.state not in UNANSWERED:
        return
    present = turns(session, alert).items()
    owners = {owner for owner, turn in present if turn.contact_id == contact_id}
    _go_on(session, alert, owners, at)


def take_up(session: Session, now: datetime) -> int:
    """Begin to tell of alerts that nobody was ever told of, such as those of before; how many."""
    untold = select(Alert).where(Alert.step == 0, col(Alert.state) != AlertState.RESOLVED)
    found = list(session.exec(untold.limit(100)))
    for alert in found:
        tell_next(session, alert, now)
    return len(found)
