"""HealthcareService: a group in the public catalogue; it names and counts nobody.

Not even whether it is full: that is computed from everyone's members, and would make one
hospital's answer depend on another hospital's patients.

https://hl7.org/fhir/R4/healthcareservice.html
"""

from collections.abc import Iterator

from fhir_mappings import labels, references
from fhir_mappings.codes import (
    FACILITATION,
    MODALITY,
    SUPPORT_GROUPS,
)
from fhir_mappings.datatypes import as_list, codeable_concept, language, present, texts
from service.fhir.mapping import Draft, View
from service.models.facts import GroupFacts
from service.models.groups import GroupStatus


def render(facts: GroupFacts, view: View) -> Iterator[Draft]:
    if facts.status is GroupStatus.DRAFT:
        return
    place = references.location(view.audience, facts.place_id) if facts.place_id else None
    resource = present(
        {
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
            "communication": [language(tag) for tag in texts(facts.language)],
        }
    )
    source = references.source("group", facts.id)
    yield Draft("HealthcareService", source, resource, labels.PUBLIC)
