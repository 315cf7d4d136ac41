"""Why a hospital may have something of a person, or not: the decision, told in words.

It is the decision that disclosure makes (`service.disclosures.decide`), with what it weighed.
https://hl7.org/fhir/R4/consent.html
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from service.disclosures import Declared, Ruling, decide, declared
from service.models.connections import Connection, ConsentPolicy
from service.models.consents import Consent, ConsentVersion, Standing
from service.models.patients import Link, Patient
from service.models.provisions import Category, Decision, provision_of
from service.models.purposes import Purpose, bits
from service.models.subjects import Restriction
from service.restrictions import was_in_force
from service.rows import get
from service.weighing import Content, Finding, Reason, given_by, gives, weigh


class Rule(StrEnum):
    """The rules of the decision, in their order; the first that applies decides."""

    NO_LINK = "no-link"
    RESTRICTED = "restricted"
    DENIED = "denied"
    PERMITTED = "permitted"
    ANSWERS = "answers-by-consent-alone"
    WITHDRAWN = "withdrawn"
    POLICY = "policy"
    DEFAULT = "default"


GIVING = {Rule.PERMITTED, Rule.POLICY}
ORDER = {rule: place for place, rule in enumerate(Rule, start=1)}


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked: a fact of one person, for one hospital, for one purpose, at one moment."""

    patient_id: UUID
    connection_id: UUID
    content: Content
    purpose: Purpose
    at: datetime


@dataclass(frozen=True)
class Weighed:
    """One provision that was looked at; without a reason it is one that decided."""

    consent_id: UUID
    path: str
    decision: Decision
    reason: Reason | None = None


@dataclass(frozen=True)
class Explanation:
    rule: Rule
    sentence: str
    decided_by: tuple[Weighed, ...] = ()
    considered: tuple[Weighed, ...] = ()

    @property
    def given(self) -> bool:
        return self.rule in GIVING


def explain(session: Session, question: Question) -> Explanation:
    """Return what holds at the moment asked about, as it was known then."""
    get(session, Patient, question.patient_id, "patient_id")
    hospital = get(session, Connection, question.connection_id, "connection_id")
    if not _is_linked(session, question):
        sentence = f"Nothing is given: the person is not linked to {hospital.name}."
        return Explanation(Rule.NO_LINK, sentence)
    if _is_restricted(session, question):
        return Explanation(Rule.RESTRICTED, "Nothing is given: processing is restricted.")
    said = list(_said(session, question))
    return explained(hospital.name, hospital.policy, said, question)


def explained(
    hospital: str, policy: ConsentPolicy, said: list[Declared], question: Question
) -> Explanation:
    """Return the explanation of what is decided by these consents."""
    ruling = decide(policy, said, question.content, question.at)
    rule = _rule(ruling, question)
    found = [each for one in said for each in _weighed(one, rule, question)]
    return Explanation(
        rule,
        _sentence(rule, hospital, policy, question),
        tuple(each for each in found if each.reason is None),
        tuple(each for each in found if each.reason is not None),
    )


def _rule(ruling: Ruling, question: Question) -> Rule:
    bit = question.purpose.bit
    if ruling.denied & bit:
        return Rule.DENIED
    if ruling.permitted & bit:
        return Rule.PERMITTED
    if question.content.category is Category.ANSWERS:
        return Rule.ANSWERS
    if ruling.withdrawn & bit:
        return Rule.WITHDRAWN
    return Rule.POLICY if ruling.by_policy & bit else Rule.DEFAULT


def _weighed(said: Declared, rule: Rule, question: Question) -> Iterator[Weighed]:
    """Yield every provision of a consent with what came of it."""
    identity, content = said.id or UUID(int=0), question.content
    before = said.retracted.get(content.category.value, 0) & question.purpose.bit
    if rule is Rule.WITHDRAWN and before:
        yield Weighed(identity, "versions", Decision.PERMIT)
    if said.withdrawn:
        refuses = rule is Rule.WITHDRAWN and gives(said.provision, content.category)
        decides = refuses & question.purpose.bit
        reason = None if decides else Reason.WITHDRAWN
        yield Weighed(identity, "provision", said.provision.decision, reason)
        return
    findings: list[Finding] = []
    weigh(said.provision, content, question.at, waits=said.waits, findings=findings)
    for each in findings:
        yield Weighed(identity, each.path, each.provision.decision, _reason(each, rule, question))


def _reason(finding: Finding, rule: Rule, question: Question) -> Reason | None:
    """Return why a provision does not decide; None where it does."""
    if finding.reason is not None:
        return finding.reason
    if not bits(finding.provision.purposes) & question.purpose.bit:
        return Reason.PURPOSE
    if not finding.own & question.purpose.bit:
        return Reason.EXCEPTED
    wins = Decision.DENY if rule is Rule.DENIED else Decision.PERMIT
    return None if finding.provision.decision is wins else Reason.OUTWEIGHED


def _sentence(rule: Rule, hospital: str, policy: ConsentPolicy, question: Question) -> str:
    what, why = _what(question), _why(policy, question)
    return {
        Rule.DENIED: f"Not given: a denial in force is about {what}, and a denial wins.",
        Rule.PERMITTED: f"Given: a permit in force is about {what}, and nothing denies it.",
        Rule.ANSWERS: "Not given: answers take a permit in force, whatever the policy.",
        Rule.WITHDRAWN: f"Not given: a permit about {what} was withdrawn, or said anew without it.",
        Rule.POLICY: f"Given: nobody said anything, and the policy of {hospital} is `treatment`.",
        Rule.DEFAULT: f"Not given: no permit in force is about {what}, and {why}.",
    }[rule]


def _what(question: Question) -> str:
    content = question.content
    labels = [label for label in (content.confidentiality, content.sensitivity) if label]
    parts = ["the name of the group" if content.names_group else content.category.value]
    parts += ["of a group under 42 CFR Part 2"] if content.part2 else []
    parts += [f"labelled {' '.join(labels)}"] if labels else []
    return " ".join([*parts, f"for {question.purpose.value}"])


def _why(policy: ConsentPolicy, question: Question) -> str:
    if policy is ConsentPolicy.OPT_IN:
        return "the policy is `opt-in`"
    if question.content.part2:
        return "the policy `treatment` is not about 42 CFR Part 2"
    if question.content.names_group:
        return "the policy `treatment` names no group"
    return "the policy `treatment` is for TREAT alone"


def _is_linked(session: Session, question: Question) -> bool:
    where = (
        col(Link.patient_id) == question.patient_id,
        col(Link.connection_id) == question.connection_id,
    )
    rows = session.exec(select(Link).where(*where))
    return any(
        row.confirmed_at <= question.at and (row.undone_at is None or row.undone_at > question.at)
        for row in rows
    )


def _is_restricted(session: Session, question: Question) -> bool:
    rows = session.exec(select(Restriction).where(Restriction.patient_id == question.patient_id))
    return any(was_in_force(row, question.at) for row in rows)


def _said(session: Session, question: Question) -> Iterator[Declared]:
    """Yield the consents as they stood at the moment that is asked about."""
    where = (
        col(Consent.patient_id) == question.patient_id,
        col(Consent.connection_id) == question.connection_id,
    )
    rows = session.exec(select(Consent).where(*where).order_by(col(Consent.id))).all()
    changed = [row.id for row in rows if row.changed_at and row.changed_at > question.at]
    versions = _versions(session, changed)
    for row in rows:
        if row.created_at <= question.at:
            yield _as_of(row, versions.get(row.id, []), question.at)


def _versions(session: Session, ids: Iterable[UUID]) -> dict[UUID, list[ConsentVersion]]:
    found: dict[UUID, list[ConsentVersion]] = {}
    statement = select(ConsentVersion).where(col(ConsentVersion.consent_id).in_(list(ids)))
    for version in session.exec(statement.order_by(col(ConsentVersion.version))):
        found.setdefault(version.consent_id, []).append(version)
    return found


def _as_of(row: Consent, versions: list[ConsentVersion], at: datetime) -> Declared:
    withdrawn = row.withdrawn_at is not None and row.withdrawn_at <= at
    now = replace(declared(vars(row)), withdrawn=withdrawn)
    if not versions:
        waits = _waited(vars(row), at)
        return replace(now, waits=waits)
    then = next(each for each in versions if at < each.created_at)
    earlier = [each for each in versions if each.created_at <= at]
    retracted: dict[str, int] = {}
    for each in earlier:
        if each.said["standing"] == Standing.CONFIRMED.value:
            for name, purposes in given_by(provision_of(each.said).within()).items():
                retracted[name] = retracted.get(name, 0) | purposes
    provision, waits = provision_of(then.said).within(), _waited(then.said, at)
    return replace(now, provision=provision, waits=waits, retracted=retracted)


def _waited(values: Any, at: datetime) -> bool:  # noqa: ANN401 - columns, of a row or a version
    """Tell whether its permits waited then: what was confirmed later did."""
    settled = values["settled_at"]
    moment = datetime.fromisoformat(settled) if isinstance(settled, str) else settled
    return values["standing"] != Standing.CONFIRMED.value or (moment is not None and at < moment)
