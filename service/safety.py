"""Safety alerts: raised with the response, in the same transaction; only a person closes one.

The workflow that follows an alert is another matter; this much must never be missing.
"""

from datetime import datetime

from sqlmodel import Session, select

from service.guard import insert
from service.identifiers import new_id
from service.instruments import Instrument
from service.models.screening import Alert, Response, ResponseStatus
from service.scoring import safety_hits


def raise_alert(
    session: Session,
    response: Response,
    definition: Instrument,
    *,
    now: datetime,
    contact: str | None,
) -> Alert | None:
    """Return the alert of this response, raising it where a rule is met for the first time."""
    known = session.exec(select(Alert).where(Alert.response_id == response.id)).first()
    return known or first_alert(session, response, definition, now=now, contact=contact)


def first_alert(
    session: Session,
    response: Response,
    definition: Instrument,
    *,
    now: datetime,
    contact: str | None,
) -> Alert | None:
    """Raise the alert of a response that has none, where a rule is met."""
    hits = safety_hits(definition, response.answers)
    if not hits or response.status is ResponseStatus.ENTERED_IN_ERROR:
        return None
    alert = Alert(
        id=new_id(),
        created_at=now,
        patient_id=response.patient_id,
        response_id=response.id,
        rule=f"{definition.id} {hits[0].link_id}",
        raised_at=now,
        escalation_contact=contact,
    )
    insert(session, alert)
    return alert
