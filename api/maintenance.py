"""Maintenance: 503 with Retry-After for everything but health, metrics and metadata.

Each address answers in its own form. https://www.rfc-editor.org/rfc/rfc9110#name-503-service-unavailable
"""

import time

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors import fhir_error, is_fhir, problem
from api.oauth_errors import UNAVAILABLE, oauth_error
from service.errors import MaintenanceError
from service.fhir.store_reader import StoreReader
from service.maintenance import NAME, SELECT, Maintenance, of_row

OPEN = frozenset(
    {
        "/livez", "/readyz", "/health", "/ready", "/metrics", "/fhir/metadata",
        "/fhir/.well-known/smart-configuration", "/oauth/jwks",
    }
)  # what whoever runs it looks at, and what a client reads first  # fmt: skip
FRESH_SECONDS = 1.0
CLOSED = "the service is closed for maintenance; nothing was changed, so try again later"


class MaintenanceGate:
    """Looks once a second at what an operator has begun, and lets nothing through meanwhile."""

    def __init__(self, app: ASGIApp, reader: StoreReader) -> None:
        self.app = app
        self.reader = reader
        self._asked = -FRESH_SECONDS
        self._known: Maintenance | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in OPEN:
            found = await self._maintenance()
            if found is not None:
                await _closed(Request(scope), found)(scope, receive, send)
                return
        await self.app(scope, receive, send)

    async def _maintenance(self) -> Maintenance | None:
        now = time.monotonic()
        if now - self._asked >= FRESH_SECONDS:
            self._asked = now  # others go by what is known until this one has its answer
            try:
                rows = await self.reader.rows(SELECT, (NAME,))
            except Exception:  # noqa: BLE001 - whatever is asked next says what is wrong
                return self._known
            self._known = of_row((rows[0][0], rows[0][1])) if rows else None
        return self._known


def _closed(request: Request, found: Maintenance) -> Response:
    error = MaintenanceError(CLOSED)
    if is_fhir(request):
        response = fhir_error(error)
    elif request.url.path.startswith("/oauth/"):
        response = oauth_error(503, UNAVAILABLE, CLOSED)
    else:
        response = problem(error, request.url.path)
    response.headers["Retry-After"] = str(found.retry_after)
    return response
