"""GET /package.tgz: our definitions, for who installs them elsewhere; anybody may have them.

https://confluence.hl7.org/display/FHIR/NPM+Package+Specification
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fhir_mappings.conformance.canonical import VERSION
from fhir_mappings.conformance.package import NAME, package

GZIP = "application/gzip"


def routes() -> list[Route]:
    return [Route("/package.tgz", _package)]


def paths() -> dict[str, Any]:
    """Return what the OpenAPI document says of it."""
    content = {GZIP: {"schema": {"type": "string", "format": "binary"}, "example": "package.tgz"}}
    operation = {
        "tags": ["FHIR"],
        "operationId": "package",
        "summary": "Our code systems, value sets, extensions and operations as a FHIR package",
        "security": [],
        "responses": {"200": {"description": "A gzipped tar archive", "content": content}},
    }
    return {"/package.tgz": {"get": operation}}


def _package(_request: Request) -> Response:
    named = {
        "Content-Disposition": f'attachment; filename="{NAME}-{VERSION}.tgz"',
        "Cache-Control": "no-cache",
    }
    return Response(package(), media_type=GZIP, headers=named)
