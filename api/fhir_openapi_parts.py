"""What the addresses of /fhir share in the OpenAPI document.

https://spec.openapis.org/oas/v3.1.0.html
"""

from typing import Any

Json = dict[str, Any]

FHIR_JSON = "application/fhir+json"
TAG = "FHIR"
ID: Json = {
    "name": "id", "in": "path", "required": True,
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9.-]{1,64}$"},
}  # fmt: skip
BUNDLE: Json = {
    "resourceType": "Bundle",
    "type": "searchset",
    "link": [{"relation": "self", "url": "https://example.org/fhir/Goal?lifecycle-status=active"}],
    "entry": [
        {
            "fullUrl": "https://example.org/fhir/Goal/8b2f0c4d6e7a4f5b9c1d2e3f4a5b6c7d",
            "resource": {
                "resourceType": "Goal",
                "id": "8b2f0c4d6e7a4f5b9c1d2e3f4a5b6c7d",
                "lifecycleStatus": "active",
                "description": {"text": "Come to the group every week"},
                "subject": {"reference": "Patient/0f1e2d3c4b5a69788796a5b4c3d2e1f0"},
            },
            "search": {"mode": "match"},
        }
    ],
}


def component(part: str, name: str) -> Json:
    return {"$ref": f"#/components/{part}/{name}"}


def schema_of(name: str) -> Json:
    return component("schemas", name)


def operation(name: str, interaction: str, summary: str) -> Json:
    """Return an operation of the document; its id joins the first two."""
    return {
        "tags": [TAG],
        "operationId": f"{interaction}{name}",
        "summary": summary,
        "security": [{"clientCredentials": []}],
        "responses": {
            "4XX": component("responses", "FhirRefusal"),
            "503": component("responses", "FhirRefusal"),
        },
    }


def answering_bundle(found: Json) -> Json:
    """Let the good answer be a Bundle."""
    found["responses"] = {"200": component("responses", "FhirBundle"), **found["responses"]}
    return found


def answering(found: Json, status: str, name: str, shown: Json) -> Json:
    """Put the good answer before the errors."""
    media = {"schema": schema_of(name), **shown}
    good = {"description": "As asked", "content": {FHIR_JSON: media}}
    found["responses"] = {status: good, **found["responses"]}
    return found


def a(name: str) -> str:
    """Return the name with its article."""
    return f"{'an' if name[0] in 'AEIO' else 'a'} {name}"
