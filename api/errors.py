"""How errors are answered: one table of statuses, OperationOutcomes on /fhir, problems elsewhere.

https://hl7.org/fhir/R4/http.html#Status-Codes
https://www.rfc-editor.org/rfc/rfc9457
"""

import logging
import traceback
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api import allowed
from api.dependencies import access_of, context_of
from api.negotiation import is_json
from fhir_mappings import operation_outcome
from service.errors import (
    AlongsideError,
    BusinessRuleError,
    BusyError,
    ConflictError,
    ForbiddenError,
    GoneError,
    InvalidError,
    LoginError,
    MultipleMatchesError,
    NotFoundError,
    NotSupportedError,
    ProjectionError,
    VersionError,
)
from service.fhir.bundle_errors import EntriesError, EntryError

FHIR_JSON = "application/fhir+json"
PROBLEM_JSON = "application/problem+json"

# The nearest class in the error's ancestry counts.
STATUS: dict[type[AlongsideError], int] = {
    AlongsideError: 400,
    InvalidError: 400,
    BusinessRuleError: 422,
    NotSupportedError: 400,
    NotFoundError: 404,
    GoneError: 410,
    ForbiddenError: 403,
    LoginError: 401,
    ConflictError: 409,
    VersionError: 412,
    MultipleMatchesError: 412,
    BusyError: 503,
    ProjectionError: 500,
}
HEADERS: dict[int, dict[str, str]] = {
    401: {"WWW-Authenticate": 'Bearer realm="alongside"'},
    503: {"Retry-After": "1"},
}
HTTP_ISSUE = {401: "login", 403: "forbidden", 404: "not-found", 405: "not-supported"}
NO_OBJECT = "model_attributes_type"
VALIDATION_CODE = {"missing": "required", "enum": "code-invalid", "literal_error": "code-invalid"}
NOT_ALLOWED = 405
LARGEST_BODY = 1_000_000  # of /v1
UNREADABLE = {
    400: "must be JSON in UTF-8, not too deep, its numbers not too long",
    413: f"may have {LARGEST_BODY} bytes",
    415: "must be JSON, and Content-Type say so: application/json",
}
UNEXPECTED = "the service failed; the request id in X-Request-Id finds the record of it"

log = logging.getLogger("alongside")


def status_of(error: AlongsideError) -> int:
    """Return the HTTP status of this error; of several, theirs if they agree."""
    if isinstance(error, EntryError):
        return status_of(error.error)
    if isinstance(error, EntriesError):
        statuses = {status_of(each) for each in error.errors}
        return statuses.pop() if len(statuses) == 1 else STATUS[InvalidError]
    return next(STATUS[cls] for cls in type(error).__mro__ if cls in STATUS)


def fhir_error(error: AlongsideError) -> Response:
    """Answer with an OperationOutcome."""
    status = status_of(error)
    content = orjson.dumps(operation_outcome.from_error(error))
    return Response(content, status, HEADERS.get(status), FHIR_JSON)


def problem(error: AlongsideError, instance: str | None = None, *, within: str = "") -> Response:
    """Answer with a problem document; the elements lie `within` this part of the body."""
    errors = [
        {"field": _under(within, each.element), "rule": each.rule, "code": each.code}
        for each in error.problems
        if within or each.element
    ]
    return _problem(status_of(error), error.title, error.message, errors, instance)


def problem_of_fields(
    found: Iterable[Mapping[str, Any]], instance: str | None = None, *, within: str = ""
) -> Response:
    """Answer what Pydantic found: each field and its rule; what was sent is not said again."""
    errors = [
        {
            "field": _under(within, _field(each["loc"])),
            "rule": each["msg"].removeprefix("Value error, "),
            "code": VALIDATION_CODE.get(each["type"], "invalid"),
        }
        for each in found
    ]
    detail = "; ".join(f"{each['field']}: {each['rule']}" for each in errors)
    return _problem(422, InvalidError.title, detail, errors, instance)


def _problem(
    status: int, title: str, detail: str, errors: Sequence[dict[str, str]], instance: str | None
) -> Response:
    content: dict[str, Any] = {
        "type": "about:blank", "title": title, "status": status, "detail": detail,
    }  # fmt: skip
    if instance:
        content["instance"] = instance
    if errors:
        content["errors"] = list(errors)
    return Response(orjson.dumps(content), status, HEADERS.get(status), PROBLEM_JSON)


def _field(location: Sequence[int | str]) -> str:
    """Return `marks[2].patient` of ("marks", 2, "patient")."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _under(within: str, element: str) -> str:
    return f"{within}.{element}" if within and element else within or element


def install(app: FastAPI) -> None:
    """Let every error of the app be answered here."""
    app.add_exception_handler(AlongsideError, _alongside)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, unexpected)


def is_fhir(request: Request) -> bool:
    path: str = request.scope["path"]
    return path == "/fhir" or path.startswith("/fhir/")


async def _alongside(request: Request, error: Exception) -> Response:
    if not isinstance(error, AlongsideError):
        raise error
    if isinstance(error, ProjectionError):
        return await unexpected(request, error)
    return fhir_error(error) if is_fhir(request) else problem(error, request.url.path)


async def _validation(request: Request, error: Exception) -> Response:
    """Answer what FastAPI found in the request."""
    if "access" not in request.scope.get("state", {}):
        try:  # FastAPI reads a body before it asks who sends it; the answer goes the other way
            await access_of(request, context_of(request))
        except AlongsideError as refused:
            return problem(refused, request.url.path)
    found = error.errors() if isinstance(error, RequestValidationError) else []
    if any(each["type"] == "json_invalid" for each in found):
        return unreadable(400, request.url.path)
    is_none = any(each["type"] == NO_OBJECT and each["loc"] == ("body",) for each in found)
    if is_none and not is_json(request):
        return unreadable(415, request.url.path)
    named = [{**each, "loc": each["loc"][1:] or each["loc"]} for each in found]  # not "body"
    return problem_of_fields(named, request.url.path)


async def _http(request: Request, error: Exception) -> Response:
    """Answer what the router says: no such route, no such method."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = dict((error.headers if isinstance(error, HTTPException) else None) or {})
    if status == NOT_ALLOWED and (found := allowed.routed(request, request.app.router.routes)):
        headers["Allow"] = allowed.header(found)  # the router names one route's methods only
    title = HTTPStatus(status).phrase
    if is_fhir(request):
        code = HTTP_ISSUE.get(status, "processing")
        response = _outcome(status, code, title)
    else:
        response = (
            unreadable(status, request.url.path)
            if status in UNREADABLE
            else _problem(status, title, _route_detail(status), (), request.url.path)
        )
    response.headers.update(headers)
    return response


def _route_detail(status: int) -> str:
    details = {
        404: "there is nothing at this address",
        NOT_ALLOWED: "this address takes other methods",
    }
    return details.get(status, HTTPStatus(status).description)


async def unexpected(request: Request, error: Exception) -> Response:
    """Say that it failed, not why; the record has the place, never the content."""
    if isinstance(error, ClientDisconnect):
        return _broken_off(request)
    request_id = request.scope.get("state", {}).get("request_id", "-")
    where = "".join(traceback.format_tb(error.__traceback__))
    kind = type(error).__name__
    told = {"event": "request.failed", "request_id": request_id, "failure": kind}
    log.error("request %s failed: %s\n%s", request_id, kind, where, extra=told)
    if is_fhir(request):
        return _outcome(500, "exception", UNEXPECTED)
    return _problem(500, "The service failed", UNEXPECTED, (), request.url.path)


def _broken_off(request: Request) -> Response:
    """Answer, for the audit row at least, a body that ended before its time."""
    detail = "the body broke off"
    if is_fhir(request):
        return _outcome(400, "structure", detail)
    return _problem(400, "The body is incomplete", detail, (), request.url.path)


def _outcome(status: int, code: str, text: str) -> Response:
    issue = {"severity": "error", "code": code, "diagnostics": text}
    content = orjson.dumps(operation_outcome.outcome([issue]))
    return Response(content, status, HEADERS.get(status), FHIR_JSON)


def unreadable(status: int, path: str) -> Response:
    """Answer that the body cannot be taken for what it should be."""
    rule = UNREADABLE[status]
    member = {"field": "body", "rule": rule, "code": "structure"}
    return _problem(status, HTTPStatus(status).phrase, f"body: {rule}", [member], path)


class SilentFailures:
    """Keeps what `unexpected` has answered from the server's log, where its content would be."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        except Exception as error:
            if scope["type"] != "http":
                raise
            # Starlette raises again what it has answered, and what broke off an answer.
            log.debug("a failure ended at the edge: %s", type(error).__name__)
