"""The FHIR half of the OpenAPI document, from the registry, with the golden files as examples.

https://hl7.org/fhir/R4/http.html
"""

from importlib.resources import files
from typing import Any

import orjson

from service.fhir.mapping import Registry, ResourceType, SearchParameter

FHIR_JSON = "application/fhir+json"
SPECIFICATION = "https://hl7.org/fhir/R4"
EXAMPLES = files("api").joinpath("examples")
TAG = "FHIR"
TEXT = {"type": "string"}
ID = {
    "name": "id", "in": "path", "required": True,
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9.-]{1,64}$"},
}  # fmt: skip
VERSION = {"name": "version", "in": "path", "required": True, "schema": TEXT}
SHARED = {
    "_id": "The resource's id",
    "_lastUpdated": "When it last changed, with a prefix such as ge",
    "_count": "How many on a page",
    "_sort": "_id, _lastUpdated or the type's date; a minus sign before it: newest first",
    "_total": "accurate: with the number of all matches",
    "_summary": "count: the number of all matches alone",
}
ERRORS = {
    "400": ("A rule is broken: the outcome names the element and the rule", "invalid"),
    "401": ("There is no valid access token", "login"),
    "403": ("The token does not allow it, or another owns the resource", "forbidden"),
    "404": ("There is no such resource for this caller", "not-found"),
    "412": ("If-Match names a version that is not the current one", "conflict"),
    "422": ("The present state forbids it", "business-rule"),
}
READING_ERRORS = ("400", "401", "403", "404")


def example(name: str) -> dict[str, Any]:
    """Return a resource of this type as it is served."""
    found: dict[str, Any] = orjson.loads(EXAMPLES.joinpath(f"{name}.json").read_bytes())
    return found


def components(registry: Registry) -> dict[str, dict[str, Any]]:
    """Return what the paths refer to."""
    names = sorted(registry.by_type)
    return {
        "schemas": {"Bundle": _schema("Bundle"), **{name: _schema(name) for name in names}},
        "parameters": {name: _query(name, text) for name, text in SHARED.items()},
        "examples": {name: {"value": example(name)} for name in names},
        "responses": {f"Fhir{status}": _error(*said) for status, said in ERRORS.items()},
    }


def paths(registry: Registry) -> dict[str, Any]:
    """Return every address of the FHIR endpoint."""
    found: dict[str, Any] = {"/fhir/metadata": {"get": _metadata()}}
    for kind in sorted(registry.types, key=lambda each: each.name):
        address = f"/fhir/{kind.name}"
        found[address] = {"get": _search(kind)}
        found[f"{address}/{{id}}"] = {"get": _read(kind)}
        if kind.writable:
            found[address]["post"] = _write(kind, "create", "201")
            found[f"{address}/{{id}}"]["put"] = _write(kind, "update", "200")
        found[f"{address}/{{id}}/_history"] = {"get": _history(kind)}
        found[f"{address}/{{id}}/_history/{{version}}"] = {"get": _vread(kind)}
    return found


def _schema(name: str) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["resourceType"],
        "properties": {"resourceType": {"const": name}},
        "externalDocs": {"url": f"{SPECIFICATION}/{name.lower()}.html"},
    }


def _query(name: str, description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": description, "schema": TEXT}


def _error(description: str, code: str) -> dict[str, Any]:
    issue = {"severity": "error", "code": code, "diagnostics": description}
    shown = {"resourceType": "OperationOutcome", "issue": [issue]}
    return {"description": description, "content": {FHIR_JSON: {"example": shown}}}


def _operation(name: str, interaction: str, summary: str, *errors: str) -> dict[str, Any]:
    return {
        "tags": [TAG],
        "operationId": f"{interaction}{name}",
        "summary": summary,
        "security": [{"clientCredentials": []}],
        "responses": {
            status: {"$ref": f"#/components/responses/Fhir{status}"} for status in errors
        },
    }


def _answer(operation: dict[str, Any], status: str, name: str, shown: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Put the good answer before the errors."""
    media = {"schema": {"$ref": f"#/components/schemas/{name}"}, **shown}
    good = {"description": "As asked", "content": {FHIR_JSON: media}}
    operation["responses"] = {status: good, **operation["responses"]}
    return operation


def _shown(name: str) -> dict[str, Any]:
    return {"examples": {name: {"$ref": f"#/components/examples/{name}"}}}


def _metadata() -> dict[str, Any]:
    shown = {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "kind": "instance",
        "fhirVersion": "4.0.1",
        "format": ["json"],
    }
    operation = _operation("", "metadata", "What this endpoint can do")
    operation["security"] = []
    good = {"description": "As asked", "content": {FHIR_JSON: {"example": shown}}}
    operation["responses"] = {"200": good}
    return operation


def _search(kind: ResourceType) -> dict[str, Any]:
    operation = _operation(kind.name, "search", f"Search {kind.name}", *READING_ERRORS)
    operation["description"] = kind.documentation
    operation["parameters"] = [
        *(_query(each.name, _said(each)) for each in kind.parameters),
        *({"$ref": f"#/components/parameters/{name}"} for name in SHARED),
    ]
    entry = _entry(kind.name) | {"search": {"mode": "match"}}
    bundle = {
        "resourceType": "Bundle",
        "type": "searchset",
        "link": [{"relation": "self", "url": f"https://example.org/fhir/{kind.name}"}],
        "entry": [entry],
    }
    return _answer(operation, "200", "Bundle", {"example": bundle})


def _said(parameter: SearchParameter) -> str:
    return f"{parameter.type}, of {parameter.expression}"


def _entry(name: str) -> dict[str, Any]:
    resource = example(name)
    return {"fullUrl": f"https://example.org/fhir/{name}/{resource['id']}", "resource": resource}


def a(name: str) -> str:
    """Return the name with its article."""
    return f"{'an' if name[0] in 'AEIO' else 'a'} {name}"


def _read(kind: ResourceType) -> dict[str, Any]:
    operation = _operation(kind.name, "read", f"Read {a(kind.name)}", *READING_ERRORS)
    operation["parameters"] = [ID]
    return _answer(operation, "200", kind.name, _shown(kind.name))


def _vread(kind: ResourceType) -> dict[str, Any]:
    summary = f"Read a version of {a(kind.name)}"
    operation = _operation(kind.name, "vread", summary, *READING_ERRORS)
    operation["parameters"] = [ID, VERSION]
    return _answer(operation, "200", kind.name, _shown(kind.name))


def _history(kind: ResourceType) -> dict[str, Any]:
    summary = f"The versions of {a(kind.name)}, newest first"
    operation = _operation(kind.name, "history", summary, *READING_ERRORS)
    operation["parameters"] = [ID, {"$ref": "#/components/parameters/_count"}]
    entry = _entry(kind.name)
    entry["request"] = {"method": "POST", "url": kind.name}
    entry["response"] = {"status": "201", "etag": 'W/"1"'}
    bundle = {"resourceType": "Bundle", "type": "history", "entry": [entry]}
    return _answer(operation, "200", "Bundle", {"example": bundle})


def _write(kind: ResourceType, interaction: str, status: str) -> dict[str, Any]:
    errors = (
        (*READING_ERRORS, "412", "422") if interaction == "update" else (*READING_ERRORS, "422")
    )
    summary = f"{interaction.capitalize()} {a(kind.name)}"
    operation = _operation(kind.name, interaction, summary, *errors)
    sent = {key: value for key, value in example(kind.name).items() if key not in {"id", "meta"}}
    if interaction == "update":
        match = {"name": "If-Match", "in": "header", "schema": TEXT, "example": 'W/"1"'}
        operation["parameters"] = [ID, match]
        sent = {"resourceType": kind.name, "id": example(kind.name)["id"], **sent}
    schema = {"$ref": f"#/components/schemas/{kind.name}"}
    content = {FHIR_JSON: {"schema": schema, "example": sent}}
    operation["requestBody"] = {"required": True, "content": content}
    return _answer(operation, status, kind.name, _shown(kind.name))
