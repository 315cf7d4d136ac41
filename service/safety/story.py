"""What happened to an alert, kept as it happens; moments of the past stay."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from service import driver
from service.identifiers import new_id
from service.models.safety import AlertEvent, AlertEventKind
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


def addressed(session: Session, alert: Alert, *, step: int | None = None) -> set[UUID]:
    """Return who was addressed since the present round began, or in one step of it."""
    rows = _since(session, alert, AlertEventKind.ADDRESSED)
    return {one for one, detail in rows if step is None or detail == str(step)}


def given_up(session: Session, alert: Alert) -> set[UUID]:
    """Return who could not be reached since the present round began."""
    return {one for one, _ in _since(session, alert, AlertEventKind.GIVEN_UP)}


def _since(session: Session, alert: Alert, kind: AlertEventKind) -> list[tuple[UUID, str | None]]:
    found = select(AlertEvent).where(AlertEvent.alert_id == alert.id, AlertEvent.kind == kind)
    if alert.round_began_at is not None:
        found = found.where(col(AlertEvent.at) >= alert.round_began_at)
    return [(each.contact_id, each.detail) for each in session.exec(found) if each.contact_id]
