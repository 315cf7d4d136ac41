"""Patient: one document for each hospital, with that hospital's record numbers only.

https://hl7.org/fhir/R4/patient.html
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

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
from fhir_mappings.visibility import knowing, only_sent
from service.commands import CreatePatient, ReceivePatient
from service.fhir.lexical import parse, said_in_meta
from service.fhir.mapping import Draft, Owner, View
from service.models.facts import PatientFacts
from service.models.patients import Gender

PROFILES = (f"{US_CORE}/us-core-patient",)
DEMOGRAPHICS = frozenset(
    {"extension", "name", "telecom", "gender", "birthDate", "address", "communication"}
)


def render(facts: PatientFacts, view: View) -> Iterator[Draft]:
    if not (purposes := knowing(facts, view)):
        return
    identifiers = [*_own_identifier(facts, view), *_record_numbers(view)]
    alone = only_sent(view)
    resource = present(
        {
            "extension": list(facts.extensions),
            "identifier": identifiers,
            "active": facts.merged_into_id is None,
            "name": [human_name(facts.family, facts.given)],
            "telecom": telecom(facts.phone, facts.email),
            "gender": facts.gender.value,
            "birthDate": facts.birth_date.isoformat() if facts.birth_date else None,
            "address": as_list(address(facts.address)),
            "communication": [{"language": language(tag)} for tag in texts(facts.language)],
            "managingOrganization": references.programme(view.audience),
            "link": _merges(facts, view),
        }
    )
    resource = _without_demographics(resource) if alone else resource
    profiles = PROFILES if identifiers and not alone else ()
    source = references.source("patient", facts.id)
    plain = Draft(
        "Patient", source, resource, labels.PERSON, profiles, facts.id,
        purposes=purposes, past_is_sealed=alone,
    )  # fmt: skip
    hospital = view.audience.connection_id
    received = facts.received.get(hospital) if hospital else None
    yield plain if received is None else _as_sent(plain, received)


def _without_demographics(resource: Element) -> Element:
    return {name: value for name, value in resource.items() if name not in DEMOGRAPHICS}


def _merges(facts: PatientFacts, view: View) -> list[Element]:
    """Return the links to the records that were merged; a hospital knows one of them only."""
    if not view.audience.is_programme:
        return []
    by = [facts.merged_into_id] if facts.merged_into_id else []
    of = {"replaced-by": by, "replaces": facts.replaces}
    return [
        {"other": references.patient(view.audience, other), "type": kind}
        for kind, others in of.items()
        for other in others
    ]


def _as_sent(plain: Draft, received: bytes) -> Draft:
    """Return the Patient as its own hospital sent it."""
    lexical = parse(received)
    return replace(
        plain,
        resource=lexical.value,
        profiles=(),
        past_is_sealed=False,
        owner=Owner.SHARED,
        members=lexical.members,
        meta=said_in_meta(lexical.value),
    )


def _record_numbers(view: View) -> list[Element]:
    """Return the record numbers at the view's own hospital; at all of them for the programme."""
    audience = view.audience
    return [
        identifier(link.mrn_system, link.mrn, MEDICAL_RECORD)
        for link in view.disclosure.links
        if link.mrn and (audience.is_programme or link.connection_id == audience.connection_id)
    ]


def _own_identifier(facts: PatientFacts, view: View) -> list[Element]:
    if not view.audience.is_programme:
        return []
    value = view.audience.keyed("patient", facts.id.hex)
    return [identifier(f"{IDENTIFIERS}/patient", value)]


def to_command(resource: dict[str, Any], **sending: Any) -> ReceivePatient:  # noqa: ANN401 - fields
    """Return the command that takes in a Patient which a hospital sent.

    `sending` says the other fields of the command: ids, and the bytes as they came.
    """
    return ReceivePatient(
        **sending, **_person(resource), identifiers=tuple(_identifiers(resource, set()))
    )


def to_person(resource: dict[str, Any]) -> tuple[CreatePatient, tuple[tuple[str, str], ...]]:
    """Return the command that adds this person, and the identifiers that are in use."""
    return CreatePatient(**_person(resource)), tuple(_identifiers(resource, {"old"}))


def _person(resource: dict[str, Any]) -> dict[str, Any]:
    """Return what the programme takes from a Patient."""
    return {
        **_name(resource),
        **_home(resource),
        "gender": Gender(resource.get("gender", Gender.UNKNOWN)),
        "birth_date": _day(resource.get("birthDate")),
        "phone": _contact(resource, "phone"),
        "email": _contact(resource, "email"),
    }


def _identifiers(resource: dict[str, Any], but: set[str]) -> Iterator[tuple[str, str]]:
    for each in _items(resource, "identifier"):
        if "system" in each and "value" in each and each.get("use") not in but:
            yield each["system"], each["value"]


def _name(resource: dict[str, Any]) -> dict[str, Any]:
    names = _items(resource, "name")
    name = next((n for n in names if n.get("use") == "official"), names[0] if names else {})
    given = " ".join(filter(None, name.get("given", ()))) or name.get("text", "")
    return {"family": name.get("family", ""), "given": given}


def _home(resource: dict[str, Any]) -> dict[str, Any]:
    home = next(iter(_items(resource, "address")), {})
    return {
        "line": ", ".join(filter(None, home.get("line", ()))) or None,
        "city": home.get("city"),
        "state": home.get("state"),
        "postal_code": home.get("postalCode"),
        "country": home.get("country"),
    }


def _items(resource: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [each for each in resource.get(name, ()) if isinstance(each, dict)]


def _day(text: str | None) -> date | None:
    """Return a birth date that says the day; the programme keeps no other."""
    return date.fromisoformat(text) if text and len(text) == len("2000-01-01") else None


def _contact(resource: dict[str, Any], system: str) -> str | None:
    found = (each for each in _items(resource, "telecom") if each.get("system") == system)
    return next(found, {}).get("value")
