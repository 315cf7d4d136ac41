"""Everything about one person: a page to read, and FHIR Bundles.

https://hl7.org/fhir/R4/bundle.html
"""

from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response

from api import subjects
from api.routes.v1.calls import Call, Protecting
from service.subjects.record import Export

router = APIRouter(tags=["data subject"])

FHIR, HTML, ZIP = "application/fhir+json", "text/html; charset=utf-8", "application/zip"
# The page asks nothing of any other host, and runs no script.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
BINARY = {"type": "string", "format": "binary"}
FILE: dict[str, Any] = {
    "200": {
        "description": "The file",
        "content": {
            "application/zip": {"schema": BINARY, "example": "PK..."},
            "text/html": {"schema": {"type": "string"}, "example": "<!doctype html>..."},
            "application/fhir+json": {
                "schema": {"type": "object"},
                "example": {"resourceType": "Bundle", "type": "collection"},
            },
        },
    }
}


class ExportFormat(StrEnum):
    ZIP = "zip"
    HTML = "html"
    FHIR = "fhir"


Format = Annotated[
    ExportFormat, Query(description="Both in a zip, the page alone, or one Bundle of Bundles")
]


@router.get(
    "/patients/{patient_id}/export",
    response_model=None,
    response_class=Response,
    openapi_extra={"responses": FILE},
)
def export_person(
    call: Protecting,
    patient_id: UUID,
    format: Format = ExportFormat.ZIP,  # noqa: A002 - the parameter's name
) -> Response:
    """Return all that is held about a person, records that were merged too."""
    found = call.read(lambda session: subjects.exported(call.context, session, patient_id))
    call.about(found.family)
    body, media = _file(call, found, format)
    name = f"export.{format.value if format is not ExportFormat.FHIR else 'json'}"
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Security-Policy": POLICY,
    }
    return Response(body, 200, headers, media)


def _file(call: Call, found: Export, wanted: ExportFormat) -> tuple[bytes, str]:
    programme = call.context.settings.programme_name
    if wanted is ExportFormat.HTML:
        return subjects.page(found, programme), HTML
    if wanted is ExportFormat.FHIR:
        return subjects.bundle(found), FHIR
    return subjects.archive(found, programme), ZIP
