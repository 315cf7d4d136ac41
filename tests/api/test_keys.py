"""Our keys: rotated at a shell, published for everyone, and looked at by the doctor."""

import pytest

from api.bootstrap import cipher_of
from api.doctor import secrets
from service.encryption import new_key
from service.settings import Settings
from service.smart import signing
from service.smart.signing import KEYS
from tests.api.test_cli import audit_rows, folder, installed, run  # noqa: F401 - fixtures

SECRET = new_key()


@pytest.fixture
def pairs():
    return signing.new_pairs()


def keep(served, pairs, secret=SECRET):
    cipher = cipher_of(Settings(secrets_keys=secret))
    database = served.context.database
    work = lambda session: signing.rotate(  # noqa: E731
        session, cipher, pairs, now=served.context.clock()
    )
    database.unit_of_work(work, KEYS)


def test_the_set_is_where_discovery_says_and_anybody_may_have_it(served, pairs):
    found = served.client.get("/fhir/.well-known/smart-configuration").json()
    before = served.client.get(found["jwks_uri"])
    assert (before.status_code, before.json()) == (200, {"keys": []})
    keep(served, pairs)
    answer = served.client.get(found["jwks_uri"], headers={"Origin": "https://app.example"})
    assert {each["alg"] for each in answer.json()["keys"]} == {"RS384", "ES384"}
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert served.client.head(found["jwks_uri"]).status_code == 200
    assert served.client.post(found["jwks_uri"]).status_code == 405


def test_the_doctor_says_what_becomes_of_private_keys(served_on_sqlite, pairs):
    def said(keys):
        cipher = cipher_of(Settings(secrets_keys=keys))
        found = served_on_sqlite.context.database.read(
            lambda session: list(secrets.findings(session, cipher))
        )
        return found[0].level.value, found[0].sentence

    assert said(None)[0] == "warning"
    assert "nothing is signed" in said(None)[1]
    assert said(SECRET)[0] == "ok"
    keep(served_on_sqlite, pairs)
    assert said(SECRET) == (
        "ok",
        "The first key of ALONGSIDE_SECRETS_KEYS encrypts all 2 of our secrets.",
    )
    assert said(None)[0] == "error"
    assert said(new_key())[0] == "error"
    assert said(f"{new_key()},{SECRET}")[0] == "warning"


def test_keys_are_rotated_listed_and_encrypted_again_at_a_shell(installed, folder, monkeypatch):  # noqa: F811
    code, _, err = installed("keys", "rotate")
    assert code == 1
    assert "alongside keys secret" in err
    former = installed("keys", "secret")[1].strip()
    monkeypatch.setenv("ALONGSIDE_SECRETS_KEYS", former)
    code, out, _ = installed("keys", "rotate")
    assert code == 0
    assert out.startswith("RS384 signs with ")
    assert "nothing was rotated" in installed("keys", "rotate", "--older-than", "30")[1]
    assert installed("keys", "rotate")[0] == 0
    listed = installed("keys", "list")[1]
    assert listed.count("it signs") == 2
    monkeypatch.setenv("ALONGSIDE_SECRETS_KEYS", f"{new_key()},{former}")
    assert "a former key" in installed("secrets", "status")[1]
    assert installed("secrets", "rotate")[1].startswith("2 secrets")
    assert "the present key" in installed("secrets", "status")[1]
    rows = audit_rows(folder)
    assert [row[1:2] + row[4:] for row in rows] == [
        ("keys/rotate", 403), ("keys/rotate", 200), ("keys/rotate", 200), ("keys/rotate", 200),
        ("secrets/rotate", 200),
    ]  # fmt: skip
