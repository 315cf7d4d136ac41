"""The CapabilityStatement, made from what the registry serves, so that it cannot drift.

https://hl7.org/fhir/R4/capabilitystatement.html
"""

from importlib.metadata import version
from typing import Any

import orjson

from service.fhir.mapping import Registry, ResourceType

FHIR_VERSION = "4.0.1"
RELEASED = "2026-11-23"
READING = ("read", "vread", "history-instance", "search-type")
WRITING = ("create", "update")
RESOURCE = "http://hl7.org/fhir/SearchParameter/Resource-"
SHARED_PARAMETERS = (
    {"name": "_id", "type": "token", "definition": f"{RESOURCE}id"},
    {"name": "_lastUpdated", "type": "date", "definition": f"{RESOURCE}lastUpdated"},
)
ABOUT = (
    "Support groups beside formal treatment, as FHIR. This service is not an emergency system."
    " A client sees the documents of its own hospital's patients only."
    " Search: `_count`, `_sort` by one of `_id`, `_lastUpdated` and the type's date,"
    " `_total=accurate`, `_summary=count`; otherwise pages are in order of `_lastUpdated`."
    " An unsupported parameter is refused under `Prefer: handling=strict`, else left out of the"
    " self link and reported as an entry with search mode outcome."
)
SAFETY = (
    "Scored on arrival. When a safety rule of the questionnaire is met, such as PHQ-9 item 9, the"
    " answer to create or update is an OperationOutcome with a warning that carries crisis text,"
    " whatever `Prefer: return` says; the resource is at Location."
)
SECURITY = "OAuth 2.0 client credentials; scopes as system/[type].[cruds], such as system/*.rs"


def capability_statement(registry: Registry, base: str, crisis_text: str = "") -> bytes:
    """Return the statement of this server; it changes only when the software does."""
    statement: dict[str, Any] = {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": RELEASED,
        "kind": "instance",
        "software": {"name": "Alongside", "version": version("alongside")},
        "implementation": {"description": "Alongside", "url": base},
        "fhirVersion": FHIR_VERSION,
        "format": ["json", "application/fhir+json"],
        "rest": [
            {
                "mode": "server",
                "documentation": f"{ABOUT} {crisis_text}".strip(),
                "security": _security(base),
                "resource": [_resource(kind) for kind in _sorted(registry)],
            }
        ],
    }
    return orjson.dumps(statement)


def _sorted(registry: Registry) -> list[ResourceType]:
    return sorted(registry.types, key=lambda kind: kind.name)


def _security(base: str) -> dict[str, Any]:
    return {
        "cors": False,
        "service": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
                        "code": "OAuth",
                        "display": "OAuth",
                    }
                ]
            }
        ],
        "description": f"{SECURITY}. Tokens: {base.removesuffix('/fhir')}/oauth/token",
    }


def _resource(kind: ResourceType) -> dict[str, Any]:
    interactions = (*READING, *WRITING) if kind.writable else READING
    found: dict[str, Any] = {"type": kind.name}
    if kind.profiles:
        found["supportedProfile"] = list(kind.profiles)
    documentation = " ".join(filter(None, (kind.documentation, SAFETY if kind.writable else "")))
    if documentation:
        found["documentation"] = documentation
    found |= {
        "interaction": [{"code": code} for code in interactions],
        "versioning": "versioned-update" if kind.writable else "versioned",
        "readHistory": not kind.current_only,
        "updateCreate": False,
        "conditionalCreate": False,
        "conditionalRead": "not-match",
        "conditionalUpdate": False,
        "referencePolicy": ["literal", "local"],
        "searchParam": [*SHARED_PARAMETERS, *_parameters(kind)],
    }
    return found


def _parameters(kind: ResourceType) -> list[dict[str, str]]:
    found = []
    for parameter in kind.parameters:
        entry = {"name": parameter.name}
        if parameter.definition:
            entry["definition"] = parameter.definition
        found.append({**entry, "type": parameter.type})
    return found
