"""Practitioner: a facilitator who agreed to be named.

https://hl7.org/fhir/R4/practitioner.html
"""

from collections.abc import Iterator

from fhir_mappings import labels, references
from fhir_mappings.codes import IDENTIFIERS, US_CORE
from fhir_mappings.datatypes import human_name, identifier
from service.fhir.mapping import Draft, View
from service.models.facts import FacilitatorFacts

PROFILES = (f"{US_CORE}/us-core-practitioner",)


def render(facts: FacilitatorFacts, view: View) -> Iterator[Draft]:
    if not facts.name_is_public:
        return
    own = view.audience.keyed("facilitator", facts.id.hex)
    resource = {
        "identifier": [identifier(f"{IDENTIFIERS}/facilitator", own)],
        "active": facts.active,
        "name": [human_name(facts.family, facts.given)],
    }
    source = references.source("facilitator", facts.id)
    yield Draft("Practitioner", source, resource, labels.PUBLIC, PROFILES)
