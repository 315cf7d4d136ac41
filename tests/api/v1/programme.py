"""The programme's client, and what its tests ask for again and again."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from fastapi.testclient import TestClient
from sqlmodel import Session

from api.bootstrap import build, ensure_programme, publish_instruments
from api.context import Context
from api.main import create_app
from service.audit import prepare
from service.clock import Clock, system_clock
from service.database import Database
from service.models.connections import Connection
from service.settings import Settings
from service.smart.clients import NewClient, add_client
from service.smart.tokens import Grant, issue
from tests.world import now

BASE = "https://alongside.test"
EVERY_SCOPE = "v1.read v1.write v1.coordinate v1.admin"


@dataclass
class Api:
    """The application; a call sends the programme's token unless it is given another."""

    client: TestClient
    context: Context
    audit_file: Path
    token: str = ""

    @property
    def database(self) -> Database:
        return self.context.database

    def new_token(self, name: str, scope: str, connection: Connection | None = None) -> str:
        new = NewClient(
            name=name,
            scopes=tuple(scope.split()),
            connection_id=connection.id if connection else None,
        )

        def work(session: Session) -> str:
            client, _ = add_client(session, new)
            return issue(session, client, Grant(scope=scope, seconds=3600), now())

        return self.database.unit_of_work(work)

    def call(self, method: str, path: str, *, token: str | None = None, **more: Any) -> Any:
        bearer = self.token if token is None else token
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        headers |= more.pop("headers", {})
        return self.client.request(method, path, headers=headers, **more)

    def get(self, path: str, **more: Any) -> Any:
        return self.call("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> Any:
        return self.call("POST", path, json=body, **more)

    def put(self, path: str, body: Any, **more: Any) -> Any:
        return self.call("PUT", path, json=body, **more)

    def patch(self, path: str, body: Any, **more: Any) -> Any:
        return self.call("PATCH", path, json=body, **more)

    def audited(self) -> list[list[str]]:
        """The patients of each audit row, in the order of requests."""
        with sqlite3.connect(self.audit_file) as connection:
            rows = connection.execute("SELECT patients FROM audit_entries ORDER BY request_id")
            found = [orjson.loads(patients) if patients else [] for (patients,) in rows]
        connection.close()
        return found


@contextmanager
def open_api(url: str, folder: Path, clock: Clock = system_clock, **more: Any) -> Iterator[Api]:
    file = folder / "audit.db"
    settings = Settings(
        database_url=url, audit_database_url=f"sqlite:///{file}", public_base_url=BASE, **more
    )
    prepare(settings.audit_url)
    context = build(settings, clock)
    ensure_programme(context.database, "Programme")
    publish_instruments(context.database)
    with TestClient(create_app(context), base_url=BASE) as client:
        opened = Api(client, context, file)
        opened.token = opened.new_token("programme", EVERY_SCOPE)
        yield opened


def rules(answer: Any) -> dict[str, str]:
    """The rule of each field that a problem names."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return {each["field"]: each["rule"] for each in answer.json()["errors"]}


def everything(api: Api, path: str) -> list[dict[str, Any]]:
    """All items of a list, page by page along the `next` links."""
    found: list[dict[str, Any]] = []
    following: str | None = path
    while following:
        answer = api.get(following)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += page["items"]
        following = page["next"]
    return found
