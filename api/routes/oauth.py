"""POST /oauth/token: reads the form, then leaves the event loop.

https://www.rfc-editor.org/rfc/rfc6749#section-3.2
"""

from urllib.parse import parse_qsl

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.context import Context

FORM = "application/x-www-form-urlencoded"
LONGEST_FORM = 16_384
MOST_FIELDS = 30
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


def routes(context: Context) -> list[Route]:
    """Return the routes of the authorization server."""

    async def token(request: Request) -> Response:
        try:
            form = await _form(request)
        except ValueError as error:
            return _invalid_request(str(error))
        authorization = request.headers.get("authorization")
        reply = await run_in_threadpool(context.server.reply, form, authorization)
        request.state.client = reply.client
        headers = dict(reply.headers)
        return Response(orjson.dumps(reply.body), reply.status, headers)

    return [Route("/oauth/token", token, methods=["POST"], name="token")]


async def _form(request: Request) -> list[tuple[str, str]]:
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


def _invalid_request(description: str) -> Response:
    content = {"error": "invalid_request", "error_description": description}
    return Response(orjson.dumps(content), 400, NO_STORE, "application/json")
