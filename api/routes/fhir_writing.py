"""/fhir, writing: each address and method led to its interaction, in a thread.

https://hl7.org/fhir/R4/http.html
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from api.context import Context
from api.dependencies import access_of
from api.negotiation import accepts_json, is_json, media_type, pairs_of, returned, versions
from api.performing import perform
from api.responses import refusal
from api.routes.fhir_requests import (
    HISTORY,
    SEARCH,
    body_of,
    not_acceptable,
    query_of,
    told,
    too_large,
)
from service.errors import ForbiddenError, InvalidError, NotFoundError, NotSupportedError
from service.fhir.capability import writing_interactions
from service.fhir.changes import Sender
from service.fhir.endpoint import Answer
from service.fhir.interactions.create import create
from service.fhir.interactions.delete import delete, delete_where
from service.fhir.interactions.patch import patch, patch_where
from service.fhir.interactions.read import read
from service.fhir.interactions.update import update, update_where
from service.fhir.submission import require_writable

OUTCOME = b'{"resourceType":"OperationOutcome"'
JSON_PATCH = "application/json-patch+json"
CONTROLS = frozenset({"_format", "_pretty"})

Writes = Callable[[Sender, bytes], Answer]
Pairs = list[tuple[str, str]]


async def create_resource(request: Request, context: Context) -> Response:
    name, prefer = request.path_params["type"], returned(request)
    header = request.headers.get("if-none-exist")
    condition = None if header is None else pairs_of(header.removeprefix("?"))
    return await write(
        request,
        context,
        lambda sender, body: create(
            sender, name, body=body, prefer=prefer, if_none_exist=condition
        ),
        seeks=condition is not None,
    )


async def update_resource(request: Request, context: Context) -> Response:
    address, seen, prefer = _address(request), versions(request, "If-Match"), returned(request)
    return await write(
        request,
        context,
        lambda sender, body: update(sender, address, body=body, if_match=seen, prefer=prefer),
    )


async def update_found(request: Request, context: Context) -> Response:
    name, prefer = request.path_params["type"], returned(request)
    seen = versions(request, "If-Match")
    return await write(
        request,
        context,
        lambda sender, body: update_where(
            sender, name, _condition(request), body=body, if_match=seen, prefer=prefer
        ),
        seeks=True,
    )


async def patch_resource(request: Request, context: Context) -> Response:
    address, seen, prefer = _address(request), versions(request, "If-Match"), returned(request)
    return await write_patch(
        request,
        context,
        lambda sender, body: patch(sender, address, body=body, if_match=seen, prefer=prefer),
    )


async def patch_found(request: Request, context: Context) -> Response:
    name, prefer = request.path_params["type"], returned(request)
    seen = versions(request, "If-Match")
    return await write_patch(
        request,
        context,
        lambda sender, body: patch_where(
            sender, name, _condition(request), body=body, if_match=seen, prefer=prefer
        ),
        seeks=True,
    )


async def delete_resource(request: Request, context: Context) -> Response:
    address, seen = _address(request), versions(request, "If-Match")
    return await _performed(
        request, context, lambda sender, _body: delete(sender, address, if_match=seen)
    )


async def delete_found(request: Request, context: Context) -> Response:
    await _require_deletable(request, context)
    name, seen = request.path_params["type"], versions(request, "If-Match")
    return await _performed(
        request,
        context,
        lambda sender, _body: delete_where(sender, name, _condition(request), if_match=seen),
        seeks=True,
    )


async def _require_deletable(request: Request, context: Context) -> None:
    """Refuse a type of which nothing is deleted, before anything else of the request."""
    await access_of(request, context)
    kind = require_writable(context.registry, request.path_params["type"])
    if "delete" not in writing_interactions(kind):
        raise NotSupportedError(f"a {kind.name} is not deleted")


def _address(request: Request) -> tuple[str, str]:
    """Return type and id.

    Raises:
        NotSupportedError: what stands where the id would names an interaction.
    """
    found = request.path_params["id"]
    if found in {HISTORY, SEARCH}:
        raise NotSupportedError(f"{request.method} is not offered here")
    return request.path_params["type"], found


def _condition(request: Request) -> Pairs:
    """Return the search that says which resource is meant.

    Raises:
        InvalidError: the address holds none.
    """
    pairs = [pair for pair in pairs_of(query_of(request)) if pair[0] not in CONTROLS]
    if not pairs:
        rule = "must be /[type]/[id], or /[type] with a search that says which resource"
        raise InvalidError(rule, element="address")
    return pairs


async def write(
    request: Request, context: Context, interaction: Writes, *, seeks: bool = False
) -> Response:
    """Write the resource in the body; `seeks` where a search says which resource is meant."""
    await access_of(request, context)
    require_writable(context.registry, request.path_params["type"])
    if not is_json(request):
        return refusal(415, "not-supported", "send application/fhir+json")
    return await _with_body(request, context, interaction, seeks=seeks)


async def write_patch(
    request: Request, context: Context, interaction: Writes, *, seeks: bool = False
) -> Response:
    """Write by the patch in the body."""
    await access_of(request, context)
    require_writable(context.registry, request.path_params["type"])
    if media_type(request) != JSON_PATCH:
        return refusal(415, "not-supported", f"send a JSON Patch as {JSON_PATCH}")
    return await _with_body(request, context, interaction, seeks=seeks)


async def _with_body(
    request: Request, context: Context, interaction: Writes, *, seeks: bool
) -> Response:
    if not accepts_json(request, pairs_of(query_of(request))):
        return not_acceptable()
    body = await body_of(request)
    if body is None:
        return too_large()
    return await _performed(request, context, interaction, body, seeks=seeks)


async def _performed(
    request: Request,
    context: Context,
    interaction: Writes,
    body: bytes = b"",
    *,
    seeks: bool = False,
) -> Response:
    sender = Sender(context.endpoint, context.writing, await access_of(request, context))
    await context.endpoint.settle()
    answer = await perform(context, lambda: interaction(sender, body), body, seeks=seeks)
    request.scope["state"]["again"] = partial(_again, context=context, answer=answer)
    return told(request, answer)


async def _again(request: Request, *, context: Context, answer: Answer) -> Response:
    """Answer what was written already, with what the sender may read of it now."""
    access = await access_of(request, context)
    if not answer.body or answer.location is None or answer.body.startswith(OUTCOME):
        return told(request, answer)
    name, document_id = answer.location.removeprefix(f"{context.endpoint.base}/").split("/")[:2]
    body = b""
    with suppress(NotFoundError, ForbiddenError):
        now = await read(context.endpoint, access, name, document_id)
        body = now.body if now.version == answer.version else b""
    return told(request, replace(answer, body=body))
