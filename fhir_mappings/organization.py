"""Organization: the programme, for everyone, and a hospital's facilities, for that hospital.

https://hl7.org/fhir/R4/organization.html
"""

from collections.abc import Iterator

from fhir_mappings import labels, references
from fhir_mappings.codes import PROVIDER, US_CORE
from fhir_mappings.datatypes import (
    Element,
    address,
    as_list,
    codeable_concept,
    present,
    telecom,
)
from service.fhir.mapping import Draft, View
from service.models.facts import FacilityFacts, ProgrammeFacts
from service.models.purposes import EVERY_PURPOSE

PROFILES = (f"{US_CORE}/us-core-organization",)


def render_programme(facts: ProgrammeFacts, _view: View) -> Iterator[Draft]:
    yield _draft(references.PROGRAMME, _organization(facts))


def render_facility(facts: FacilityFacts, view: View) -> Iterator[Draft]:
    part_of = references.facility(view.audience, facts.part_of_id) if facts.part_of_id else None
    resource = present({**_organization(facts), "partOf": part_of})
    yield _draft(references.source("facility", facts.id), resource)


def _organization(facts: ProgrammeFacts | FacilityFacts) -> Element:
    return present(
        {
            "active": True,
            "type": [codeable_concept(PROVIDER)] if isinstance(facts, FacilityFacts) else None,
            "name": facts.name,
            "telecom": telecom(facts.phone),
            "address": as_list(address(facts.address)),
        }
    )


def _draft(source: str, resource: Element) -> Draft:
    return Draft("Organization", source, resource, labels.PUBLIC, PROFILES, purposes=EVERY_PURPOSE)
