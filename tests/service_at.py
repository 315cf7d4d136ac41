"""The whole service on a loopback port, as its clients meet it."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from sqlmodel import Session
from starlette.types import ASGIApp

from api.bootstrap import build, ensure_programme, publish_instruments
from api.cli import SERVER
from api.context import Context
from api.main import create_app
from service.audit import prepare
from service.clock import Clock, system_clock
from service.database import Database
from service.models.connections import Confidentiality, Connection
from service.settings import Settings
from service.smart.clients import NewClient, add_client
from service.smart.tokens import Grant, issue
from tests.postgres import free_port
from tests.world import now

FHIR = "system/*.cruds"
V1 = "v1.read v1.write"
TOKEN_SECONDS = 3600


@dataclass
class Caller:
    """A client of the service with its token."""

    http: httpx.Client
    token: str

    def __call__(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}", **more.pop("headers", {})}
        return self.http.request(method, path, headers=headers, **more)

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self("GET", path, **more)


@dataclass
class Service:
    context: Context
    http: httpx.Client

    @property
    def database(self) -> Database:
        return self.context.database

    def caller(
        self, name: str, scope: str, connection: Connection | None = None, **more: Any
    ) -> Caller:
        """A client with a token that outlives the test; ceiling V and roster role by default."""
        rights = {"ceiling": Confidentiality.VERY_RESTRICTED, "roster_role": True, **more}
        new = NewClient(
            name=name,
            scopes=tuple(scope.split()),
            connection_id=connection.id if connection else None,
            **rights,
        )

        def work(session: Session) -> str:
            client, _ = add_client(session, new)
            return issue(session, client, Grant(scope=scope, seconds=TOKEN_SECONDS), now())

        return Caller(self.http, self.database.unit_of_work(work))


def as_it_is(app: ASGIApp) -> ASGIApp:
    return app


@contextmanager
def serving(
    url: str,
    folder: Path,
    clock: Clock = system_clock,
    base: str | None = None,
    around: Callable[[ASGIApp], ASGIApp] = as_it_is,
) -> Iterator[Service]:
    """Serve on a free port; `base` is the address that links begin with, where it is another.

    `around` wraps the application in what looks on.
    """
    port = free_port()
    here = f"http://127.0.0.1:{port}"
    audit = None if url.startswith("postgres") else f"sqlite:///{folder / 'audit.db'}"
    settings = Settings(database_url=url, audit_database_url=audit, public_base_url=base or here)
    prepare(settings.audit_url)
    context = build(settings, clock)
    ensure_programme(context.database, settings.programme_name)
    publish_instruments(context.database)
    config = uvicorn.Config(around(create_app(context)), port=port, **SERVER)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    with httpx.Client(base_url=here, timeout=30) as http:
        yield Service(context, http)
    server.should_exit = True
    thread.join()
