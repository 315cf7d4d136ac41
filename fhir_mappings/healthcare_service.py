"""HealthcareService: a group in the public catalogue; it names and counts nobody.

Capacity is given in SDOHCC's words, never as seats:
http://hl7.org/fhir/us/sdoh-clinicalcare/StructureDefinition/SDOHCC-ExtensionHealthcareServiceCapacityStatus

https://hl7.org/fhir/R4/healthcareservice.html
"""

from collections.abc import Iterator

from fhir_mappings import labels, references
from fhir_mappings.codes import (
    CAPACITY_STATUS,
    FACILITATION,
    HAS_CAPACITY,
    MODALITY,
    NO_CAPACITY,
    SUPPORT_GROUPS,
    WAITLIST,
    Code,
)
from fhir_mappings.datatypes import Element, as_list, codeable_concept, language, present
from service.fhir.mapping import Draft, View
from service.models.facts import GroupFacts
from service.models.groups import GroupStatus


def render(facts: GroupFacts, view: View) -> Iterator[Draft]:
    if facts.status is GroupStatus.DRAFT:
        return
    place = references.location(view.audience, facts.place_id) if facts.place_id else None
    resource = present(
        {
            "extension": [_capacity_extension(facts)],
            "active": facts.status is not GroupStatus.CLOSED,
            "providedBy": references.programme(view.audience),
            "type": [codeable_concept(SUPPORT_GROUPS, facts.topic.strip())],
            "location": [place] if place else None,
            "name": facts.public_name,
            "comment": facts.purpose,
            "eligibility": as_list(present({"comment": facts.eligibility})),
            "characteristic": [
                codeable_concept(FACILITATION[facts.facilitation]),
                codeable_concept(MODALITY[facts.modality]),
            ],
            "communication": [language(facts.language)],
        }
    )
    source = references.source("group", facts.id)
    yield Draft("HealthcareService", source, resource, labels.PUBLIC)


def capacity(facts: GroupFacts) -> Code:
    """Return whether the group takes anyone: one on hold or closed does not."""
    if facts.status is not GroupStatus.ACTIVE:
        return NO_CAPACITY
    if facts.enrolled < facts.capacity:
        return HAS_CAPACITY
    return WAITLIST if facts.waiting else NO_CAPACITY


def _capacity_extension(facts: GroupFacts) -> Element:
    status = codeable_concept(capacity(facts))
    part = {"url": "capacityStatus", "valueCodeableConcept": status}
    return {"url": CAPACITY_STATUS, "extension": [part]}
