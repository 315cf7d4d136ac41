"""A registered client reads, changes and ends its own registration, and nobody else's.

https://www.rfc-editor.org/rfc/rfc7592
"""

import orjson
import pytest

from service.smart.clients import disable_client
from tests.api.registering import asked, bearer, invited, refused, register, registered
from tests.assertions import ec, jwk_set

KEYS = orjson.loads(jwk_set(ec()))
SHOWN_ONCE = ("client_secret", "client_secret_expires_at")


def test_a_client_reads_what_is_registered_without_its_secret(served):
    found = registered(served, client_name="Harbor")
    answer = asked(served, "GET", found)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == {k: v for k, v in found.items() if k not in SHOWN_ONCE}


def test_a_client_changes_what_it_said_and_keeps_its_secret(served):
    found = registered(served, client_name="Harbor", contacts=["a@harbor.example"])
    body = {
        "client_id": found["client_id"], "client_secret": found["client_secret"],
        "client_name": "Harbor 2", "scope": "system/Patient.rs",
    }  # fmt: skip
    answer = asked(served, "PUT", found, body)
    assert answer.status_code == 200, answer.text
    now = answer.json()
    assert (now["client_name"], now["scope"]) == ("Harbor 2", "system/Patient.rs")
    assert "contacts" not in now
    assert "client_secret" not in now
    assert served.token(found["client_id"], found["client_secret"], "system/Patient.rs")
    assert asked(served, "GET", found).json() == now


def test_a_client_changes_from_a_secret_to_keys_and_back(served):
    found = registered(served)
    name = {"client_id": found["client_id"]}
    now = asked(served, "PUT", found, {**name, "jwks": KEYS}).json()
    assert (now["jwks"], now["token_endpoint_auth_method"]) == (KEYS, "private_key_jwt")
    auth = (found["client_id"], found["client_secret"])
    ask = {"grant_type": "client_credentials", "scope": "system/Patient.rs"}
    assert served.client.post("/oauth/token", data=ask, auth=auth).status_code == 401
    back = asked(served, "PUT", found, name).json()
    assert back["client_secret"] != found["client_secret"]
    assert served.token(found["client_id"], back["client_secret"], "system/Patient.rs")


def test_what_was_given_up_may_be_taken_back_and_never_more_than_was_allowed(unlimited):
    found = registered(unlimited, scope="system/Patient.r")
    name = {"client_id": found["client_id"]}
    wider = asked(unlimited, "PUT", found, {**name, "scope": "system/Patient.rs"})
    assert wider.json()["scope"] == "system/Patient.rs"
    answer = asked(unlimited, "PUT", found, {**name, "scope": "system/Patient.cruds"})
    refused(answer, said="does not allow")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"client_id": None}, "client_id"),
        ({"client_id": "another"}, "client_id"),
        ({"client_secret": "wrong"}, "client_secret"),
        ({"client_secret": 5}, "client_secret"),
        ({"registration_access_token": "x"}, "registration_access_token"),
        ({"registration_client_uri": "x"}, "registration_client_uri"),
        ({"client_secret_expires_at": 0}, "client_secret_expires_at"),
        ({"client_id_issued_at": 0}, "client_id_issued_at"),
        ({"jwks_uri": "http://a.example"}, "https"),
    ],
)
def test_a_change_that_breaks_a_rule_changes_nothing(unlimited, body, said):
    found = registered(unlimited, client_name="Harbor")
    before = asked(unlimited, "GET", found).json()
    whole = {"client_id": found["client_id"], **body}
    refused(asked(unlimited, "PUT", found, whole), said=said)
    assert asked(unlimited, "GET", found).json() == before


def test_a_body_that_is_no_json_changes_nothing(unlimited):
    found = registered(unlimited)
    headers = bearer(found["registration_access_token"])
    url = found["registration_client_uri"]
    refused(unlimited.client.put(url, content=b"x", headers=headers), said="send the")


def test_a_client_ends_itself_with_what_it_holds(served):
    found = registered(served)
    auth = (found["client_id"], found["client_secret"])
    access = served.token(*auth, "system/Patient.rs")
    answer = asked(served, "DELETE", found)
    assert (answer.status_code, answer.content) == (204, b"")
    assert served.client.get("/fhir/Patient", headers=bearer(access)).status_code == 401
    ask = {"grant_type": "client_credentials", "scope": "system/Patient.rs"}
    assert served.client.post("/oauth/token", data=ask, auth=auth).status_code == 401
    for method in ("GET", "PUT", "DELETE"):
        refused(asked(served, method, found, {}), "invalid_token")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_nobody_else_learns_or_changes_anything(unlimited, method):
    served = unlimited
    mine, theirs = registered(served), registered(served)
    access = served.token(mine["client_id"], mine["client_secret"], "system/Patient.rs")
    body = {"client_id": mine["client_id"]}
    unknown = {**mine, "registration_client_uri": "/oauth/register/sw-unknown"}
    nobody = asked(served, method, unknown, body)
    for token in ("", "x", access, theirs["registration_access_token"], mine["client_secret"]):
        answer = asked(served, method, mine, body, token=token)
        refused(answer, "invalid_token")
        assert answer.headers["www-authenticate"].startswith("Bearer")
        if token == "x":
            assert answer.json() == nobody.json()
    assert asked(served, "GET", mine).status_code == 200


def test_a_client_that_an_operator_added_has_no_registration(unlimited):
    served = unlimited
    served.secret("programme")
    for token in ("", "x", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"):
        answer = served.client.get("/oauth/register/programme", headers=bearer(token))
        assert answer.status_code == 401


def test_a_client_that_an_operator_disabled_is_refused(unlimited):
    served = unlimited
    found, now = registered(served), served.context.clock()
    database = served.context.database
    database.unit_of_work(lambda session: disable_client(session, found["client_id"], now))
    for method in ("GET", "PUT", "DELETE"):
        refused(asked(served, method, found, {"client_id": found["client_id"]}), "invalid_token")


def test_pages_of_any_origin_may_register_and_administer(unlimited):
    for path, method in (("/oauth/register", "POST"), ("/oauth/register/x", "DELETE")):
        asked_for = {
            "Origin": "https://app.example", "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": "authorization, content-type",
        }  # fmt: skip
        answer = unlimited.client.options(path, headers=asked_for)
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == "*"
    answer = register(unlimited, invited(unlimited))
    assert answer.status_code == 201
    origin = {"Origin": "https://app.example"}
    refusal = unlimited.client.post("/oauth/register", json={}, headers=origin)
    assert refusal.headers["access-control-allow-origin"] == "*"


def test_guesses_at_tokens_are_counted_by_address(served_on_sqlite):
    found = registered(served_on_sqlite)
    statuses = {asked(served_on_sqlite, "GET", found, token="x").status_code for _ in range(40)}
    assert statuses == {401, 429}
    assert asked(served_on_sqlite, "GET", found).status_code == 429
