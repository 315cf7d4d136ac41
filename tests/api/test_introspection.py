"""Introspection (smart.md, A7) and revocation, over HTTP.

https://www.rfc-editor.org/rfc/rfc7662
https://www.rfc-editor.org/rfc/rfc7009
"""

import time

import pytest

from service.clock import system_clock
from service.smart.clients import Keys, NewClient, add_client, disable_client
from service.smart.tokens import Grant, issue
from tests.api.served import BASE, Served
from tests.assertions import claims, form, jwk_set, rsa, signed
from tests.world import hospital

SCOPES = "system/Patient.rs system/Observation.read"


@pytest.fixture
def secret(served) -> str:
    return served.secret("programme")


@pytest.fixture
def token(served, secret) -> str:
    return served.token("programme", secret, SCOPES)


def introspect(served: Served, token: str, **more):
    return served.client.post("/oauth/introspect", data={"token": token}, **more)


def revoke(served: Served, token: str, **more):
    return served.client.post("/oauth/revoke", data={"token": token}, **more)


def bearer(token: str) -> dict:
    return {"headers": {"Authorization": f"Bearer {token}"}}


def proved(name: str) -> dict:
    text = signed(rsa(), claims(name, f"{BASE}/oauth/token"))
    fields = form(text)
    return {key: fields[key] for key in ("client_assertion", "client_assertion_type")}


def with_keys(served: Served, name: str) -> None:
    new = NewClient(name=name, scopes=("system/*.rs",), keys=Keys(jwks=jwk_set(rsa())))
    served.context.database.unit_of_work(lambda session: add_client(session, new))


def test_a7_43_and_45_an_active_token_is_described(served, secret, token):
    answer = introspect(served, token, auth=("programme", secret))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert body["active"] is True
    assert body["client_id"] == "programme"
    assert body["scope"].split() == SCOPES.split()
    assert 0 < body["exp"] - time.time() <= 300
    assert body["exp"] - body["iat"] == 300
    assert set(body) == {"active", "client_id", "scope", "exp", "iat", "token_type"}


def test_a7_44_and_46_of_an_unknown_token_nothing_is_told(served, secret):
    unknown = ("invalid_token_value", "x" * 10_000, 'a"b\\', "ü", "\x00")
    for text in unknown:
        answer = introspect(served, text, auth=("programme", secret))
        assert (answer.status_code, answer.json()) == (200, {"active": False})


def test_a7_46_of_an_expired_revoked_or_disabled_token_nothing_is_told(served, secret, token):
    def work(session):
        other = NewClient(name="other", scopes=("system/*.rs",))
        client, _ = add_client(session, other)
        old = issue(session, client, Grant(scope="system/*.rs", seconds=0), system_clock())
        return old, issue(session, client, Grant(scope="system/*.rs", seconds=60), system_clock())

    database = served.context.database
    expired, orphan = database.unit_of_work(work)
    assert introspect(served, orphan, auth=("programme", secret)).json()["active"] is True
    database.unit_of_work(lambda session: disable_client(session, "other", system_clock()))
    gone = served.token("programme", secret, SCOPES)
    revoke(served, gone, auth=("programme", secret))
    for text in (expired, orphan, gone):
        answer = introspect(served, text, auth=("programme", secret))
        assert (answer.status_code, answer.json()) == (200, {"active": False})
    assert introspect(served, token, auth=("programme", secret)).json()["active"] is True


def test_a7_47_a_bearer_token_does_as_well(served, token):
    assert introspect(served, token, **bearer(token)).json()["client_id"] == "programme"


def test_a7_47_tokens_of_any_client_are_described(served, token):
    connection = hospital(served.context.database)
    secret = served.secret("hospital-a", "system/*.rs", connection.id)
    theirs = served.token("hospital-a", secret, "system/*.rs")
    assert introspect(served, token, **bearer(theirs)).json()["client_id"] == "programme"
    assert introspect(served, theirs, **bearer(token)).json()["client_id"] == "hospital-a"


def test_a_client_with_keys_may_introspect_and_revoke(served, token):
    with_keys(served, "harbor")
    data = {"token": token, **proved("harbor")}
    assert served.client.post("/oauth/introspect", data=data).json()["active"] is True
    data = {"token": token, **proved("harbor")}
    assert served.client.post("/oauth/revoke", data=data).status_code == 200


@pytest.mark.parametrize("call", [introspect, revoke])
def test_without_proof_nothing_is_told_or_ended(served, token, call):
    for more in ({}, {"auth": ("programme", "wrong")}, {"auth": ("nobody", "x")}):
        answer = call(served, token, **more)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        assert answer.headers["www-authenticate"].startswith("Basic")
    assert introspect(served, token, **bearer(token)).json()["active"] is True


@pytest.mark.parametrize("text", ["x", "", "%FF", "x" * 300])
def test_a_bearer_that_is_none_is_refused_as_rfc_6750_says(served, token, text):
    answer = introspect(served, token, **bearer(text))
    assert answer.status_code == 401
    assert answer.json()["error"] in ("invalid_token", "invalid_client")
    if text == "x":
        assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("path", ["/oauth/introspect", "/oauth/revoke"])
def test_a_request_without_a_token_is_an_error(served, secret, path):
    for data in ({}, {"token": ""}, {"token": ["a", "b"]}):
        answer = served.client.post(path, data=data, auth=("programme", secret))
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert served.client.get(path).status_code == 405


def test_a_revoked_token_is_refused_at_once(served, secret, token):
    assert served.client.get("/fhir/Patient", **bearer(token)).status_code == 200
    hint = {"token": token, "token_type_hint": "nonsense"}
    answer = served.client.post("/oauth/revoke", data=hint, auth=("programme", secret))
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert served.client.get("/fhir/Patient", **bearer(token)).status_code == 401


def test_revoking_again_or_what_never_was_is_no_error(served, secret, token):
    for text in (token, token, "never-was", "x" * 10_000, 'ü"\\\x00'):
        assert revoke(served, text, auth=("programme", secret)).status_code == 200


def test_a_client_ends_its_own_tokens_alone(served, token):
    other = served.secret("other", "system/*.rs")
    answer = revoke(served, token, auth=("other", other))
    assert (answer.status_code, answer.json()) == (200, {})
    assert served.client.get("/fhir/Patient", **bearer(token)).status_code == 200


def test_a_bearer_token_ends_no_token(served, token):
    assert revoke(served, token, **bearer(token)).status_code == 401


def test_the_audit_rows_name_who_asked_and_hold_no_token(served, secret, token):
    introspect(served, token, auth=("programme", secret))
    introspect(served, token, **bearer(token))
    revoke(served, token, auth=("programme", secret))
    introspect(served, token, **bearer(token))
    served.client.post(f"/oauth/introspect?token={token}", data={"token": token})
    found = [(row.path, row.client, row.status) for row in served.rows()][1:]
    assert found == [
        ("/oauth/introspect", "programme", 200),
        ("/oauth/introspect", "programme", 200),
        ("/oauth/revoke", "programme", 200),
        ("/oauth/introspect", None, 401),
        ("/oauth/introspect", None, 401),
    ]
    assert token not in str(served.rows())
