"""PractitionerRole: every facilitator, by role; the person only where the name is public.

No US Core profile is claimed: it demands a telecom or an endpoint, which a facilitator has not.
No healthcareService is named, because it would say which group somebody attends.

https://hl7.org/fhir/R4/practitionerrole.html
"""

from collections.abc import Iterator

from fhir_mappings import labels, references
from fhir_mappings.codes import FACILITATOR
from fhir_mappings.datatypes import codeable_concept, present
from service.fhir.mapping import Draft, View
from service.models.facts import FacilitatorFacts


def render(facts: FacilitatorFacts, view: View) -> Iterator[Draft]:
    source = references.source("facilitator", facts.id)
    person = view.audience.public.reference("Practitioner", source)
    resource = present(
        {
            "active": facts.active,
            "practitioner": person if facts.name_is_public else None,
            "organization": references.programme(view.audience),
            "code": [codeable_concept(FACILITATOR[facts.kind])],
        }
    )
    yield Draft("PractitionerRole", source, resource, labels.PUBLIC)
