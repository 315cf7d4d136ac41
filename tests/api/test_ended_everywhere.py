"""What was ended in one process is refused by every other within five seconds.

https://www.rfc-editor.org/rfc/rfc7009#section-2.1
"""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api import operators
from api.bootstrap import build
from api.main import create_app
from tests.api.registering import asked, bearer, registered
from tests.api.served import BASE, Served, serve

SECONDS = 5.0


@pytest.fixture
def processes(database_url: str, tmp_path: Path):
    """Two of one installation, each with a memory of its own."""
    more = {"access_token_memory_seconds": 1.0}
    with serve(database_url, tmp_path, **more) as first:
        context = build(first.context.settings)
        with TestClient(create_app(context), base_url=BASE) as client:
            yield first, Served(client, context)


def status(served: Served, token: str) -> int:
    return served.client.get("/fhir/Patient", headers=bearer(token)).status_code


def by_administrator(served: Served, name: str) -> None:
    secret = served.secret(f"admin-of-{name}", "v1.admin")
    headers = bearer(served.token(f"admin-of-{name}", secret, "v1.admin"))
    found = served.client.get("/v1/clients", headers=headers).json()["items"]
    (own,) = [each["id"] for each in found if each["name"] == name]
    answer = served.client.post(f"/v1/clients/{own}/disable", headers=headers)
    assert answer.status_code == 200


def test_a_client_or_token_that_was_ended_is_refused_by_every_process(processes):
    first, second = processes
    itself = registered(first)
    names = {"administered": first.secret("administered"), "shell": first.secret("shell")}
    names |= {"revoking": first.secret("revoking"), itself["client_id"]: itself["client_secret"]}
    names["untouched"] = first.secret("untouched")
    tokens = {
        name: first.token(name, secret, "system/Patient.rs") for name, secret in names.items()
    }
    for token in tokens.values():
        assert (status(first, token), status(second, token)) == (200, 200)

    revoked = {"token": tokens["revoking"]}
    auth = ("revoking", names["revoking"])
    acts: list[Callable[[], object]] = [
        lambda: by_administrator(first, "administered"),
        lambda: operators.disable_client(first.context, "shell"),
        lambda: first.client.post("/oauth/revoke", data=revoked, auth=auth),
        lambda: asked(first, "DELETE", itself),
    ]
    for act in acts:
        act()
    untouched = tokens.pop("untouched")
    until = time.monotonic() + SECONDS
    for token in tokens.values():
        assert status(first, token) == 401
        while status(second, token) != 401:
            assert time.monotonic() < until, "another process still knows it"
            time.sleep(0.05)
    assert (status(first, untouched), status(second, untouched)) == (200, 200)
