"""GET /calendar/{token}.ics: a facilitator's sessions, for whoever has the address.

https://www.rfc-editor.org/rfc/rfc5545
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.context import Context
from api.errors import problem
from service.calendars import events
from service.errors import NotFoundError
from service.feed import as_icalendar, tag_of

PATH = "/calendar/{token}.ics"
PROBLEM = "#/components/schemas/Problem"
EXAMPLE = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n"


def routes(context: Context) -> list[Route]:
    def calendar(request: Request) -> Response:
        token, now = request.path_params["token"], context.clock()
        found = context.database.read(lambda session: events(session, token, now))
        whose, shown = found or (None, [])
        content = as_icalendar(shown)
        if whose is None:
            return problem(NotFoundError("there is no calendar at this address"))
        request.state.client = f"calendar of facilitator {whose}"
        return _answer(request, content)

    return [Route(PATH, calendar)]


def paths() -> dict[str, Any]:
    """Return what the OpenAPI document says of it."""
    text = {"text/calendar": {"schema": {"type": "string"}, "example": EXAMPLE}}
    problem_json = {"application/problem+json": {"schema": {"$ref": PROBLEM}}}
    token = {
        "name": "token",
        "in": "path",
        "required": True,
        "description": "From `POST /v1/facilitators/{facilitator_id}/calendar`",
        "schema": {"type": "string"},
    }
    operation = {
        "tags": ["facilitators"],
        "operationId": "calendar",
        "summary": "The sessions of a facilitator's groups, for a calendar to subscribe to",
        "description": "The address is the key. Groups have their neutral names; nobody is named.",
        "parameters": [token],
        "security": [],
        "responses": {
            "200": {"description": "An iCalendar document", "content": text},
            "304": {"description": "If-None-Match names what is there"},
            "404": {"description": "There is no calendar at this address", "content": problem_json},
            "503": {"description": "Closed for maintenance, or busy", "content": problem_json},
        },
    }
    return {PATH: {"get": operation}}


def _answer(request: Request, content: bytes) -> Response:
    tag = tag_of(content)
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    headers["Content-Disposition"] = 'inline; filename="sessions.ics"'
    return Response(content, media_type="text/calendar", headers=headers)
