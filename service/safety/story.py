"""What happened to an alert, kept as it happens; moments of the past stay."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlmodel import Session, col, select

from service import driver
from service.identifiers import new_id
from service.models.safety import AlertEvent, AlertEventKind, Contact
from service.models.screening import Alert


def note(session: Session, alert: Alert, kind: AlertEventKind, at: datetime, **more: Any) -> None:  # noqa: ANN401 - `by`, `contact_id` and `detail`, where they are known
    """Add one event, with the state and the tier that the alert has now."""
    row = AlertEvent(
        id=new_id(),
        created_at=at,
        alert_id=alert.id,
        kind=kind,
        at=at,
        state=alert.state,
        tier=alert.tier,
        **more,
    )
    driver.insert(session, row)


def events_of(session: Session, alert_id: UUID) -> list[AlertEvent]:
    """Return the story, oldest first."""
    found = select(AlertEvent).where(AlertEvent.alert_id == alert_id)
    return list(session.exec(found.order_by(col(AlertEvent.id))))


class Turn(NamedTuple):
    """Whom of an owner's contacts an alert addressed last, in which step, and when."""

    contact_id: UUID
    step: int
    at: datetime


def turns(session: Session, alert: Alert) -> dict[UUID | None, Turn]:
    """Return of each owner the turn that it has since the present telling began."""
    rows = _since(session, alert, AlertEventKind.ADDRESSED)
    found = [Turn(row.contact_id, int(row.detail or 0), row.at) for row in rows if row.contact_id]
    contacts = select(Contact.id, Contact.connection_id)
    known = contacts.where(col(Contact.id).in_({each.contact_id for each in found}))
    owners = {row.id: row.connection_id for row in session.execute(known)}
    found.sort(key=lambda each: each.step)
    return {owners[each.contact_id]: each for each in found}


def addressed(session: Session, alert: Alert) -> set[UUID]:
    """Return who was addressed since the present telling began."""
    return _contacts(_since(session, alert, AlertEventKind.ADDRESSED))


def given_up(session: Session, alert: Alert) -> set[UUID]:
    """Return who could not be reached since the present telling began."""
    return _contacts(_since(session, alert, AlertEventKind.GIVEN_UP))


def _contacts(rows: list[AlertEvent]) -> set[UUID]:
    return {each.contact_id for each in rows if each.contact_id is not None}


def _since(session: Session, alert: Alert, kind: AlertEventKind) -> list[AlertEvent]:
    found = select(AlertEvent).where(AlertEvent.alert_id == alert.id, AlertEvent.kind == kind)
    if alert.round_began_at is not None:
        found = found.where(col(AlertEvent.at) >= alert.round_began_at)
    return list(session.exec(found))
