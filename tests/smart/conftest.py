"""One served application for each file, with a hospital whose client has keys."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from service.models.connections import Confidentiality, Connection
from service.models.patients import Patient
from service.smart.clients import Keys, NewClient, add_client
from tests import world
from tests.api.served import BASE, Served, serve
from tests.assertions import claims, ec, form, jwk_set, rsa, signed
from tests.conftest import new_database

CLIENT = "harbor-ehr"
SCOPES = "system/*.cruds"
TOKEN_URL = f"{BASE}/oauth/token"
PROGRAMME = "programme"
LOOPBACK = "127.0.0.0/8,::1/128"


@dataclass
class Hospital:
    """A hospital, a person linked to it, and the hospital's client."""

    served: Served
    connection: Connection
    person: Patient
    secret: str  # of the programme's client

    def configuration(self) -> dict[str, Any]:
        found: dict[str, Any] = self.get("/fhir/.well-known/smart-configuration").json()
        return found

    def ask(self, scope: str = "system/*.rs", **changes: Any) -> Any:
        """Ask for a token by a signed assertion; `changes` are to its claims."""
        text = signed(changes.pop("key", rsa()), claims(CLIENT, TOKEN_URL, **changes))
        return self.served.client.post("/oauth/token", data=form(text, scope))

    def token(self, scope: str = "system/*.rs") -> str:
        found: str = self.ask(scope).json()["access_token"]
        return found

    def get(self, path: str, token: str | None = None, **more: Any) -> Any:
        return self.call("GET", path, token, **more)

    def call(self, method: str, path: str, token: str | None = None, **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= more.pop("headers", {})
        if body := more.pop("body", None):
            more["content"] = json.dumps(body)
            headers["Content-Type"] = "application/fhir+json"
        return self.served.client.request(method, path, headers=headers, **more)

    def introspect(self, token: str, **more: Any) -> Any:
        proof = more or {"auth": (PROGRAMME, self.secret)}
        return self.served.client.post("/oauth/introspect", data={"token": token}, **proof)


@pytest.fixture(scope="module")
def hospital(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Hospital]:
    folder = tmp_path_factory.mktemp("smart")
    with ExitStack() as stack:
        url = new_database("sqlite", request, folder, stack)
        served = stack.enter_context(serve(url, folder, jwks_networks=LOOPBACK))
        database = served.context.database
        connection = world.hospital(database, "Harbor")
        person = world.linked(database, connection)
        world.enroll(database, person, world.group(database))
        new = NewClient(
            name=CLIENT,
            scopes=tuple(SCOPES.split()),
            connection_id=connection.id,
            ceiling=Confidentiality.VERY_RESTRICTED,
            keys=Keys(jwks=jwk_set(rsa(), ec())),
        )
        database.unit_of_work(lambda session: add_client(session, new))
        secret = served.secret(PROGRAMME, "v1.read v1.write system/*.cruds")
        yield Hospital(served, connection, person, secret)
