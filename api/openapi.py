"""The OpenAPI document: /v1 from its routes, /fhir from the registry, /oauth by hand.

https://spec.openapis.org/oas/v3.1.0.html
"""

from importlib.metadata import version
from typing import Any

import orjson
import yaml
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api import fhir_openapi, oauth_openapi, registration_openapi
from api.context import Context
from api.routes import calendar, metrics, package
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
    components.setdefault("securitySchemes", {}).update(oauth_openapi.SCHEMES)
    apart = {**package.paths(), **metrics.paths(), **calendar.paths(), **oauth_openapi.paths()}
    apart |= registration_openapi.paths()
    ours = {**fhir_openapi.paths(context.registry), **apart}
    found["paths"] = {**ours, **found["paths"]}
    return found


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
