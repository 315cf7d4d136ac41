"""Consent: one decision of a person about one hospital, with the exceptions to it.

It is read by the programme, and by that hospital while it may have anything of the person; what
the hospital sent itself it reads as it sent it. Exceptions say all that they are about, though
they could take it over from what they except from: so there is one way to read them.

https://hl7.org/fhir/R4/consent.html
"""

from collections.abc import Iterator

from fhir_mappings import labels, references
from fhir_mappings.codes import (
    ACCESS,
    CATEGORY,
    DISCLOSE,
    GROUP_NAME,
    LABEL,
    OPT_IN,
    OPT_OUT,
    PART_2,
    PATIENT_CONSENT,
    PRIVACY,
    PURPOSE,
    RECIPIENT,
    Code,
)
from fhir_mappings.datatypes import Element, codeable_concept, coding, instant, period, present
from service.fhir.mapping import Draft, View
from service.models.consents import Category, Decision, Label, Purpose, Standing
from service.models.evidence import ESignature, SignedForm, VerbalConsent, evidence_of
from service.models.facts import ConsentFacts
from service.models.provisions import Provision
from service.models.purposes import EVERY_PURPOSE

POLICY = {Decision.PERMIT: OPT_IN, Decision.DENY: OPT_OUT}
STATUS = {
    Standing.CONFIRMED: "active",
    Standing.PENDING: "proposed",
    Standing.REFUSED: "rejected",
}


def render(facts: ConsentFacts, view: View) -> Iterator[Draft]:
    if not (purposes := _knowing(facts, view)):
        return
    root = facts.provision.within()
    resource = present(
        {
            "status": "inactive" if facts.withdrawn_at else STATUS[facts.standing],
            "scope": codeable_concept(PRIVACY),
            "category": [codeable_concept(PATIENT_CONSENT)],
            "patient": references.patient(view.audience, facts.patient_id),
            "dateTime": instant(facts.changed_at or facts.created_at),
            "organization": [references.programme(view.audience)],
            "policyRule": codeable_concept(POLICY[root.decision]),
            "sourceAttachment": _form(facts, view),
            "verification": _verification(facts),
            "provision": _rule(root, _recipient(facts, view)),
        }
    )
    source = references.source("consent", facts.id)
    yield Draft(
        "Consent",
        source,
        resource,
        labels.PERSON,
        patient_id=facts.patient_id,
        purposes=purposes,
    )


def _knowing(facts: ConsentFacts, view: View) -> int:
    if view.audience.is_programme:
        return EVERY_PURPOSE
    concerned = facts.connection_id == view.audience.connection_id and facts.sent_as is None
    return view.anything() if concerned else 0


def _rule(rule: Provision, recipient: Element) -> Element:
    return present(
        {
            "type": rule.decision.value,
            "period": period(rule.start, rule.end),
            "actor": [{"role": codeable_concept(RECIPIENT), "reference": recipient}],
            "action": [codeable_concept(ACCESS), codeable_concept(DISCLOSE)],
            "securityLabel": [coding(LABEL[one]) for one in Label if one in rule.labels],
            "purpose": [coding(PURPOSE[one]) for one in Purpose if one in rule.purposes],
            "code": [codeable_concept(code) for code in _kinds(rule)],
            "provision": [
                *_part_2(rule),
                *(_rule(nested, recipient) for nested in rule.provisions),
            ],
        }
    )


def _kinds(rule: Provision) -> Iterator[Code]:
    if rule.categories or rule.shows_group_name:
        for one in Category:
            if not rule.categories or one in rule.categories:
                yield CATEGORY[one]
    tells = not rule.categories or Category.ENROLLMENT in rule.categories
    if rule.shows_group_name and tells and rule.decision is Decision.PERMIT:
        yield GROUP_NAME


def _part_2(rule: Provision) -> Iterator[Element]:
    """Say whether a permit reaches what 42 CFR Part 2 protects, which takes that it says so."""
    if rule.decision is Decision.PERMIT and Label.PART_2 not in rule.labels:
        kind = Decision.PERMIT if rule.covers_part2 else Decision.DENY
        yield {"type": kind.value, "securityLabel": [coding(PART_2)]}


def _form(facts: ConsentFacts, view: View) -> Element | None:
    """Return the form that was signed; where the programme keeps it is for the programme."""
    evidence = evidence_of(facts.evidence)
    if not isinstance(evidence, SignedForm) or not view.audience.is_programme:
        return None
    return {"title": evidence.document, "creation": evidence.signed_on.isoformat()}


def _verification(facts: ConsentFacts) -> list[Element]:
    match evidence_of(facts.evidence):
        case SignedForm(signed_on=moment) | VerbalConsent(given_on=moment):
            return [{"verified": True, "verificationDate": moment.isoformat()}]
        case ESignature(signed_at=moment):
            return [{"verified": True, "verificationDate": instant(moment)}]
        case _:
            return []


def _recipient(facts: ConsentFacts, view: View) -> Element:
    """Refer to the hospital; in words while no Organization of it has been entered."""
    if facts.connection_facility_id is None:
        return {"type": "Organization", "display": "The hospital that the decision is about"}
    return references.facility(view.audience, facts.connection_facility_id)
