"""The OpenAPI document: /v1 from its routes, /fhir from the registry, tokens by hand.

https://spec.openapis.org/oas/v3.1.0.html
"""

from importlib.metadata import version
from typing import Any

import orjson
import yaml
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api import fhir_openapi
from api.context import Context
from api.routes import metrics, package
from api.routes.v1.described import PROBLEM_SCHEMA

DESCRIPTION = (
    "Support groups beside formal treatment: `/v1` for the programme, `/fhir` (FHIR R4) for the"
    " hospitals of its members. Not an emergency service. Every operation but metadata, health"
    " and readiness takes an access token from `/oauth/token`."
)
INFO: dict[str, Any] = {
    "title": "Alongside",
    "version": version("alongside"),
    "description": DESCRIPTION,
    "license_info": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
}
TEXT = {"type": "string"}
TOKEN_FORM = {
    "type": "object",
    "required": ["grant_type", "scope"],
    "properties": {
        "grant_type": {"const": "client_credentials"},
        "scope": TEXT,
        "client_id": {**TEXT, "description": "Where HTTP Basic is not used"},
        "client_secret": {**TEXT, "description": "Where HTTP Basic is not used"},
    },
}
TOKEN_REPLY = {
    "access_token": "p7hXvGq0c2V0IG9mIDI1NiByYW5kb20gYml0cyBoZXJl",
    "token_type": "Bearer",
    "expires_in": 300,
    "scope": "system/*.rs",
}
CLOSED = {"error": "temporarily_unavailable", "error_description": "closed for maintenance"}
REFUSED = {"error": "invalid_client", "error_description": "Client authentication failed"}
WRONG = {"error": "invalid_scope", "error_description": "this client may not have: v1.write"}


def document(app: FastAPI, context: Context) -> dict[str, Any]:
    """Return the whole document."""
    found = get_openapi(
        title=app.title,
        version=app.version,
        openapi_version=app.openapi_version,
        description=app.description,
        license_info=app.license_info,
        routes=app.routes,
        servers=[{"url": "/"}],
    )
    components = found.setdefault("components", {})
    for name, part in fhir_openapi.components(context.registry).items():
        components.setdefault(name, {}).update(part)
    components.setdefault("schemas", {})["Problem"] = PROBLEM_SCHEMA
    components.setdefault("securitySchemes", {}).update(_schemes())
    apart = {**package.paths(), **metrics.paths(), **_token()}
    ours = {**fhir_openapi.paths(context.registry), **apart}
    found["paths"] = {**ours, **found["paths"]}
    return found


def _schemes() -> dict[str, Any]:
    return {"clientSecret": {"type": "http", "scheme": "basic"}}


def _token() -> dict[str, Any]:
    operation = {
        "tags": ["Tokens"],
        "operationId": "token",
        "summary": "Get an access token",
        "description": "RFC 6749, client credentials; or `alongside token` at the shell.",
        "security": [{"clientSecret": []}, {}],
        "requestBody": {
            "required": True,
            "content": {
                "application/x-www-form-urlencoded": {
                    "schema": TOKEN_FORM,
                    "example": {"grant_type": "client_credentials", "scope": "system/*.rs"},
                }
            },
        },
        "responses": {
            "200": _reply("A token; it is not to be stored", TOKEN_REPLY),
            "400": _reply("The request is wrong, or the scope is not to be had", WRONG),
            "401": _reply("The client did not prove who it is", REFUSED),
            "503": _reply("Closed for maintenance; Retry-After says for how long", CLOSED),
        },
    }
    return {"/oauth/token": {"post": operation}}


def _reply(description: str, example: dict[str, Any]) -> dict[str, Any]:
    content = {"application/json": {"schema": {"type": "object"}, "example": example}}
    return {"description": description, "content": content}


def as_json(found: dict[str, Any]) -> bytes:
    return orjson.dumps(found)


class _Plain(yaml.SafeDumper):
    """Writes a repeated part again, since an alias helps no reader."""

    def ignore_aliases(self, _data: object) -> bool:
        return True


def as_yaml(found: dict[str, Any]) -> str:
    """Return the same text for the same document."""
    plain = orjson.loads(orjson.dumps(found))
    return yaml.dump(
        plain, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=100,
        default_flow_style=None,
    )  # fmt: skip
