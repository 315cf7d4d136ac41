"""Rates over HTTP: 429 with Retry-After, by address and client, as an OAuth error."""

import pytest
from starlette.testclient import TestClient
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from api.main import create_app
from tests.api.served import BASE, serve
from tests.assertions import claims, form, rsa, signed

RATES = {
    "oauth_address_rate": "12/minute", "oauth_failure_rate": "3/minute",
    "oauth_client_rate": "4/minute",
}  # fmt: skip
ASK = {"grant_type": "client_credentials", "scope": "system/*.rs"}


@pytest.fixture
def served(sqlite_url, tmp_path):
    with serve(sqlite_url, tmp_path, **RATES) as opened:
        yield opened


@pytest.fixture
def at(served):
    """The application as an address asks it."""
    app = served.client.app

    def client(address: str) -> TestClient:
        return TestClient(app, base_url=BASE, client=(address, 1))

    return client


def is_too_many(answer) -> None:
    assert answer.status_code == 429
    assert answer.json()["error"] == "temporarily_unavailable"
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/introspect", "/oauth/revoke"])
def test_failures_with_a_client_count_at_an_address_and_not_elsewhere(served, at, path):
    secret = served.secret("harbor", "system/*.rs")
    form = {**ASK, "token": "x"}
    for _ in range(3):
        assert at("192.0.2.66").post(path, data=form, auth=("harbor", "guess")).status_code == 401
    is_too_many(at("192.0.2.66").post(path, data=form, auth=("harbor", secret)))
    assert at("192.0.2.66").post(path, data=form, auth=("other", "x")).status_code == 401
    assert at("192.0.2.1").post(path, data=form, auth=("harbor", secret)).status_code == 200


def test_failed_assertions_count_as_failures_of_their_issuer(served, at):
    served.secret("harbor", "system/*.rs")
    for number in range(4):
        text = signed(rsa(), claims("harbor", f"{BASE}/oauth/token"))
        answer = at("192.0.2.66").post("/oauth/token", data=form(text))
        assert answer.status_code == (401 if number < 3 else 429)


def test_a_client_that_proves_itself_is_counted_wherever_it_is(served, at):
    secret = served.secret("harbor", "system/*.rs")
    for number in range(4):
        answer = at(f"192.0.2.{number}").post("/oauth/token", data=ASK, auth=("harbor", secret))
        assert answer.status_code == 200
    is_too_many(at("192.0.2.9").post("/oauth/token", data=ASK, auth=("harbor", secret)))
    other = served.secret("other", "system/*.rs")
    answer = at("192.0.2.9").post("/oauth/token", data=ASK, auth=("other", other))
    assert answer.status_code == 200


def test_an_address_is_counted_whatever_it_asks(at):
    for number in range(12):
        path = ("/oauth/token", "/oauth/introspect", "/oauth/revoke")[number % 3]
        assert at("192.0.2.66").post(path, data={"a": str(number)}).status_code in (400, 401)
    is_too_many(at("192.0.2.66").post("/oauth/token", data=ASK))
    assert at("192.0.2.66").get("/fhir/metadata").status_code == 200
    assert at("192.0.2.7").post("/oauth/token", data=ASK).status_code == 401


def test_the_address_is_the_one_a_trusted_proxy_tells(served):
    app = ProxyHeadersMiddleware(create_app(served.context), trusted_hosts="192.0.2.10")

    def ask(proxy: str, address: str) -> int:
        client = TestClient(app, base_url=BASE, client=(proxy, 1))
        headers = {"X-Forwarded-For": address}
        return client.post("/oauth/token", data=ASK, headers=headers).status_code

    for _ in range(12):
        ask("192.0.2.10", "198.51.100.1")
    assert ask("192.0.2.10", "198.51.100.1") == 429
    assert ask("192.0.2.10", "198.51.100.2") == 401
    for number in range(12):
        ask("203.0.113.5", f"198.51.100.{number}")
    assert ask("203.0.113.5", "198.51.100.99") == 429
