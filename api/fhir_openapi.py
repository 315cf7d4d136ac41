"""The FHIR half of the OpenAPI document, from the registry, with the golden files as examples.

https://hl7.org/fhir/R4/http.html
"""

from importlib.resources import files

import orjson

from api.fhir_openapi_parts import (
    BUNDLE,
    ID,
    Json,
    a,
    answering,
    answering_bundle,
    component,
    operation,
    schema_of,
)
from api.fhir_openapi_system import audit_events, operations, whole_server
from service.fhir.capability import writing_interactions
from service.fhir.mapping import Registry, ResourceType, SearchParameter

SPECIFICATION = "https://hl7.org/fhir/R4"
EXAMPLES = files("api").joinpath("examples")
FHIR_JSON = "application/fhir+json"
PATCH_JSON = "application/json-patch+json"
A_PATCH = [{"op": "replace", "path": "/status", "value": "completed"}]
SHARED = {
    "_id": "The resource's id",
    "_lastUpdated": "When it last changed, with a prefix such as ge",
    "_profile": "The profile that it claims",
    "_security": "A security label",
    "_source": "Where it came from",
    "_tag": "A tag",
    "_has": "As `_has:[type]:[reference]:[parameter]`: what refers to it",
    "_include": "What it refers to comes along, as type:parameter",
    "_revinclude": "What refers to it comes along, as type:parameter",
    "_count": "How many on a page",
    "_sort": "Parameters, separated by commas; a minus sign before one: newest or highest first",
    "_total": "accurate: with the number of all matches",
    "_summary": "true, text, data or count",
    "_elements": "The elements that are wanted",
}
ERRORS = {
    "400": ("A rule is broken: the outcome names the element and the rule", "invalid"),
    "401": ("There is no valid access token", "login"),
    "403": ("The token does not allow it, or another owns the resource", "forbidden"),
    "404": ("There is no such resource for this caller", "not-found"),
    "405": ("This is not offered here; Allow names what is", "not-supported"),
    "409": ("The state changed, or is not what the request needs", "conflict"),
    "410": ("It was deleted", "deleted"),
    "412": ("If-Match names another version, or a condition is met by several", "conflict"),
    "422": ("The present state forbids it", "business-rule"),
}
HEADERS = {
    "If-Match": ("The version that the caller has seen", 'W/"1"'),
    "If-None-Exist": ("Create only where this search finds nothing", "identifier=urn:example|1"),
    "Prefer": ("return=minimal, representation or OperationOutcome", "return=representation"),
}


def example(name: str) -> Json:
    """Return a resource of this type as it is served."""
    found: Json = orjson.loads(EXAMPLES.joinpath(f"{name}.json").read_bytes())
    return found


def components(registry: Registry) -> dict[str, Json]:
    """Return what the paths refer to."""
    names = sorted(registry.by_type)
    schemas = {name: _schema(name) for name in (*names, "AuditEvent", "Parameters")}
    schemas["Bundle"] = {**_schema("Bundle"), "example": BUNDLE}
    schemas["OperationOutcome"] = _schema("OperationOutcome")
    headers = {name: _header(name, *said) for name, said in HEADERS.items()}
    return {
        "schemas": schemas,
        "parameters": {
            "id": ID,
            **{name: _query(name, text) for name, text in SHARED.items()},
            **headers,
        },
        "examples": {name: {"value": example(name)} for name in names},
        "responses": {
            "FhirRefusal": _refusal(),
            "FhirBundle": {
                "description": "As asked",
                "content": {FHIR_JSON: {"schema": schema_of("Bundle")}},
            },
        },
    }


def paths(registry: Registry) -> Json:
    """Return every address of the FHIR endpoint."""
    found: Json = {}
    for kind in sorted(registry.types, key=lambda each: each.name):
        address = f"/fhir/{kind.name}"
        found[address] = {"get": _search(kind)}
        found[f"{address}/{{id}}"] = {"get": _read(kind)}
        for interaction in writing_interactions(kind):
            _add_writing(found, kind, interaction)
    found |= audit_events()
    return {**whole_server(sorted(registry.by_type)), **found, **operations(registry)}


def _add_writing(found: Json, kind: ResourceType, interaction: str) -> None:
    address = f"/fhir/{kind.name}"
    method = {"create": "post", "update": "put", "patch": "patch", "delete": "delete"}[interaction]
    where = address if interaction == "create" else f"{address}/{{id}}"
    found[where][method] = _write(kind, interaction)
    if interaction != "create":
        found[address][method] = _write(kind, interaction, conditional=True)


def _schema(name: str) -> Json:
    return {
        "type": "object",
        "required": ["resourceType"],
        "properties": {"resourceType": {"const": name}},
        "externalDocs": {"url": f"{SPECIFICATION}/{name.lower()}.html"},
    }


def _query(name: str, description: str) -> Json:
    return {"name": name, "in": "query", "description": description, "schema": {"type": "string"}}


def _header(name: str, description: str, shown: str) -> Json:
    said = {"name": name, "in": "header", "description": description}
    return {**said, "schema": {"type": "string"}, "example": shown}


def _refusal() -> Json:
    """Return what every operation may be refused with: an example for each status."""
    found = {}
    for status, (description, code) in ERRORS.items():
        issue = {"severity": "error", "code": code, "diagnostics": description}
        shown = {"resourceType": "OperationOutcome", "issue": [issue]}
        found[status] = {"summary": description, "value": shown}
    content = {FHIR_JSON: {"schema": schema_of("OperationOutcome"), "examples": found}}
    return {"description": "Refused: the outcome says why", "content": content}


def _shown(name: str) -> Json:
    return {"examples": {name: {"$ref": f"#/components/examples/{name}"}}}


def _search(kind: ResourceType) -> Json:
    found = operation(kind.name, "search", f"Search {kind.name}")
    found["description"] = kind.documentation
    found["parameters"] = [
        *(_query(each.name, _said(each)) for each in kind.parameters),
        *(component("parameters", name) for name in SHARED),
    ]
    return answering_bundle(found)


def _said(parameter: SearchParameter) -> str:
    return f"{parameter.type}, of {parameter.expression}"


def _read(kind: ResourceType) -> Json:
    found = operation(kind.name, "read", f"Read {a(kind.name)}")
    found["parameters"] = [component("parameters", "id")]
    return answering(found, "200", kind.name, _shown(kind.name))


def _write(kind: ResourceType, interaction: str, *, conditional: bool = False) -> Json:
    name = f"conditional{interaction.capitalize()}" if conditional else interaction
    by = ", found by the query" if conditional else ""
    summary = f"{interaction.capitalize()} {a(kind.name)}{by}"
    found = operation(kind.name, name, summary)
    headers = ("If-None-Exist", "Prefer") if interaction == "create" else ("If-Match", "Prefer")
    found["parameters"] = [component("parameters", each) for each in headers]
    if interaction != "create" and not conditional:
        found["parameters"].insert(0, component("parameters", "id"))
    if interaction == "delete":
        found["responses"] = {"204": {"description": "It is deleted"}, **found["responses"]}
        return found
    if interaction == "patch":
        content: Json = {PATCH_JSON: {"schema": {"type": "array"}, "example": A_PATCH}}
    else:
        content = {FHIR_JSON: {"schema": schema_of(kind.name), **_shown(kind.name)}}
    found["requestBody"] = {"required": True, "content": content}
    status = "201" if interaction == "create" else "200"
    return answering(found, status, kind.name, _shown(kind.name))
