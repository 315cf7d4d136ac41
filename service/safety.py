"""Safety alerts: raised with the response, in the same transaction; only a person closes one.

The workflow that follows an alert is another matter; this much must never be missing.
"""

from datetime import datetime

from sqlmodel import Session, select

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
    known = _raised(session, response)
    if known or response.status is ResponseStatus.ENTERED_IN_ERROR:
        return known
    hits = safety_hits(definition, response.answers)
    if not hits:
        return None
    session.flush()  # the response first: the alert refers to it
    alert = Alert(
        patient_id=response.patient_id,
        response_id=response.id,
        rule=f"{definition.id} {hits[0].link_id}",
        raised_at=now,
        escalation_contact=contact,
    )
    session.add(alert)
    return alert


def _raised(session: Session, response: Response) -> Alert | None:
    if response in session.new:
        return None
    return session.exec(select(Alert).where(Alert.response_id == response.id)).first()
