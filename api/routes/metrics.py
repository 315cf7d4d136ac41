"""GET /metrics, for a caller on this machine or one with the metrics token.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

import secrets
from ipaddress import ip_address
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.context import Context
from service.errors import ForbiddenError, LoginError

PROBLEM = "#/components/schemas/Problem"


def routes(context: Context) -> list[Route]:
    secret = context.settings.metrics_token

    async def metrics(request: Request) -> Response:
        require_permitted(request, secret.get_secret_value() if secret else None)
        text = await run_in_threadpool(context.metrics.text)  # it asks the database
        return Response(text, headers={"Content-Type": CONTENT_TYPE_LATEST})

    return [Route("/metrics", metrics)]


def paths() -> dict[str, Any]:
    """Return what the OpenAPI document says of it."""
    text = {"text/plain": {"schema": {"type": "string"}, "example": "alongside_requests_total 3"}}
    problem = {"application/problem+json": {"schema": {"$ref": PROBLEM}}}
    operation = {
        "tags": ["Operation of the service"],
        "operationId": "metrics",
        "summary": "Counters of this process, for Prometheus",
        "description": "For callers on this machine, or with the bearer token of the operator's"
        " setting where there is one; access tokens are of no use here.",
        "security": [],
        "responses": {
            "200": {"description": "Prometheus' text format", "content": text},
            "401": {"description": "It needs the metrics token", "content": problem},
            "403": {"description": "It is for callers on this machine", "content": problem},
        },
    }
    return {"/metrics": {"get": operation}}


def require_permitted(request: Request, token: str | None) -> None:
    """Raise unless the caller has the token, or where there is none, is on this machine."""
    if token is not None:
        given = request.headers.get("authorization", "")
        if not secrets.compare_digest(given.encode(), f"Bearer {token}".encode()):
            raise LoginError("metrics need the token of ALONGSIDE_METRICS_TOKEN")
    elif not _is_loopback(request):
        raise ForbiddenError(
            "metrics are for callers on this machine; ALONGSIDE_METRICS_TOKEN lets others in"
        )


def _is_loopback(request: Request) -> bool:
    try:
        return request.client is not None and ip_address(request.client.host).is_loopback
    except ValueError:  # a socket's name
        return False
