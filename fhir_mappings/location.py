"""Location: where groups meet.

https://hl7.org/fhir/R4/location.html
"""

from collections.abc import Iterator

from fhir_mappings import labels, references
from fhir_mappings.codes import US_CORE
from fhir_mappings.datatypes import address, present, telecom
from service.fhir.mapping import Draft, View
from service.models.facts import PlaceFacts

PROFILES = (f"{US_CORE}/us-core-location",)


def render(facts: PlaceFacts, view: View) -> Iterator[Draft]:
    resource = present(
        {
            "status": "active",
            "name": facts.name,
            "mode": "instance",
            "telecom": telecom(facts.phone),
            "address": address(facts.address),
            "managingOrganization": references.programme(view.audience),
        }
    )
    source = references.source("place", facts.id)
    yield Draft("Location", source, resource, labels.PUBLIC, PROFILES)
