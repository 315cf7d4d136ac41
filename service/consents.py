"""Consents: recorded, amended and withdrawn; what they mean is in `disclosures`."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlmodel import Session

from service.commands import AmendConsent, ConsentTerms, RecordConsent, WithdrawConsent
from service.errors import BusinessRuleError, InvalidError, RequiredError
from service.models.connections import Connection
from service.models.consents import (
    Consent,
    ConsentVersion,
    Decision,
    Purpose,
    Standing,
)
from service.models.evidence import ESignature, Evidence, SignedForm, VerbalConsent, evidence_json
from service.models.provisions import ROOT, Provision, as_columns, provision_of
from service.patients import current
from service.rows import check_version, get, require_offset, require_text
from service.weighing import given_by

MOST_PROVISIONS = 50
DEEPEST = 5
SHA256 = 64


def record_consent(session: Session, command: RecordConsent, now: datetime) -> Consent:
    """Record what a person permits or denies one hospital."""
    current(session, command.patient_id)
    get(session, Connection, command.connection_id, "connection_id")
    require_text(command.recorded_by, "recorded_by")
    require_evidence(command.evidence, now)
    row = Consent(
        patient_id=command.patient_id,
        connection_id=command.connection_id,
        **as_columns(checked(terms(command, now))),
        evidence=evidence_json(command.evidence),
        recorded_by=command.recorded_by,
        created_at=now,
    )
    session.add(row)
    return row


def amend_consent(session: Session, command: AmendConsent, now: datetime) -> Consent:
    """Say a consent anew, in force for the next request; what it said is kept as a version."""
    row = get(session, Consent, command.consent_id)
    current(session, row.patient_id)
    check_version(row, command.if_match)
    require_text(command.amended_by, "amended_by")
    require_evidence(command.evidence, now)
    if row.withdrawn_at is not None:
        raise BusinessRuleError("a consent that was withdrawn is not amended; record a new one")
    if row.sent_as is not None:
        raise BusinessRuleError("the hospital that sent it says it anew; withdraw it, or refuse it")
    replaced(session, row, checked(terms(command, now)), now)
    row.evidence = evidence_json(command.evidence)
    row.recorded_by = command.amended_by
    return row


def replaced(session: Session, row: Consent, provision: Provision, now: datetime) -> None:
    """Keep what the row says as a version, and have it say this."""
    before = provision_of(vars(row)).within()
    session.add(
        ConsentVersion(
            consent_id=row.id,
            version=row.version,
            since=row.changed_at or row.created_at,
            said=_said(row),
            created_at=now,
        )
    )
    if row.standing is Standing.CONFIRMED:
        row.retracted = _both(row.retracted, given_by(before))
    for name, value in as_columns(provision).items():
        setattr(row, name, value)
    row.version, row.changed_at = row.version + 1, now


def _both(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    return {name: one.get(name, 0) | other.get(name, 0) for name in one | other}


KEPT = (*ROOT, "evidence", "recorded_by", "standing", "settled_by")


def _said(row: Consent) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in KEPT}
    values["settled_at"] = row.settled_at
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in values.items()
    }


def withdraw_consent(session: Session, command: WithdrawConsent, now: datetime) -> Consent:
    """Withdraw a consent, in force for the next request."""
    row = get(session, Consent, command.consent_id)
    check_version(row, command.if_match)
    if row.withdrawn_at is not None:
        raise BusinessRuleError("the consent is withdrawn already")
    row.withdrawn_at, row.withdrawn_by = now, command.withdrawn_by
    return row


def terms(command: ConsentTerms, now: datetime) -> Provision:
    """Return the root provision that a command says."""
    if command.category is not None and command.categories:
        raise InvalidError("give one category, or several as categories", element="categories")
    if command.category is None and not (command.categories or command.provisions):
        raise RequiredError("must say the kind of fact", element="category")
    named = command.categories if command.category is None else (command.category,)
    return Provision(
        decision=command.decision,
        start=require_offset(command.start or now, "start"),
        end=require_offset(command.end, "end") if command.end else None,
        categories=frozenset(named),
        purposes=frozenset(_purposes(command)),
        labels=frozenset(command.labels),
        covers_part2=command.covers_part2,
        shows_group_name=command.shows_group_name,
        provisions=command.provisions,
    )


def _purposes(command: ConsentTerms) -> Iterable[Purpose]:
    """Return the purposes; least is shared where none are said."""
    if command.purposes is not None:
        return command.purposes
    return (Purpose.TREATMENT,) if command.decision is Decision.PERMIT else ()


def checked(root: Provision) -> Provision:
    """Return the provision, or raise InvalidError naming the element that breaks a rule."""
    everything = list(root.each(""))
    if len(everything) > MOST_PROVISIONS:
        raise InvalidError(f"at most {MOST_PROVISIONS} provisions", element="provisions")
    for path, rule in everything:
        where = path.replace(".provision[", ".provisions[").removeprefix(".")
        if where.count("provisions[") > DEEPEST:
            raise InvalidError(f"at most {DEEPEST} levels of exceptions", element=where)
        _check(rule, f"{where}." if where else "")
    return root


def _check(rule: Provision, where: str) -> None:
    for name in ("start", "end"):
        if (moment := getattr(rule, name)) is not None:
            require_offset(moment, f"{where}{name}")
    if rule.start is not None and rule.end is not None and rule.end <= rule.start:
        raise InvalidError("must lie after the start", element=f"{where}end")


def require_evidence(evidence: Evidence | None, now: datetime) -> None:
    """Raise InvalidError where evidence does not say who, where or when."""
    if evidence is None:
        return
    for name, value in vars(evidence).items():
        if isinstance(value, str):
            require_text(value, f"evidence.{name}")
    name, moment = _moment(evidence)
    if moment > (now if isinstance(moment, datetime) else now.date()):
        raise InvalidError("must not lie in the future", element=f"evidence.{name}")
    digest = getattr(evidence, "sha256", None)
    if digest is not None and not _is_digest(digest):
        raise InvalidError("must be 64 hexadecimal digits", element="evidence.sha256")


def _moment(evidence: Evidence) -> tuple[str, Any]:
    match evidence:
        case SignedForm():
            return "signed_on", evidence.signed_on
        case VerbalConsent():
            return "given_on", evidence.given_on
        case ESignature():
            return "signed_at", require_offset(evidence.signed_at, "evidence.signed_at")


def _is_digest(text: str) -> bool:
    return len(text) == SHA256 and all(one in "0123456789abcdef" for one in text.lower())
