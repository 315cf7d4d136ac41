"""Patient: one document for each hospital, with that hospital's record numbers only.

https://hl7.org/fhir/R4/patient.html
"""

from collections.abc import Iterator

from fhir_mappings import labels, references
from fhir_mappings.codes import IDENTIFIERS, MEDICAL_RECORD, US_CORE
from fhir_mappings.datatypes import (
    Element,
    address,
    as_list,
    human_name,
    identifier,
    language,
    present,
    telecom,
    texts,
)
from fhir_mappings.visibility import may_know
from service.fhir.mapping import Draft, View
from service.models.facts import PatientFacts

PROFILES = (f"{US_CORE}/us-core-patient",)


def render(facts: PatientFacts, view: View) -> Iterator[Draft]:
    if not may_know(facts, view):
        return
    identifiers = [*_own_identifier(facts, view), *_record_numbers(view)]
    resource = present(
        {
            "extension": list(facts.extensions),
            "identifier": identifiers,
            "active": True,
            "name": [human_name(facts.family, facts.given)],
            "telecom": telecom(facts.phone, facts.email),
            "gender": facts.gender.value,
            "birthDate": facts.birth_date.isoformat() if facts.birth_date else None,
            "address": as_list(address(facts.address)),
            "communication": [{"language": language(tag)} for tag in texts(facts.language)],
            "managingOrganization": references.programme(view.audience),
        }
    )
    yield Draft(
        "Patient",
        references.source("patient", facts.id),
        resource,
        labels.PERSON,
        PROFILES if identifiers else (),
        facts.id,
    )


def _record_numbers(view: View) -> list[Element]:
    """Return the record numbers at the view's own hospital; at all of them for the programme."""
    audience = view.audience
    return [
        identifier(link.mrn_system, link.mrn, MEDICAL_RECORD)
        for link in view.disclosure.links
        if audience.is_programme or link.connection_id == audience.connection_id
    ]


def _own_identifier(facts: PatientFacts, view: View) -> list[Element]:
    if not view.audience.is_programme:
        return []
    value = view.audience.keyed("patient", facts.id.hex)
    return [identifier(f"{IDENTIFIERS}/patient", value)]
