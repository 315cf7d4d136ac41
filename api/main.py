"""The application: FHIR, /v1, tokens, health and pages, behind one audit row a request."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Router
from starlette.types import ASGIApp

from api import errors, health, openapi, pages
from api.audit import AuditMiddleware
from api.bootstrap import build
from api.context import Context
from api.errors import LARGEST_BODY
from api.exporting import exporting
from api.limits import BodyLimit
from api.maintenance import MaintenanceGate
from api.pruning import pruning
from api.routes import calendar, fhir, metrics, oauth, package, registration, v1
from api.sealing import sealing
from api.worker import worker_of, working
from service.settings import Settings

log = logging.getLogger("alongside")

# What FastAPI would hand to a collector has query strings and exception messages in it.
SILENT: Any = {"tracing": False, "metrics": False, "logs": False, "operation_spans": False}


class Alongside(FastAPI):
    """The audit row is outermost, so that no answer is without one."""

    def __init__(self, context: Context, **options: Any) -> None:  # noqa: ANN401 - FastAPI's own
        super().__init__(**options)
        self.state.context = context

    def build_middleware_stack(self) -> ASGIApp:
        context: Context = self.state.context
        # /fhir is asked most and needs nothing of FastAPI's: it is looked at first.
        others = BodyLimit(errors.SilentFailures(super().build_middleware_stack()))
        router = Router(fhir.routes(context), default=others, lifespan=_lifespan)
        context.audit_rows.know(self.routes)
        gate = MaintenanceGate(router, context.reader)
        fence = context.database.fence, context.reader
        return AuditMiddleware(
            gate, context.audit, context.clock, context.metrics, context.audit_rows, fence
        )

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            self.openapi_schema = openapi.document(self, self.state.context)
        return self.openapi_schema


def create_app(context: Context) -> FastAPI:
    """Return the application of this context."""
    app = Alongside(
        context,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        telemetry=SILENT,
        **openapi.INFO,
    )
    errors.install(app)
    app.router.routes.extend(oauth.routes(context))
    app.router.routes.extend(registration.routes(context))
    app.router.routes.extend(package.routes())
    app.router.routes.extend(metrics.routes(context))
    app.router.routes.extend(calendar.routes(context))
    app.include_router(v1.router, max_body_size=LARGEST_BODY)
    app.include_router(health.router)
    app.add_route("/openapi.json", _openapi)
    app.router.routes.extend(pages.routes(app, context))
    return app


def described() -> dict[str, Any]:
    """Return the OpenAPI document of the software, whatever it is set to."""
    nowhere = "sqlite:///:memory:"
    settings = Settings(database_url=nowhere, audit_database_url=nowhere)
    return create_app(build(settings, key=b"none")).openapi()


def app() -> FastAPI:
    """Return the application as the environment sets it; uvicorn's factory."""
    return create_app(build(Settings()))


@asynccontextmanager
async def _lifespan(application: FastAPI) -> AsyncIterator[None]:
    context: Context = application.state.context
    log.info("the service has started", extra={"event": "service.started"})
    async with pruning(context), sealing(context.audit), exporting(context):
        with working(worker_of(context)) if context.with_worker else nullcontext():
            yield
    log.info("the service stops", extra={"event": "service.stopped"})
    await context.reader.close()
    context.audit.close()
    context.audit_reader.close()
    context.database.close()


async def _openapi(request: Request) -> Response:
    content = openapi.as_json(request.app.openapi())
    return Response(content, media_type="application/json", headers={"Cache-Control": "no-cache"})
