"""The whole application over a test's database, as it is served."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from starlette.testclient import TestClient

from api.bootstrap import build, install
from api.context import Context
from api.main import create_app
from service.clock import Clock, system_clock
from service.settings import Settings
from service.smart.clients import NewClient, add_client
from tests.audited import opened_rows

BASE = "http://127.0.0.1:8000"


@dataclass
class Served:
    """A running application: `client` calls it, `rows` are the audit rows so far."""

    client: TestClient
    context: Context

    def secret(
        self, name: str, scopes: str = "v1.read v1.write system/*.rs", of: UUID | None = None
    ) -> str:
        """Add a client and return its secret."""
        new = NewClient(name=name, scopes=tuple(scopes.split()), connection_id=of)
        return self.context.database.unit_of_work(lambda session: add_client(session, new)[1])

    def token(self, name: str, secret: str, scope: str) -> str:
        form = {"grant_type": "client_credentials", "scope": scope}
        answer = self.client.post("/oauth/token", data=form, auth=(name, secret))
        found: str = answer.json()["access_token"]
        return found

    def rows(self) -> list[Any]:
        return list(opened_rows(self.context))


@contextmanager
def serve(url: str, folder: Path, clock: Clock = system_clock, **more: Any) -> Iterator[Served]:
    audit = f"sqlite:///{folder}/served-audit.db" if url.startswith("sqlite") else None
    settings = Settings(database_url=url, audit_database_url=audit, public_base_url=BASE, **more)
    install(settings)
    context = build(settings, clock)
    with TestClient(create_app(context), base_url=BASE) as client:
        yield Served(client, context)
