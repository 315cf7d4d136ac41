"""Consent: one decision of a person about one hospital and one kind of fact.

It is read by the programme, and by that hospital while it may have anything of the person.

https://hl7.org/fhir/R4/consent.html
"""

from collections.abc import Iterator

from fhir_mappings import labels, references
from fhir_mappings.codes import (
    ACCESS,
    CATEGORY,
    DISCLOSE,
    GROUP_NAME,
    OPT_IN,
    OPT_OUT,
    PART_2,
    PATIENT_CONSENT,
    PRIVACY,
    RECIPIENT,
    Code,
)
from fhir_mappings.datatypes import Element, codeable_concept, coding, instant, period, present
from fhir_mappings.visibility import any_category
from service.fhir.mapping import Draft, View
from service.models.consents import Category, Decision
from service.models.facts import ConsentFacts

POLICY = {Decision.PERMIT: OPT_IN, Decision.DENY: OPT_OUT}


def render(facts: ConsentFacts, view: View) -> Iterator[Draft]:
    concerned = facts.connection_id == view.audience.connection_id and any_category(view)
    if not concerned and not view.audience.is_programme:
        return
    resource = {
        "status": "inactive" if facts.withdrawn_at else "active",
        "scope": codeable_concept(PRIVACY),
        "category": [codeable_concept(PATIENT_CONSENT)],
        "patient": references.patient(view.audience, facts.patient_id),
        "dateTime": instant(facts.created_at),
        "organization": [references.programme(view.audience)],
        "policyRule": codeable_concept(POLICY[facts.decision]),
        "provision": _provision(facts, view),
    }
    source = references.source("consent", facts.id)
    yield Draft("Consent", source, resource, labels.PERSON, patient_id=facts.patient_id)


def _provision(facts: ConsentFacts, view: View) -> Element:
    recipient = {"role": codeable_concept(RECIPIENT), "reference": _recipient(facts, view)}
    return present(
        {
            "type": facts.decision.value,
            "period": period(facts.start, facts.end),
            "actor": [recipient],
            "action": [codeable_concept(ACCESS), codeable_concept(DISCLOSE)],
            "code": [codeable_concept(code) for code in _kinds(facts)],
            "provision": _exceptions(facts),
        }
    )


def _kinds(facts: ConsentFacts) -> list[Code]:
    named = (
        facts.shows_group_name
        and facts.category is Category.ENROLLMENT
        and facts.decision is Decision.PERMIT
    )
    return [CATEGORY[facts.category], *([GROUP_NAME] if named else [])]


def _exceptions(facts: ConsentFacts) -> list[Element]:
    """Except what 42 CFR Part 2 protects from a permit that does not speak of it."""
    if facts.decision is Decision.DENY or facts.covers_part2:
        return []
    return [{"type": "deny", "securityLabel": [coding(PART_2)]}]


def _recipient(facts: ConsentFacts, view: View) -> Element:
    """Refer to the hospital; in words while no Organization of it has been entered."""
    if facts.connection_facility_id is None:
        return {"type": "Organization", "display": "The hospital that the decision is about"}
    return references.facility(view.audience, facts.connection_facility_id)
