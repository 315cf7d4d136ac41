"""The CapabilityStatement, made from what the registry serves, so that it cannot drift.

https://hl7.org/fhir/R4/capabilitystatement.html
"""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import orjson

from service.fhir.audit_capability import AUDIT_EVENTS
from service.fhir.mapping import Owner, Registry, ResourceType, SearchParameter
from service.fhir.operations.operation import OPERATIONS
from service.fhir.rosters import ROSTER

FHIR_VERSION = "4.0.1"
RELEASED = "2026-11-23"
US_CORE = "http://hl7.org/fhir/us/core/CapabilityStatement/us-core-server"
INSTANTIATES = (US_CORE, f"{US_CORE}|6.1.0", f"{US_CORE}|7.0.0")
COMPARTMENT = "http://hl7.org/fhir/CompartmentDefinition/patient"
PATCH = "application/json-patch+json"
READING = ("read", "vread", "history-instance", "history-type", "search-type")
WRITING = {
    Owner.PROGRAMME: (),
    Owner.SHARED: ("create", "update", "patch"),
    Owner.CLIENT: ("create", "update", "patch", "delete"),
}
# Of these a client deletes what is only kept, not what the programme made something of.
KEPT_OR_SCORED = frozenset({"QuestionnaireResponse"})
OF_THE_SYSTEM = ("transaction", "batch", "search-system", "history-system")
RESOURCE = "http://hl7.org/fhir/SearchParameter/Resource-"
SHARED_PARAMETERS = (
    {"name": "_id", "type": "token", "definition": f"{RESOURCE}id"},
    {"name": "_lastUpdated", "type": "date", "definition": f"{RESOURCE}lastUpdated"},
)
COMMON_PARAMETERS = (
    {"name": "_profile", "type": "uri", "definition": f"{RESOURCE}profile"},
    {"name": "_security", "type": "token", "definition": f"{RESOURCE}security"},
    {"name": "_source", "type": "uri", "definition": f"{RESOURCE}source"},
    {"name": "_tag", "type": "token", "definition": f"{RESOURCE}tag"},
    {"name": "_has", "type": "special"},
)
ABOUT = (
    "Support groups beside formal treatment, as FHIR. This service is not an emergency system."
    " A client sees the documents of its own hospital's patients only."
    " An unsupported search parameter is refused under `Prefer: handling=strict`, else left out of"
    " the self link and reported as an entry with search mode outcome. Each document has one owner:"
    " what the programme owns nobody else writes, whatever its type says here."
    " Task is in the Patient compartment by `patient`; Group is in none."
)
SAFETY = (
    "Scored on arrival. When a safety rule of the questionnaire is met, such as PHQ-9 item 9, the"
    " answer to create or update is an OperationOutcome with a warning that carries crisis text,"
    " whatever `Prefer: return` says; the resource is at Location."
)
SECURITY = (
    "OAuth 2.0 client credentials, with a signed assertion (SMART Backend Services) or a secret;"
    " scopes as system/[type].[cruds], such as system/*.rs, and with ?parameter=value for the"
    " resources of a type that match"
)
OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
SERVICE = "http://terminology.hl7.org/CodeSystem/restful-security-service"


def capability_statement(
    registry: Registry,
    base: str,
    crisis_text: str = "",
    oauth_uris: Mapping[str, str] | None = None,
) -> bytes:
    """Return the statement of this server; it changes only when the software or a setting does."""
    statement: dict[str, Any] = {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": RELEASED,
        "kind": "instance",
        "instantiates": list(INSTANTIATES),
        "software": {"name": "Alongside", "version": version("alongside")},
        "implementation": {"description": "Alongside", "url": base},
        "fhirVersion": FHIR_VERSION,
        "format": ["json", "application/fhir+json"],
        "patchFormat": [PATCH],
        "rest": [{**_rest(registry, crisis_text), "security": _security(oauth_uris or {})}],
    }
    return orjson.dumps(statement)


def _rest(registry: Registry, crisis_text: str) -> dict[str, Any]:
    referring = _referring(registry)
    return {
        "mode": "server",
        "documentation": f"{ABOUT} {crisis_text}".strip(),
        "resource": [
            AUDIT_EVENTS,
            *(_resource(kind, referring[kind.name]) for kind in _sorted(registry)),
        ],
        "interaction": [{"code": code} for code in OF_THE_SYSTEM],
        "searchParam": list(COMMON_PARAMETERS),
        "compartment": [COMPARTMENT],
    }


def _sorted(registry: Registry) -> list[ResourceType]:
    return sorted(registry.types, key=lambda kind: kind.name)


def _referring(registry: Registry) -> dict[str, list[str]]:
    """Return, for each type, the parameters that lead to it, as `_revinclude` takes them."""
    found: dict[str, list[str]] = {name: [] for name in registry.by_type}
    for kind in _sorted(registry):
        for parameter in _references(kind):
            for target in parameter.targets or registry.by_type:
                if target in found and target != ROSTER:
                    found[target].append(f"{kind.name}:{parameter.name}")
    return found


def _references(kind: ResourceType) -> list[SearchParameter]:
    """Return what `_include` follows; a roster neither brings along nor is brought along."""
    if kind.name == ROSTER:
        return []
    return [each for each in kind.parameters if each.type == "reference"]


def _security(oauth_uris: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "cors": False,
        "service": [
            {
                "coding": [{"system": SERVICE, "code": code, "display": code}],
                "text": "OAuth 2.0 with SMART on FHIR scopes",
            }
            for code in ("SMART-on-FHIR", "OAuth")
        ],
        "description": SECURITY,
    }
    if oauth_uris:
        parts = [{"url": name, "valueUri": uri} for name, uri in oauth_uris.items()]
        found["extension"] = [{"url": OAUTH_URIS, "extension": parts}]
    return found


def _resource(kind: ResourceType, referring: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {"type": kind.name}
    if kind.profiles:
        found["supportedProfile"] = list(kind.profiles)
    is_scored = kind.name == "QuestionnaireResponse"
    documentation = " ".join(filter(None, (kind.documentation, SAFETY if is_scored else "")))
    if documentation:
        found["documentation"] = documentation
    found["interaction"] = [{"code": code} for code in (*READING, *writing_interactions(kind))]
    found |= _conditions(kind)
    if included := [f"{kind.name}:{each.name}" for each in _references(kind)]:
        found["searchInclude"] = included
    if referring:
        found["searchRevInclude"] = referring
    found["searchParam"] = [*SHARED_PARAMETERS, *map(_parameter, kind.parameters)]
    found["operation"] = [
        {"name": each.name, "definition": each.definition}
        for each in OPERATIONS
        if each.on(kind.name)
    ]
    return found


def writing_interactions(kind: ResourceType) -> tuple[str, ...]:
    """Return the interactions that write the type."""
    found = WRITING[kind.owner]
    return (*found, "delete") if kind.name in KEPT_OR_SCORED else found


def _conditions(kind: ResourceType) -> dict[str, Any]:
    """Return how the type is written, and on which conditions."""
    is_clients = kind.owner is Owner.CLIENT
    return {
        "versioning": "versioned-update" if kind.writable else "versioned",
        "readHistory": not kind.current_only,
        "updateCreate": is_clients,
        "conditionalCreate": kind.writable,
        "conditionalRead": "full-support",
        "conditionalUpdate": kind.writable,
        "conditionalDelete": "single"
        if "delete" in writing_interactions(kind)
        else "not-supported",
        "referencePolicy": ["literal", "local"],
    }


def _parameter(parameter: SearchParameter) -> dict[str, str]:
    entry = {"name": parameter.name}
    if parameter.definition:
        entry["definition"] = parameter.definition
    return {**entry, "type": parameter.type}
