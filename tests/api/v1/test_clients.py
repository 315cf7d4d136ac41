"""Clients through `/v1`: what an administrator's program does, and what it is shown once."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import orjson
import pytest

from service.clock import system_clock
from service.smart.clients import client_named, has_secret
from service.smart.tokens import Grant, issue
from tests import world
from tests.api.v1.programme import Api, everything, open_api, rules
from tests.assertions import claims, ec, form, jwk_set, rsa, signed

CLIENTS = "/v1/clients"


class Administrator:
    """Calls with the scope v1.admin."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.token = api.new_token("administrator", "v1.admin")

    def __call__(self, method: str, path: str = "", body=None, **headers: str):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.api.call(method, CLIENTS + path, token=self.token, json=body, headers=named)

    def add(self, **more) -> dict:
        body = {"name": "harbor-ehr", "scopes": ["system/Patient.rs"], **more}
        answer = self("POST", body=body)
        assert answer.status_code == 201, answer.text
        return answer.json()


@pytest.fixture
def admin(api) -> Administrator:
    return Administrator(api)


@pytest.fixture(scope="module")
def admin_on_sqlite(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Administrator]:
    """For what does not depend on the kind of database, or on what others have made."""
    folder = tmp_path_factory.mktemp("clients")
    file = folder / "alongside.db"
    file.write_bytes(sqlite_template.read_bytes())
    with open_api(f"sqlite:///{file}", folder) as opened:
        yield Administrator(opened)


def token_of(api: Api, name: str, secret: str):
    data = {"grant_type": "client_credentials", "scope": "system/Patient.rs"}
    return api.client.post("/oauth/token", data=data, auth=(name, secret))


def test_a_client_is_added_and_its_secret_is_shown_this_once(api, admin):
    hospital = world.hospital(api.database)
    made = admin.add(connection_id=str(hospital.id), ceiling="N", roster_role=True)
    assert made["connection_id"] == str(hospital.id)
    assert (made["ceiling"], made["roster_role"], made["proof"]) == ("N", True, "secret")
    assert token_of(api, "harbor-ehr", made["secret"]).status_code == 200
    shown = admin("GET", f"/{made['id']}")
    assert shown.headers["cache-control"] == "no-store"
    assert "secret" not in shown.json()
    assert made["secret"] not in shown.text
    assert made["secret"] not in admin("GET").text
    assert shown.json() == {name: each for name, each in made.items() if name != "secret"}


def test_the_answer_to_a_new_client_is_not_kept_and_says_where_it_is(admin_on_sqlite):
    answer = admin_on_sqlite("POST", body={"name": "not-kept", "scopes": ["system/*.rs"]})
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["location"].endswith(f"/v1/clients/{answer.json()['id']}")
    assert answer.headers["etag"] == 'W/"1"'


def test_clients_are_listed_page_by_page(api, admin):
    for number in range(5):
        admin.add(name=f"client-{number}")
    names = [each["name"] for each in everything_of(api, admin, f"{CLIENTS}?limit=2")]
    assert names == ["programme", "administrator", *(f"client-{n}" for n in range(5))]


def everything_of(api: Api, admin: Administrator, path: str) -> list[dict]:
    own, api.token = api.token, admin.token
    found = everything(api, path)
    api.token = own
    return found


def test_a_client_with_keys_has_no_secret_and_its_own_algorithms(api, admin):
    keys = orjson.loads(jwk_set(ec()))
    made = admin.add(jwks=keys, algorithms=["ES384"])
    assert (made["secret"], made["proof"], made["algorithms"]) == (None, "keys", ["ES384"])
    url = f"{api.context.settings.public_base_url}/oauth/token"
    data = form(signed(ec(), claims("harbor-ehr", url)), scope="system/Patient.r")
    assert api.client.post("/oauth/token", data=data).status_code == 200
    data = form(signed(rsa(), claims("harbor-ehr", url)), scope="system/Patient.r")
    assert api.client.post("/oauth/token", data=data).status_code == 401


def test_keys_may_be_at_an_address_that_is_looked_at_and_not_asked(admin_on_sqlite):
    made = admin_on_sqlite.add(name="with-address", jwks_url="https://harbor.example/jwks.json")
    assert (made["proof"], made["jwks_url"]) == ("address", "https://harbor.example/jwks.json")
    assert made["algorithms"] == ["ES384", "RS384"]
    for url in ("http://harbor.example/jwks.json", "file:///etc/passwd", "https://a:b@c.example"):
        answer = admin_on_sqlite(
            "POST", body={"name": "x1", "scopes": ["system/*.rs"], "jwks_url": url}
        )
        assert answer.status_code == 400
        assert "jwks_url" in rules(answer)


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"name": "UPPER"}, 400, "name"),
        ({"name": "a"}, 400, "name"),
        ({"name": None}, 422, "name"),
        ({"scopes": []}, 400, "scopes"),
        ({"scopes": ["openid"]}, 400, "scopes"),
        ({"scopes": "system/*.rs"}, 422, "scopes"),
        ({"ceiling": "X"}, 422, "ceiling"),
        ({"algorithms": ["RS256"], "jwks_url": "https://a.example"}, 422, "algorithms[0]"),
        ({"algorithms": ["RS384"]}, 400, "algorithms"),
        ({"algorithms": [], "jwks_url": "https://a.example"}, 400, "algorithms"),
        ({"jwks": {"keys": []}}, 400, "jwks"),
        ({"jwks": {"keys": [{"kty": "oct", "k": "x"}]}}, 400, "jwks"),
        ({"connection_id": "0199b7c2-5a01-7c90-8f6e-2d4b6a8c0e12"}, 400, "connection_id"),
        ({"secret": "mine"}, 422, "secret"),
    ],
)
def test_what_breaks_a_rule_is_named_and_nothing_is_kept(admin_on_sqlite, changes, status, field):
    before = admin_on_sqlite("GET").json()
    body = {"name": "never", "scopes": ["system/*.rs"], **changes}
    answer = admin_on_sqlite("POST", body=body)
    assert answer.status_code == status, answer.text
    assert field in rules(answer)
    assert admin_on_sqlite("GET").json() == before


def test_a_hospitals_client_may_not_have_the_programmes_scopes(api, admin):
    hospital = world.hospital(api.database)
    for scope in ("v1.admin", "v1.read"):
        body = {"name": "x1", "scopes": [scope], "connection_id": str(hospital.id)}
        assert admin("POST", body=body).status_code == 422


def test_a_name_is_taken_once(admin_on_sqlite):
    admin_on_sqlite.add(name="taken")
    answer = admin_on_sqlite("POST", body={"name": "taken", "scopes": ["system/*.rs"]})
    assert answer.status_code == 409


def test_a_rotated_secret_replaces_the_one_before(api, admin):
    made = admin.add()
    answer = admin("POST", f"/{made['id']}/rotate")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["version"] == 2
    assert token_of(api, "harbor-ehr", made["secret"]).status_code == 401
    assert token_of(api, "harbor-ehr", answer.json()["secret"]).status_code == 200


def test_a_client_changes_from_a_secret_to_keys_and_not_back_without_saying(api, admin):
    made = admin.add()
    keys = {"jwks": orjson.loads(jwk_set(ec()))}
    answer = admin("POST", f"/{made['id']}/rotate", keys)
    assert (answer.json()["proof"], answer.json()["secret"]) == ("keys", None)
    assert token_of(api, "harbor-ehr", made["secret"]).status_code == 401
    refused = admin("POST", f"/{made['id']}/rotate")
    assert (refused.status_code, list(rules(refused))) == (422, ["keys"])


def test_a_disabled_client_is_refused_and_what_it_held_ends_for_good(api, admin):
    made = admin.add()
    token = token_of(api, "harbor-ehr", made["secret"]).json()["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    assert api.client.get("/fhir/Patient", headers=bearer).status_code == 200
    off = admin("POST", f"/{made['id']}/disable")
    assert off.json()["disabled_at"]
    assert admin("POST", f"/{made['id']}/disable").json() == off.json()
    assert api.client.get("/fhir/Patient", headers=bearer).status_code == 401
    assert token_of(api, "harbor-ehr", made["secret"]).status_code == 401
    assert admin("POST", f"/{made['id']}/enable").json()["disabled_at"] is None
    assert token_of(api, "harbor-ehr", made["secret"]).status_code == 200
    assert api.client.get("/fhir/Patient", headers=bearer).status_code == 401


@pytest.mark.parametrize("act", ["rotate", "disable", "enable"])
def test_a_change_may_say_which_version_it_has_seen(admin_on_sqlite, act):
    made = admin_on_sqlite.add(name=f"seen-{act}")
    refused = admin_on_sqlite("POST", f"/{made['id']}/{act}", if_match='W/"7"')
    assert refused.status_code == 412
    assert admin_on_sqlite("POST", f"/{made['id']}/{act}", if_match='W/"1"').status_code == 200


def test_secrets_are_kept_as_hashes_and_stand_in_no_audit_row(api, admin):
    made = admin.add()
    row = api.database.read(lambda session: client_named(session, "harbor-ehr"))
    assert made["secret"] not in str(row)
    assert has_secret(row, made["secret"])
    assert made["secret"].encode() not in api.audit_file.read_bytes()
    assert row.id == UUID(made["id"])


def test_a_client_that_administers_may_be_disabled_by_another(api, admin):
    other = admin.add(name="other", scopes=["v1.admin"])

    def token(session) -> str:
        row = client_named(session, "other")
        return issue(session, row, Grant(scope="v1.admin", seconds=60), system_clock())

    theirs = api.database.unit_of_work(token)
    assert api.call("GET", CLIENTS, token=theirs).status_code == 200
    admin("POST", f"/{other['id']}/disable")
    assert api.call("GET", CLIENTS, token=theirs).status_code == 401


@pytest.mark.parametrize("route", ["", "rotate"])
def test_keys_with_half_a_character_are_refused(admin_on_sqlite, route):
    path = f"/{admin_on_sqlite.add(name=f'whole-{route}x')['id']}/rotate" if route else ""
    named = "" if route else '"name": "half", "scopes": ["system/*.rs"], '
    answer = admin_on_sqlite.api.call(
        "POST",
        CLIENTS + path,
        token=admin_on_sqlite.token,
        content=f'{{{named}"jwks": {{"keys": [{{"kty": "EC", "kid": "\\ud800"}}]}}}}',
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code in (400, 422), answer.text
    assert "jwks" in answer.json()["errors"][0]["field"]
