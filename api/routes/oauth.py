"""/oauth: token, introspect, revoke and our public keys; a form is read on the event loop.

https://www.rfc-editor.org/rfc/rfc6749#section-3.2
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import orjson
from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api import cors
from api.context import Context
from api.oauth_errors import UNAVAILABLE, oauth_error
from api.peers import certificate_of
from service.clock import microseconds
from service.errors import BusyError
from service.smart.discovery import INTROSPECT, JWKS, REVOKE, TOKEN
from service.smart.limiting import counted
from service.smart.messages import Fields, Seen, TokenReply
from service.smart.signing import CACHED_SECONDS, SELECT_PUBLISHED, jwk_set

FORM = "application/x-www-form-urlencoded"
LONGEST_FORM = 16_384
MOST_FIELDS = 30

Answer = Callable[[Fields, str | None, Seen], TokenReply]


def routes(context: Context) -> list[Route]:
    """Return the routes of the authorization server."""
    server = context.server
    answers = {TOKEN: server.reply, INTROSPECT: server.introspect, REVOKE: server.revoke}
    found = [cors.route(path, _endpoint(context, each), "POST")
             for path, each in answers.items()]  # fmt: skip
    return [*found, cors.route(JWKS, _jwks(context), "GET")]


def _jwks(context: Context) -> Any:  # noqa: ANN401 - as Starlette has it
    async def endpoint(_request: Request) -> Response:
        now = microseconds(context.clock())
        rows = await context.reader.rows(SELECT_PUBLISHED, (now,))
        headers = {"Cache-Control": f"public, max-age={CACHED_SECONDS}"}
        content = jwk_set([public for (public,) in rows])
        return Response(content, headers=headers, media_type="application/json")

    return endpoint


def _endpoint(context: Context, answer: Answer) -> Any:  # noqa: ANN401 - as Starlette has it
    async def endpoint(request: Request) -> Response:
        try:
            form = await _form(request)
        except ValueError as error:
            return oauth_error(400, "invalid_request", str(error))
        return await _answered(context, answer, request, form)

    return endpoint


async def _answered(context: Context, answer: Answer, request: Request, form: Fields) -> Response:
    """Ask in one of a few threads: who waits for a client's keys keeps nobody else waiting."""
    authorization = request.headers.get("authorization")
    address = counted(request.client.host if request.client else None)
    seen = Seen(address, certificate_of(request.scope))
    try:
        reply = await to_thread.run_sync(
            answer, form, authorization, seen, limiter=context.authorizers
        )
    except BusyError as error:
        return oauth_error(503, UNAVAILABLE, str(error))
    if reply.revoked:
        context.known_tokens.forget(reply.revoked)
    request.state.client = reply.client
    return Response(orjson.dumps(reply.body), reply.status, dict(reply.headers))


async def _form(request: Request) -> Fields:
    """Return the fields of the form; ValueError says what is wrong with it."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != FORM:
        raise ValueError(f"send the parameters as {FORM}")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST_FORM:
            raise ValueError("the form is too long")
    try:
        text = body.decode("ascii")
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise ValueError("the form is not URL-encoded UTF-8 text") from error
