"""What the OpenAPI document says of the server as a whole, of any type, and of operations.

https://hl7.org/fhir/R4/http.html
https://hl7.org/fhir/R4/operations.html
"""

from api.fhir_openapi_parts import (
    FHIR_JSON,
    Json,
    answering,
    answering_bundle,
    component,
    operation,
    schema_of,
)
from fhir_mappings.audit_event import AuditFacts, render
from service.fhir.audit_capability import AUDIT_PARAMETERS
from service.fhir.mapping import Registry
from service.fhir.operations.operation import (
    ANY,
    EVERYTHING,
    OPERATIONS,
    PROGRESS,
    VALIDATE,
    Operation,
)

FORM = "application/x-www-form-urlencoded"
STATEMENT = {
    "resourceType": "CapabilityStatement",
    "status": "active",
    "kind": "instance",
    "fhirVersion": "4.0.1",
    "format": ["json"],
}
AUDITED = render(
    AuditFacts(
        id="0199b7c2b0017d418e5f607182930415",
        at=1_767_632_531_482_913,
        request_id="0199b7c2b0017d418e5f607182930415",
        method="GET",
        route="/fhir/Observation",
        path="/fhir/Observation",
        status=200,
        query="_count=20",
        client="harbor-ehr",
        address="192.0.2.7",
        purpose="TREAT",
        patient="0f1e2d3c4b5a69788796a5b4c3d2e1f0",
        about_somebody=True,
    ),
    "https://example.org",
)
TRANSACTION = {
    "resourceType": "Bundle",
    "type": "transaction",
    "entry": [
        {
            "fullUrl": "urn:uuid:5b6a2f0e-1f2d-4c3b-8a9d-0e1f2a3b4c5d",
            "resource": {
                "resourceType": "Goal",
                "lifecycleStatus": "active",
                "description": {"text": "Come to the group every week"},
                "subject": {"reference": "Patient/0f1e2d3c4b5a69788796a5b4c3d2e1f0"},
            },
            "request": {"method": "POST", "url": "Goal"},
        }
    ],
}
OUTCOME = {
    "resourceType": "OperationOutcome",
    "issue": [
        {
            "severity": "information",
            "code": "informational",
            "details": {"text": "No error was found"},
        }
    ],
}
PARAMETERS = {
    "resourceType": "Parameters",
    "parameter": [{"name": "result", "valueBoolean": True}],
}
GIVEN: dict[str, Json] = {
    "resource": {"resource": {"resourceType": "Patient", "name": [{"family": "Rivera"}]}},
    "patient": {"valueString": "0f1e2d3c4b5a69788796a5b4c3d2e1f0"},
    "url": {"valueUri": "http://hl7.org/fhir/ValueSet/administrative-gender"},
    "_count": {"valueInteger": 50},
    "purpose": {"valueCode": "ETREAT"},
    "reason": {"valueString": "Brought in unconscious; I must know what was taken"},
}
A_RESOURCE: Json = {  # Parameters, or the resource itself
    "type": "object",
    "required": ["resourceType"],
    "properties": {"resourceType": {"type": "string"}},
}
STRUCTURES = frozenset({"Any", "CodeableConcept", "Coding", "Patient"})


def whole_server(names: list[str]) -> Json:
    """Return the addresses that are the same for every type."""
    kind = {"name": "type", "in": "path", "required": True, "schema": {"enum": names}}
    version = {"name": "version", "in": "path", "required": True, "schema": {"type": "string"}}
    one, count = component("parameters", "id"), component("parameters", "_count")
    history = {"parameters": [kind, one, count]}
    return {
        "/fhir/metadata": {"get": _metadata()},
        "/fhir": {
            "get": _bundle("searchSystem", "Search several types", [_types(), count]),
            "post": _transaction(),
        },
        "/fhir/_history": {"get": _bundle("historySystem", "The versions of everything", [count])},
        "/fhir/_search": {"post": _form("searchSystemByPost", "Search several types", [])},
        "/fhir/{type}/_history": {
            "get": _bundle("historyType", "The versions of one type", [kind, count])
        },
        "/fhir/{type}/_search": {"post": _form("searchByPost", "Search a type", [kind])},
        "/fhir/{type}/{id}/_history": {
            "get": _bundle("historyInstance", "The versions of one resource", history["parameters"])
        },
        "/fhir/{type}/{id}/_history/{version}": {"get": _vread([kind, one, version])},
        "/fhir/Patient/{id}/{type}": {
            "get": _bundle("searchCompartment", "Search what is about a patient", [one, kind])
        },
    }


def _types() -> Json:
    about = "The types to search, separated by commas"
    return {"name": "_type", "in": "query", "description": about, "schema": {"type": "string"}}


def _bundle(name: str, summary: str, parameters: list[Json]) -> Json:
    found = operation("", name, summary)
    found["parameters"] = parameters
    return answering_bundle(found)


def _form(name: str, summary: str, parameters: list[Json]) -> Json:
    found = _bundle(name, f"{summary}, with the parameters in the body", parameters)
    content = {FORM: {"schema": {"type": "object"}, "example": {"_count": "20"}}}
    found["requestBody"] = {"required": True, "content": content}
    return found


def _metadata() -> Json:
    found = operation("", "metadata", "What this endpoint can do")
    found["security"] = []
    good = {"description": "As asked", "content": {FHIR_JSON: {"example": STATEMENT}}}
    found["responses"] = {"200": good}
    return found


def _transaction() -> Json:
    summary = "A batch, or a transaction: all of it or nothing"
    found = operation("", "transaction", summary)
    content = {FHIR_JSON: {"schema": schema_of("Bundle"), "example": TRANSACTION}}
    found["requestBody"] = {"required": True, "content": content}
    return answering_bundle(found)


def _vread(parameters: list[Json]) -> Json:
    found = operation("", "vread", "Read a version of a resource")
    found["parameters"] = parameters
    shown = {"examples": {"Patient": component("examples", "Patient")}}
    good = {"description": "As asked", "content": {FHIR_JSON: shown}}
    found["responses"] = {"200": good, **found["responses"]}
    return found


def operations(registry: Registry) -> Json:
    """Return the addresses of the operations."""
    names = sorted(registry.by_type)
    kind = {"name": "type", "in": "path", "required": True, "schema": {"enum": names}}
    found: Json = {}
    for each in OPERATIONS:
        name = "{type}" if each.resource == ANY else each.resource
        within = [kind] if each.resource == ANY else []
        if each.at_type:
            path = found.setdefault(f"/fhir/{name}/${each.name}", {})
            path.update(_methods(each, within, at="Type"))
        if each.at_instance:
            path = found.setdefault(f"/fhir/{name}/{{id}}/${each.name}", {})
            path.update(_methods(each, [*within, component("parameters", "id")], at="Instance"))
    return found


def _methods(each: Operation, within: list[Json], *, at: str) -> Json:
    found = {"post": _invoked(each, within, f"Post{at}")}
    found["post"]["requestBody"] = _body(each)
    if each.get and not (each is VALIDATE and at == "Type"):
        found["get"] = _invoked(each, [*within, *_queried(each)], f"Get{at}")
    return found


def _invoked(each: Operation, parameters: list[Json], at: str) -> Json:
    found = operation(f"{each.resource.replace(ANY, 'Any')}{at}", _name(each), each.title)
    found["description"] = each.description
    found["parameters"] = parameters
    answer = next(one.type for one in each.parameters if one.use == "out")
    if answer == "Bundle":
        return answering_bundle(found)
    shown: dict[str, tuple[str, Json]] = {
        "OperationOutcome": ("OperationOutcome", {"example": OUTCOME}),
        "ValueSet": (
            "ValueSet",
            {"examples": {"ValueSet": component("examples", "ValueSet")}},
        ),
    }
    return answering(found, "200", *shown.get(answer, ("Parameters", {"example": PARAMETERS})))


def _name(each: Operation) -> str:
    first, *more = each.name.split("-")
    return first + "".join(part.capitalize() for part in more)


def _queried(each: Operation) -> list[Json]:
    return [
        {
            "name": one.name,
            "in": "query",
            "description": one.documentation,
            "schema": {"type": "string"},
        }
        for one in each.parameters
        if one.use == "in" and one.type not in STRUCTURES
    ]


def _body(each: Operation) -> Json:
    given = [{"name": name, **GIVEN[name]} for name in GIVEN if name in each.inputs]
    shown = {"resourceType": "Parameters", "parameter": given}
    schema = A_RESOURCE if "resource" in each.inputs else schema_of("Parameters")
    content = {FHIR_JSON: {"schema": schema, "example": shown}}
    required = each not in (EVERYTHING, PROGRESS) and bool(each.inputs)
    return {"required": required, "content": content}


def audit_events() -> Json:
    """Return the addresses of audit events, which are for a privacy officer's client."""
    search = operation("AuditEvent", "search", "Search audit events")
    search["parameters"] = [
        *(component("parameters", name) for name in ("_id", "_lastUpdated", "_count")),
        *(
            {"name": name, "in": "query", "schema": {"type": "string"}, "description": kind}
            for name, kind in AUDIT_PARAMETERS.items()
        ),
    ]
    read = operation("AuditEvent", "read", "Read an audit event")
    read["parameters"] = [component("parameters", "id")]
    return {
        "/fhir/AuditEvent": {"get": answering_bundle(search)},
        "/fhir/AuditEvent/{id}": {
            "get": answering(read, "200", "AuditEvent", {"example": AUDITED})
        },
    }
