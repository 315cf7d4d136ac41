"""/fhir, reading: each address and method led to its interaction; bytes out.

https://hl7.org/fhir/R4/http.html
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import orjson
from starlette.requests import Request
from starlette.responses import Response

from api.context import Context
from api.dependencies import access_of
from api.negotiation import accepts_json, is_strict, modified_since, pairs_of, versions
from api.responses import FhirResponse, not_modified, refusal
from api.routes.fhir_requests import (
    FORM,
    HISTORY,
    SEARCH,
    Interaction,
    body_of,
    not_acceptable,
    query_of,
    told,
    too_large,
)
from api.withholding import noting
from service.access import Access
from service.errors import NotSupportedError
from service.fhir.capability import capability_statement
from service.fhir.endpoint import Answer
from service.fhir.history import read_shape
from service.fhir.interactions.history_instance import history_instance
from service.fhir.interactions.history_system import history_system
from service.fhir.interactions.history_type import history_type
from service.fhir.interactions.read import read
from service.fhir.interactions.search_compartment import search_compartment
from service.fhir.interactions.search_system import search_system
from service.fhir.interactions.search_type import search_type
from service.fhir.interactions.vread import vread
from service.fhir.presentation import shaped
from service.fhir.search_plan import WHOLE, Pairs, Shape
from service.smart.discovery import (
    INSTALLATION,
    installation_mark,
    oauth_uris,
    smart_configuration,
)

OF_A_READ = frozenset({"_format", "_pretty", "_summary", "_elements"})

Interacts = Callable[[Access, Pairs, bool], Awaitable[Answer]]


def metadata_of(context: Context) -> Interaction:
    settings = context.settings
    body = capability_statement(
        context.registry,
        context.endpoint.base,
        settings.crisis_text,
        oauth_uris(settings.public_base_url),
    )
    answer = Answer(200, body)

    async def metadata(request: Request, _context: Context) -> Response:
        if not accepts_json(request, pairs_of(request.url.query)):
            return not_acceptable()
        return FhirResponse(answer)

    return metadata


def smart_configuration_of(context: Context) -> Interaction:
    """Return what says where tokens are to be had: JSON, whatever is accepted (IG 374)."""
    body = orjson.dumps(smart_configuration(context.settings.public_base_url))
    headers = {INSTALLATION: installation_mark(context.key)}  # for `alongside doctor`

    async def configuration(_request: Request, _context: Context) -> Response:
        return Response(body, headers=headers, media_type="application/json")

    return configuration


async def read_instance(request: Request, context: Context) -> Response:
    name, document_id = request.path_params["type"], request.path_params["id"]
    if document_id == HISTORY:
        return await history_of_type(request, context)
    access = await access_of(request, context)
    shape = shape_of(request)
    if not isinstance(shape, Shape):
        return shape
    endpoint = context.endpoint.seen_by(access)
    async with noting(request, endpoint, access, name, document_id):
        answer = await read(endpoint, access, name, document_id)
    return _as_asked(request, context, name, answer, shape)


async def read_version(request: Request, context: Context) -> Response:
    access = await access_of(request, context)
    shape = shape_of(request)
    if not isinstance(shape, Shape):
        return shape
    where = request.path_params
    endpoint = context.endpoint.seen_by(access)
    async with noting(request, endpoint, access, where["type"], where["id"]):
        answer = await vread(endpoint, access, where["type"], where["id"], where["version"])
    return _as_asked(request, context, where["type"], answer, shape)


def _as_asked(
    request: Request, context: Context, name: str, answer: Answer, shape: Shape
) -> Response:
    """Answer 304 where the caller has it; else in the shape that was asked for."""
    request.state.patients = answer.patients
    seen, since = versions(request, "If-None-Match"), modified_since(request)
    if seen is not None:
        is_known = bool(seen & {"*", str(answer.version)})
    else:
        is_known = since is not None and answer.last_updated // 1_000_000 <= since
    if is_known:
        return not_modified(answer)
    if not shape.whole:
        answer = replace(answer, body=shaped(answer.body, shape, context.registry.forms(name)))
    return FhirResponse(answer)


async def history_of_instance(request: Request, context: Context) -> Response:
    name, document_id = request.path_params["type"], request.path_params["id"]

    async def history(access: Access, pairs: Pairs, strict: bool) -> Answer:
        endpoint = context.endpoint.seen_by(access)
        async with noting(request, endpoint, access, name, document_id):
            return await history_instance(
                endpoint, access, name, document_id, pairs=pairs, strict=strict
            )

    return await _answered(request, context, query_of(request), history)


async def history_of_type(request: Request, context: Context) -> Response:
    name = request.path_params["type"]
    return await _answered(
        request,
        context,
        query_of(request),
        lambda access, pairs, strict: history_type(
            context.endpoint.seen_by(access), access, name, pairs, strict=strict
        ),
    )


async def history_of_all(request: Request, context: Context) -> Response:
    return await _answered(
        request,
        context,
        query_of(request),
        lambda access, pairs, strict: history_system(
            context.endpoint.seen_by(access), access, pairs, strict=strict
        ),
    )


async def search(request: Request, context: Context) -> Response:
    return await _searched(request, context, query_of(request))


async def search_by_post(request: Request, context: Context) -> Response:
    """Answer a search whose parameters are in a form; they come with those of the address."""
    await access_of(request, context)
    if request.path_params.get("id", SEARCH) != SEARCH and "member" not in request.path_params:
        raise NotSupportedError("POST to an instance is not offered here")
    if not request.headers.get("content-type", "").lower().startswith(FORM):
        return refusal(415, "not-supported", f"send the parameters as {FORM}")
    body = await body_of(request)
    if body is None:
        return too_large()
    form = body.decode("ascii", "replace")
    query = "&".join(part for part in (query_of(request), form) if part)
    request.state.searched = query.encode("latin-1", "replace")
    return await _searched(request, context, query)


async def _searched(request: Request, context: Context, query: str) -> Response:
    interaction = _search_of(request, context)
    return await _answered(request, context, query, interaction)


def _search_of(request: Request, context: Context) -> Interacts:
    """Return the search of a type, of the compartment that the address names, or of everything."""
    where, endpoint = request.path_params, context.endpoint
    if "member" in where:
        about = where["type"], where["id"]
        return lambda access, pairs, strict: search_compartment(
            endpoint.seen_by(access), access, about, where["member"], pairs=pairs, strict=strict
        )
    if "type" in where:
        return lambda access, pairs, strict: search_type(
            endpoint.seen_by(access), access, where["type"], pairs, strict=strict
        )
    return lambda access, pairs, strict: search_system(
        endpoint.seen_by(access), access, pairs, strict=strict
    )


async def _answered(
    request: Request, context: Context, query: str, interaction: Interacts
) -> Response:
    access = await access_of(request, context)
    pairs = pairs_of(query)
    if not accepts_json(request, pairs):
        return not_acceptable()
    return told(request, await interaction(access, pairs, is_strict(request)))


def shape_of(request: Request) -> Shape | Response:
    """Return how much a read is asked to answer, or why it cannot be answered so."""
    query = query_of(request)
    pairs = pairs_of(query)
    if not accepts_json(request, pairs):
        return not_acceptable()
    if not query:
        return WHOLE
    other = [name for name, _ in pairs if name not in OF_A_READ]
    if other and is_strict(request):
        return refusal(400, "not-supported", f"a read takes {', '.join(sorted(OF_A_READ))} only")
    return read_shape(pairs)
