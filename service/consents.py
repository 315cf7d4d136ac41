"""Consents: recorded and withdrawn; what they mean is in `disclosures`."""

from datetime import datetime

from sqlmodel import Session

from service.commands import RecordConsent, WithdrawConsent
from service.errors import BusinessRuleError, InvalidError
from service.models.connections import Connection
from service.models.consents import Consent
from service.patients import current
from service.rows import check_version, get, require_offset, require_text


def record_consent(session: Session, command: RecordConsent, now: datetime) -> Consent:
    """Record what a person permits or denies one hospital, for one category and period."""
    current(session, command.patient_id)
    get(session, Connection, command.connection_id, "connection_id")
    require_text(command.recorded_by, "recorded_by")
    start = require_offset(command.start or now, "start")
    end = require_offset(command.end, "end") if command.end else None
    if end is not None and end <= start:
        raise InvalidError("must lie after the start", element="end")
    row = Consent(**{**vars(command), "start": start, "end": end, "created_at": now})
    session.add(row)
    return row


def withdraw_consent(session: Session, command: WithdrawConsent, now: datetime) -> Consent:
    """Withdraw a consent, in force for the next request."""
    row = get(session, Consent, command.consent_id)
    check_version(row, command.if_match)
    if row.withdrawn_at is not None:
        raise BusinessRuleError("the consent is withdrawn already")
    row.withdrawn_at, row.withdrawn_by = now, command.withdrawn_by
    return row
