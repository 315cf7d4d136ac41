"""The FHIR endpoint over a test's database, with a client for each caller."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlmodel import Session
from starlette.applications import Starlette
from starlette.testclient import TestClient

from api.audit import AuditMiddleware
from api.bootstrap import build, ensure_programme, publish_instruments
from api.context import Context
from api.routes import fhir
from service.audit import prepare
from service.clock import Clock, system_clock
from service.models.connections import Confidentiality, Connection
from service.models.purposes import Purpose
from service.settings import Settings
from service.smart.clients import NewClient, add_client
from service.smart.tokens import Grant, issue
from tests.audited import opened_rows
from tests.world import now

BASE = "http://testserver/fhir"
EVERYTHING = "system/*.cruds"


@dataclass
class Endpoint:
    """A running endpoint: `get` and its like send a caller's token."""

    client: TestClient
    context: Context
    audit: sqlite3.Connection
    tokens: dict[tuple[Any, ...], str] = field(default_factory=dict)

    def token(
        self,
        caller: Connection | None = None,
        scope: str = EVERYTHING,
        *,
        ceiling: Confidentiality = Confidentiality.VERY_RESTRICTED,
        roster_role: bool = True,
        purpose: Purpose = Purpose.TREATMENT,
    ) -> str:
        """A token of a client of this connection, or of the programme."""
        connection_id: UUID | None = caller.id if caller else None
        key = (connection_id, scope, ceiling, roster_role, purpose)
        if key not in self.tokens:
            new = NewClient(
                name=f"client-{len(self.tokens)}",
                scopes=tuple(scope.split()),
                connection_id=connection_id,
                ceiling=ceiling,
                roster_role=roster_role,
                purpose=purpose,
            )

            def work(session: Session) -> str:
                client, _ = add_client(session, new)
                return issue(session, client, Grant(scope=scope, seconds=3600), now())

            self.tokens[key] = self.context.database.unit_of_work(work)
        return self.tokens[key]

    def request(self, method: str, path: str, caller: Connection | None = None, **more: Any) -> Any:
        token = more.pop("token", None) or self.token(caller)
        headers = {"Authorization": f"Bearer {token}", **more.pop("headers", {})}
        url = path if path.startswith("http") else f"{BASE}/{path}"
        return self.client.request(method, url, headers=headers, **more)

    def get(self, path: str, caller: Connection | None = None, **more: Any) -> Any:
        return self.request("GET", path, caller, **more)

    def resources(self, path: str, caller: Connection | None = None) -> list[dict[str, Any]]:
        """What a search finds, over all its pages."""
        found: list[dict[str, Any]] = []
        url: str | None = path
        while url:
            page = self.get(url, caller).json()
            assert page["resourceType"] == "Bundle", page
            found += [
                e["resource"] for e in page.get("entry", []) if e["search"]["mode"] == "match"
            ]
            links = {each["relation"]: each["url"] for each in page["link"]}
            url = links.get("next")
        return found

    def ids(self, path: str, caller: Connection | None = None) -> list[str]:
        return [each["id"] for each in self.resources(path, caller)]

    def audited(self) -> tuple[Any, ...]:
        """The newest audit row: method, path, status and the patients it names."""
        newest = max(opened_rows(self.context), key=lambda row: row.request_id)
        return newest.method, newest.path, newest.status, newest.patients

    def patient_id(self, caller: Connection | None = None) -> str:
        """The only patient the caller sees."""
        (found,) = self.ids("Patient", caller)
        return found


@contextmanager
def open_endpoint(
    url: str, folder: Path, clock: Clock = system_clock, **more: Any
) -> Iterator[Endpoint]:
    audit = f"sqlite:///{folder}/audit.db"
    settings = Settings(
        database_url=url,
        audit_database_url=audit,
        public_base_url="http://testserver",
        **more,
    )
    prepare(audit)
    context = build(settings, clock)
    ensure_programme(context.database, "Programme")
    publish_instruments(context.database)
    app = Starlette(routes=fhir.routes(context))
    fence = context.database.fence, context.reader
    audited = AuditMiddleware(app, context.audit, clock, context.metrics, context.audit_rows, fence)
    with TestClient(audited) as client:
        yield Endpoint(client, context, sqlite3.connect(folder / "audit.db"))
        client.portal.call(context.reader.close)
    context.audit.close()
    context.database.close()


def week(number: int) -> timedelta:
    return timedelta(weeks=number)
