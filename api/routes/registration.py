"""/oauth/register: software registers itself by an invitation, and administers that registration.

https://www.rfc-editor.org/rfc/rfc7591
https://www.rfc-editor.org/rfc/rfc7592
"""

import json
from collections.abc import Callable
from typing import Any

import orjson
from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api import cors
from api.context import Context
from api.oauth_errors import UNAVAILABLE, oauth_error
from service.errors import BusyError
from service.smart.discovery import REGISTER
from service.smart.limiting import counted
from service.smart.messages import TokenReply
from service.smart.registration import Asked

JSON = "application/json"
LARGEST = 65_536
NO_CONTENT = 204

Json = dict[str, Any]


def routes(context: Context) -> list[Route]:
    """Return the routes of registration."""
    own = REGISTER + "/{client_id}"
    return [
        cors.route(REGISTER, _register(context), "POST"),
        cors.route(own, _registered(context), "GET", "PUT", "DELETE"),
    ]


def _register(context: Context) -> Any:  # noqa: ANN401 - as Starlette has it
    async def endpoint(request: Request) -> Response:
        try:
            document = await _document(request)
        except ValueError as error:
            return oauth_error(400, "invalid_client_metadata", str(error))
        asked = _asked(request)
        return await _answered(
            context, request, lambda: context.registrar.register(document, asked)
        )

    return endpoint


def _registered(context: Context) -> Any:  # noqa: ANN401 - as Starlette has it
    async def endpoint(request: Request) -> Response:
        registrar, asked = context.registrar, _asked(request)
        name = request.path_params["client_id"]
        if request.method == "DELETE":
            response = await _answered(context, request, lambda: registrar.remove(name, asked))
            if response.status_code == NO_CONTENT:
                context.known_tokens.clear()
            return response
        if request.method != "PUT":
            return await _answered(context, request, lambda: registrar.show(name, asked))
        try:
            document = await _document(request)
        except ValueError as error:
            return oauth_error(400, "invalid_client_metadata", str(error))
        return await _answered(context, request, lambda: registrar.change(name, document, asked))

    return endpoint


def _asked(request: Request) -> Asked:
    address = counted(request.client.host if request.client else None)
    return Asked(request.headers.get("authorization"), address)


async def _answered(context: Context, request: Request, work: Callable[[], TokenReply]) -> Response:
    try:
        reply = await to_thread.run_sync(work, limiter=context.authorizers)
    except BusyError as error:
        return oauth_error(503, UNAVAILABLE, str(error))
    request.state.client = reply.client
    content = b"" if reply.status == NO_CONTENT else orjson.dumps(reply.body)
    return Response(content, reply.status, dict(reply.headers))


async def _document(request: Request) -> Json:
    """Return the members that were sent; ValueError says what is wrong with them."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != JSON:
        raise ValueError(f"send the metadata as {JSON}")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            raise ValueError("the metadata is too long")
    return _read(body)


def _read(body: bytes) -> Json:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ValueError("the metadata is not JSON") from error
    if not isinstance(found, dict):
        raise ValueError("the metadata is not an object")  # noqa: TRY004 - of the sender
    try:  # of a repeated member orjson keeps the last, and nobody knows which was meant
        json.loads(body, object_pairs_hook=_once, parse_int=str)
    except RecursionError as error:
        raise ValueError("the metadata is too deep") from error
    return found


def _once(pairs: list[tuple[str, Any]]) -> Json:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member is repeated")
    return found
