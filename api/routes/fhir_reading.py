"""/fhir, reading: each address and method led to its interaction; bytes out.

https://hl7.org/fhir/R4/http.html
"""

from starlette.requests import Request
from starlette.responses import Response

from api.context import Context
from api.dependencies import access_of
from api.negotiation import accepts_json, is_strict, pairs_of, versions
from api.responses import FhirResponse, not_modified, refusal
from api.routes.fhir_requests import (
    FORM,
    Interaction,
    body_of,
    not_acceptable,
    query_of,
    told,
    too_large,
)
from service.access import Access
from service.errors import NotSupportedError
from service.fhir.capability import capability_statement
from service.fhir.endpoint import Answer
from service.fhir.interactions.history_instance import history_instance
from service.fhir.interactions.read import read
from service.fhir.interactions.search_type import search_type
from service.fhir.interactions.vread import vread


def metadata_of(context: Context) -> Interaction:
    settings = context.settings
    body = capability_statement(context.registry, context.endpoint.base, settings.crisis_text)
    answer = Answer(200, body)

    async def metadata(request: Request, _context: Context) -> Response:
        if not accepts_json(request, pairs_of(request.url.query)):
            return not_acceptable()
        return FhirResponse(answer)

    return metadata


async def read_instance(request: Request, context: Context) -> Response:
    access = await access_of(request, context)
    name, document_id = request.path_params["type"], request.path_params["id"]
    if refused := why_not_read(request):
        return refused
    answer = await read(context.endpoint, access, name, document_id)
    request.state.patients = answer.patients
    seen = versions(request, "If-None-Match")
    if seen and seen & {"*", str(answer.version)}:
        return not_modified(answer)
    return FhirResponse(answer)


async def read_version(request: Request, context: Context) -> Response:
    access = await access_of(request, context)
    if refused := why_not_read(request):
        return refused
    where = request.path_params
    answer = await vread(context.endpoint, access, where["type"], where["id"], where["version"])
    return told(request, answer)


async def history_of_instance(request: Request, context: Context) -> Response:
    access = await access_of(request, context)
    pairs, where = pairs_of(query_of(request)), request.path_params
    if not accepts_json(request, pairs):
        return not_acceptable()
    strict = is_strict(request)
    answer = await history_instance(
        context.endpoint, access, where["type"], where["id"], pairs=pairs, strict=strict
    )
    return told(request, answer)


async def search(request: Request, context: Context) -> Response:
    access = await access_of(request, context)
    return await searched(request, context, access, query_of(request))


async def searched(request: Request, context: Context, access: Access, query: str) -> Response:
    pairs = pairs_of(query)
    if not accepts_json(request, pairs):
        return not_acceptable()
    name, strict = request.path_params["type"], is_strict(request)
    answer = await search_type(context.endpoint, access, name, pairs, strict=strict)
    return told(request, answer)


async def search_by_post(request: Request, context: Context) -> Response:
    access = await access_of(request, context)
    if request.path_params["id"] != "search":
        raise NotSupportedError("POST to an instance is not offered here")
    if not request.headers.get("content-type", "").lower().startswith(FORM):
        return refusal(415, "not-supported", f"send the parameters as {FORM}")
    body = await body_of(request)
    if body is None:
        return too_large()
    form = body.decode("ascii", "replace")
    query = "&".join(part for part in (query_of(request), form) if part)
    request.state.searched = query.encode("latin-1", "replace")
    return await searched(request, context, access, query)


def why_not_read(request: Request) -> Response | None:
    """Return why a read cannot be answered as it was asked, if it cannot."""
    pairs = pairs_of(query_of(request))
    if not accepts_json(request, pairs):
        return not_acceptable()
    other = [name for name, _ in pairs if name not in {"_format", "_pretty"}]
    if other and is_strict(request):
        return refusal(400, "not-supported", "a read takes _format only")
    return None
