"""/fhir: each address and method led to its interaction; bytes out.

https://hl7.org/fhir/R4/http.html
"""

from collections.abc import Awaitable, Callable

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from api.context import Context
from api.dependencies import access_of
from api.errors import fhir_error, unexpected
from api.negotiation import accepts_json, is_json, is_strict, pairs_of, returned, versions
from api.responses import FhirResponse, not_modified, refusal
from service.access import Access
from service.errors import AlongsideError, InvalidError, NotSupportedError, ProjectionError
from service.fhir.capability import capability_statement
from service.fhir.endpoint import Answer, absent, served
from service.fhir.interactions.create import create
from service.fhir.interactions.history_instance import history_instance
from service.fhir.interactions.read import read
from service.fhir.interactions.search_type import search_type
from service.fhir.interactions.update import update
from service.fhir.interactions.vread import vread

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
LARGEST = 1_000_000
FORM = "application/x-www-form-urlencoded"

Interaction = Callable[[Request, Context], Awaitable[Response]]


def routes(context: Context) -> list[Route]:
    """Return the routes of the FHIR endpoint, those asked most first."""
    tables = {"/fhir/metadata": {"GET": _metadata(context)}, **TABLE}
    return [
        Route(path, Answering(_by_method(table), context, tuple(table)))
        for path, table in tables.items()
    ]


class Answering:
    """An ASGI endpoint: whatever goes wrong in its interaction becomes an OperationOutcome."""

    def __init__(
        self, interaction: Interaction, context: Context, methods: tuple[str, ...]
    ) -> None:
        self.interaction = interaction
        self.context = context
        self.allowed = ", ".join((*methods, "HEAD") if "GET" in methods else methods)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        try:
            response = await self.interaction(request, self.context)
        except ProjectionError as error:
            response = await unexpected(request, error)
        except AlongsideError as error:
            response = self._refused(error)
        except Exception as error:  # noqa: BLE001 - nobody expected it: it is recorded and answered
            response = await unexpected(request, error)
        await response(scope, receive, send)

    def _refused(self, error: AlongsideError) -> Response:
        response = fhir_error(error)
        if isinstance(error, NotSupportedError):
            response.status_code = 405
            response.headers["Allow"] = self.allowed
        return response


def _by_method(table: dict[str, Interaction]) -> Interaction:
    async def dispatch(request: Request, context: Context) -> Response:
        method = request.scope["method"]
        found = table.get("GET" if method == "HEAD" else method)
        if found is not None:
            return await found(request, context)
        await access_of(request, context)
        if "type" in request.path_params:
            served(context.registry, request.path_params["type"])
        raise NotSupportedError(f"{method} is not offered here")

    return dispatch


def _metadata(context: Context) -> Interaction:
    settings = context.settings
    body = capability_statement(context.registry, context.endpoint.base, settings.crisis_text)
    answer = Answer(200, body)

    async def metadata(request: Request, _context: Context) -> Response:
        if not accepts_json(request, pairs_of(request.url.query)):
            return _not_acceptable()
        return FhirResponse(answer)

    return metadata


async def _read(request: Request, context: Context) -> Response:
    access = await access_of(request, context)
    name, document_id = request.path_params["type"], request.path_params["id"]
    if refused := _refused(request):
        return refused
    answer = await read(context.endpoint, access, name, document_id)
    request.state.patients = answer.patients
    seen = versions(request, "If-None-Match")
    if seen and seen & {"*", str(answer.version)}:
        return not_modified(answer)
    return FhirResponse(answer)


async def _vread(request: Request, context: Context) -> Response:
    access = await access_of(request, context)
    if refused := _refused(request):
        return refused
    where = request.path_params
    answer = await vread(context.endpoint, access, where["type"], where["id"], where["version"])
    return _told(request, answer)


async def _history(request: Request, context: Context) -> Response:
    access = await access_of(request, context)
    pairs, where = pairs_of(_query(request)), request.path_params
    if not accepts_json(request, pairs):
        return _not_acceptable()
    strict = is_strict(request)
    answer = await history_instance(
        context.endpoint, access, where["type"], where["id"], pairs=pairs, strict=strict
    )
    return _told(request, answer)


async def _search(request: Request, context: Context) -> Response:
    access = await access_of(request, context)
    return await _searched(request, context, access, _query(request))


async def _searched(request: Request, context: Context, access: Access, query: str) -> Response:
    pairs = pairs_of(query)
    if not accepts_json(request, pairs):
        return _not_acceptable()
    name, strict = request.path_params["type"], is_strict(request)
    answer = await search_type(context.endpoint, access, name, pairs, strict=strict)
    return _told(request, answer)


async def _search_by_post(request: Request, context: Context) -> Response:
    access = await access_of(request, context)
    if request.path_params["id"] != "_search":
        raise NotSupportedError("POST to an instance is not offered here")
    if not request.headers.get("content-type", "").lower().startswith(FORM):
        return refusal(415, "not-supported", f"send the parameters as {FORM}")
    body = await _body(request)
    if body is None:
        return _too_large()
    form = body.decode("ascii", "replace")
    query = "&".join(part for part in (_query(request), form) if part)
    request.state.searched = query.encode("latin-1", "replace")
    return await _searched(request, context, access, query)


async def _create(request: Request, context: Context) -> Response:
    access = await access_of(request, context)
    if "if-none-exist" in request.headers:
        raise InvalidError("conditional create is not offered here", element="If-None-Exist")
    return await _write(
        request,
        context,
        lambda body: create(
            context.endpoint,
            context.writing,
            access,
            request.path_params["type"],
            body=body,
            prefer=returned(request),
        ),
    )


async def _update(request: Request, context: Context) -> Response:
    access = await access_of(request, context)
    where = request.path_params
    if_match = versions(request, "If-Match")
    return await _write(
        request,
        context,
        lambda body: update(
            context.endpoint,
            context.writing,
            access,
            (where["type"], where["id"]),
            body=body,
            if_match=if_match,
            prefer=returned(request),
        ),
    )


async def _write(
    request: Request, context: Context, interaction: Callable[[bytes], Answer]
) -> Response:
    if not accepts_json(request, pairs_of(_query(request))):
        return _not_acceptable()
    if not is_json(request):
        return refusal(415, "not-supported", "send application/fhir+json")
    body = await _body(request)
    if body is None:
        return _too_large()
    await context.endpoint.settle()
    return _told(request, await to_thread.run_sync(interaction, body, limiter=context.writers))


async def _body(request: Request) -> bytes | None:
    """Return the body, or None where it is longer than is taken."""
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > LARGEST:
            return None
        chunks.append(chunk)
    return b"".join(chunks)


async def _elsewhere(request: Request, context: Context) -> Response:
    await access_of(request, context)
    parts = request.url.path.split("/")
    raise absent(parts[2] if len(parts) > 2 and parts[2].isalpha() else "resource")  # noqa: PLR2004


def _told(request: Request, answer: Answer) -> Response:
    request.state.patients = answer.patients
    return FhirResponse(answer)


def _query(request: Request) -> str:
    raw: bytes = request.scope["query_string"]
    return raw.decode("latin-1")


def _refused(request: Request) -> Response | None:
    """Return why a read cannot be answered as it was asked, if it cannot."""
    pairs = pairs_of(_query(request))
    if not accepts_json(request, pairs):
        return _not_acceptable()
    other = [name for name, _ in pairs if name not in {"_format", "_pretty"}]
    if other and is_strict(request):
        return refusal(400, "not-supported", "a read takes _format only")
    return None


def _not_acceptable() -> Response:
    return refusal(406, "not-supported", "only JSON is answered: application/fhir+json")


def _too_large() -> Response:
    return refusal(413, "too-long", f"a resource may have {LARGEST} bytes")


TABLE: dict[str, dict[str, Interaction]] = {
    "/fhir/{type}/{id}": {"GET": _read, "PUT": _update, "POST": _search_by_post},
    "/fhir/{type}": {"GET": _search, "POST": _create},
    "/fhir/{type}/{id}/_history": {"GET": _history},
    "/fhir/{type}/{id}/_history/{version}": {"GET": _vread},
    "/fhir": {},
    "/fhir/{rest:path}": dict.fromkeys(METHODS, _elsewhere),
}
