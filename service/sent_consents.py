"""Consents that a hospital sends: it speaks for itself, and its permits may wait to be confirmed.

https://hl7.org/fhir/R4/consent.html
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from service.commands import ReceiveConsent, SettleConsent
from service.consents import checked, replaced
from service.errors import BusinessRuleError
from service.models.connections import Connection, ConsentAuthority
from service.models.consents import Consent, Decision, Standing
from service.models.evidence import evidence_json
from service.models.patients import Link
from service.models.provisions import Provision, as_columns, provision_of
from service.patients import current
from service.rows import check_version, get

LINKED = "must be a patient who is linked to this hospital"


def receive_consent(session: Session, command: ReceiveConsent, now: datetime) -> Consent | None:
    """Take in what a hospital says now of one of its patients; the same again changes nothing."""
    row = _last_sent(session, command.sent_as)
    in_force = row if row is not None and row.withdrawn_at is None else None
    if command.provision is None:
        if in_force is not None:
            in_force.withdrawn_at, in_force.withdrawn_by = now, command.sent_by
        return in_force
    current(session, command.patient_id)
    _require_link(session, command)
    said = checked(_begun(command.provision, in_force, now))
    if in_force is None:
        return _record(session, command, said, now)
    if as_columns(said) != as_columns(provision_of(vars(in_force))):
        replaced(session, in_force, said, now)
        _stand(session, in_force, said)
        in_force.recorded_by = command.sent_by
    in_force.evidence = evidence_json(command.evidence)
    return in_force


def _last_sent(session: Session, sent_as: str) -> Consent | None:
    statement = select(Consent).where(Consent.sent_as == sent_as).order_by(col(Consent.id).desc())
    return session.exec(statement).first()


def _require_link(session: Session, command: ReceiveConsent) -> None:
    where = (
        col(Link.patient_id) == command.patient_id,
        col(Link.connection_id) == command.connection_id,
        col(Link.undone_at).is_(None),
    )
    if session.exec(select(Link.id).where(*where)).first() is None:
        raise BusinessRuleError(LINKED, element="Consent.patient")


def _begun(said: Provision, before: Consent | None, now: datetime) -> Provision:
    """Return it with a start: that of what it says anew, or now."""
    if said.start is not None:
        return said
    return Provision(**{**vars(said), "start": now if before is None else before.start})


def _record(session: Session, command: ReceiveConsent, said: Provision, now: datetime) -> Consent:
    row = Consent(
        patient_id=command.patient_id,
        connection_id=command.connection_id,
        **as_columns(said),
        evidence=evidence_json(command.evidence),
        recorded_by=command.sent_by,
        sent_as=command.sent_as,
        created_at=now,
    )
    _stand(session, row, said)
    session.add(row)
    return row


def _stand(session: Session, row: Consent, said: Provision) -> None:
    """Have permits wait, unless the hospital is trusted with them; a denial has none."""
    authority = get(session, Connection, row.connection_id).authority
    permits = any(rule.decision is Decision.PERMIT for _, rule in said.each())
    waits = permits and authority is ConsentAuthority.CONFIRM
    row.standing = Standing.PENDING if waits else Standing.CONFIRMED
    row.settled_at = row.settled_by = None


def settle_consent(session: Session, command: SettleConsent, now: datetime) -> Consent:
    """Confirm or refuse the permits of a consent that a hospital sent."""
    row = get(session, Consent, command.consent_id)
    check_version(row, command.if_match)
    current(session, row.patient_id)
    if row.withdrawn_at is not None:
        raise BusinessRuleError("the consent is withdrawn")
    if row.standing is not Standing.PENDING:
        raise BusinessRuleError("the consent does not wait to be confirmed")
    row.standing = command.standing
    row.settled_at, row.settled_by = now, command.settled_by
    return row


def sent_by_document(session: Session, documents: Sequence[str]) -> set[UUID]:
    """Return the patients of whom these documents said what is in force."""
    where = col(Consent.sent_as).in_(documents), col(Consent.withdrawn_at).is_(None)
    return set(session.exec(select(Consent.patient_id).where(*where)))
