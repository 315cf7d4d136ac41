"""Completes each operation's OpenAPI: examples, headers and the problems it can answer with.

https://spec.openapis.org/oas/v3.1.0.html#operation-object
"""

from typing import Any, get_args

from fastapi import APIRouter
from fastapi.routing import APIRoute

from api.routes.v1 import pictures
from api.routes.v1.repeating import REPLAYED, repeatable
from api.routes.v1.rows import Results
from api.routes.v1.schema import Body, Page, Schema
from service.idempotency import HEADER

JSON = "application/json"
PROBLEM_JSON = "application/problem+json"
CREATED = 201
TEXT = {"type": "string"}
IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The version that you have: 304 when it is the current one",
    "schema": TEXT,
    "example": 'W/"1"',
}
IDEMPOTENCY_KEY = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": (
        "Of your making, one for each request: sent again within 24 hours, the request is not"
        f" executed again and gets the same answer, marked by {REPLAYED}. A UUID is a good one"
    ),  # and no example, which whoever copies it would share between requests
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
}
ETAG = {"ETag": {"description": "The version", "schema": TEXT, "example": 'W/"1"'}}
LOCATION = {"Location": {"description": "Where it is", "schema": TEXT}}
LINK = {"Link": {"description": 'The next page, rel="next"', "schema": TEXT}}

PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457; `errors` names each field and the rule that it breaks",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": TEXT,
        "title": TEXT,
        "status": {"type": "integer"},
        "detail": TEXT,
        "instance": TEXT,
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "rule", "code"],
                "properties": {"field": TEXT, "rule": TEXT, "code": TEXT},
            },
        },
    },
}
PROBLEMS = {
    400: "A rule is broken: the problem names field and rule",
    401: "There is no valid access token",
    403: "The client is a hospital's, or its token lacks the scope",
    404: "There is no such thing here",
    409: "It exists already, or stands in the way",
    413: "The body is longer than is taken",
    415: "The body is not JSON",
    412: "If-Match names a version that is not the current one",
    422: "A field has the wrong form, or the present state forbids the change",
    503: "Busy: try again in a moment",
}


def described(router: APIRouter) -> APIRouter:
    """Give every operation of the router its examples, headers and problems."""
    for route in router.routes:
        if isinstance(route, APIRoute):
            if _repeats(route) and route.response_model is not Results:  # each row has its own key
                told_once = getattr(route.response_model, "told_once", False)
                route.endpoint = repeatable(route.endpoint, told_once=told_once)
            parameters = _parameters(route)
            extra = {"parameters": parameters, "responses": _success(route)}
            route.openapi_extra = {**_request(route), **extra}
            route.responses = {**_problems(route), **route.responses}
    return router


def _repeats(route: APIRoute) -> bool:
    return "POST" in (route.methods or ())


def _parameters(route: APIRoute) -> list[dict[str, Any]]:
    if _repeats(route):
        return [IDEMPOTENCY_KEY]
    return [IF_NONE_MATCH] if _conditional(route) else []


def _request(route: APIRoute) -> dict[str, Any]:
    for field in route.dependant.body_params:
        annotation = field.field_info.annotation
        for body in (annotation, *get_args(annotation)):  # a body that may be left out is a union
            if isinstance(body, type) and issubclass(body, Body):
                return {"requestBody": {"content": {JSON: {"example": body.example()}}}}
    return {}


def _success(route: APIRoute) -> dict[str, Any]:
    picture = pictures.described(route.response_class)
    if picture is not None:
        return {"200": dict(picture)}
    model = route.response_model
    if model is None and (own := (route.openapi_extra or {}).get("responses")):
        return dict(own)  # a file, which the route itself describes
    if not (isinstance(model, type) and issubclass(model, Schema)):
        raise TypeError(f"{route.name} has no response model")
    success = {"headers": _headers(route, model), "content": {JSON: {"example": model.example()}}}
    found: dict[str, Any] = {str(route.status_code or 200): success}
    if _conditional(route):
        found["304"] = {"description": "If-None-Match names the current version"}
    return found


def _conditional(route: APIRoute) -> bool:
    model = route.response_model
    return _reads(route) and model is not None and not issubclass(model, Page)


def _reads(route: APIRoute) -> bool:
    return "GET" in (route.methods or ())


def _headers(route: APIRoute, model: type[Schema]) -> dict[str, Any]:
    if issubclass(model, Page):
        return LINK
    if "version" not in model.model_fields:
        return {}
    return ETAG | LOCATION if route.status_code == CREATED else ETAG


def _problems(route: APIRoute) -> dict[int | str, dict[str, Any]]:
    codes = {400, 401, 403, 422, 503}
    if route.param_convertors:
        codes.add(404)
    if not _reads(route):
        codes |= {409, 412}
    if route.dependant.body_params:
        codes |= {413, 415}
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        code: {"description": PROBLEMS[code], "content": {PROBLEM_JSON: {"schema": schema}}}
        for code in sorted(codes)
    }
