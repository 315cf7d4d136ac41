"""Telling of an alert, round by round: who is addressed next, and until when they have.

Each round is a step. Its messages and its timer are in the outbox; a timer whose step is over
does nothing, so that a step is left once.
"""

from contextlib import suppress
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from service import outbox
from service.errors import BusinessRuleError
from service.guard import touch
from service.models.safety import AlertEventKind
from service.models.screening import Alert, AlertState
from service.safety.policy import policy_of
from service.safety.routing import Round, rounds
from service.safety.story import addressed, given_up, note
from service.safety.transitions import UNANSWERED, Move, moved

TELL = "alert.tell"
TIMER = "alert.timer"


def arm(session: Session, alert: Alert, now: datetime) -> Round:
    """Begin the next step of an alert, and return who is told in it; nobody where none is left."""
    tier = policy_of(session).tier(alert.tier)
    known = addressed(session, alert) if alert.step else set[UUID]()
    left = (
        tuple(each for each in one if each.id not in known)
        for one in rounds(session, alert, tier, now)
    )
    found = next((each for each in left if each), ())
    alert.step += 1
    alert.due_at = now + tier.acknowledge if found else now
    alert.close_by = now + tier.close if tier.close else None
    alert.nobody_left_at = None if found else now
    return found


def send(session: Session, alert: Alert, told: Round, now: datetime) -> None:
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


def tell_next(session: Session, alert: Alert, now: datetime) -> None:
    """Begin the next step of an alert that is there already."""
    told = arm(session, alert, now)
    session.add(alert)
    session.flush()
    send(session, alert, told, now)


def escalate(session: Session, alert: Alert, now: datetime, *, by: str | None = None) -> None:
    """Tell who comes next; `by` is the person who asked for it, if one did."""
    moved(alert, Move.ESCALATE)
    alert.acknowledged_at = alert.acknowledged_by = None
    note(session, alert, AlertEventKind.ESCALATED, now, by=by)
    tell_next(session, alert, now)


def time_is_up(session: Session, alert: Alert, step: int, now: datetime) -> None:
    """Escalate an alert that nobody acknowledged within this step; another's time is over."""
    if alert.step == step and alert.state in UNANSWERED:
        escalate(session, alert, now)


def told(session: Session, alert: Alert, contact_id: UUID, at: datetime) -> None:
    """Note that a contact was told."""
    with suppress(BusinessRuleError):  # somebody may have taken it up meanwhile
        moved(alert, Move.NOTIFY)
    touch(session, alert)  # who was told is among its documents
    note(session, alert, AlertEventKind.TOLD, at, contact_id=contact_id)


def not_told(
    session: Session, alert: Alert, contact_id: UUID, at: datetime, *, why: str, last: bool
) -> None:
    """Note a failed attempt; after the last, where nobody else of the step is left, escalate."""
    kind = AlertEventKind.GIVEN_UP if last else AlertEventKind.NOT_TOLD
    note(session, alert, kind, at, contact_id=contact_id, detail=why)
    if not last or alert.state not in UNANSWERED:
        return
    now_addressed = addressed(session, alert, step=alert.step)
    if contact_id in now_addressed and not now_addressed - given_up(session, alert):
        escalate(session, alert, at)


def take_up(session: Session, now: datetime) -> int:
    """Begin to tell of alerts that nobody was ever told of, such as those of before; how many."""
    untold = select(Alert).where(Alert.step == 0, col(Alert.state) != AlertState.RESOLVED)
    found = list(session.exec(untold.limit(100)))
    for alert in found:
        tell_next(session, alert, now)
    return len(found)
