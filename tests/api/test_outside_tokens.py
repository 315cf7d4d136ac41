"""Tokens of issuers outside, over HTTP: they open what ours of the same bounds would open.

https://www.rfc-editor.org/rfc/rfc9068
https://www.rfc-editor.org/rfc/rfc7662
"""

import time
from concurrent.futures import ThreadPoolExecutor

import orjson
import pytest

from api import operators
from service.clock import system_clock
from service.encryption import new_key
from service.errors import BusinessRuleError
from service.models.connections import Confidentiality
from service.smart.clients import NewClient
from service.smart.issuers import NewIssuer
from service.smart.people import Vouching
from tests import world
from tests.api.registering import bearer
from tests.api.served import BASE, serve
from tests.api.test_cli import audit_rows, folder, installed, run  # noqa: F401 - fixtures
from tests.assertions import jwk_set, rsa, signed
from tests.jwks_server import jwks_server

ISSUER = "https://login.harbor.example"
LOOPBACK = "127.0.0.0/8,::1/128"


@pytest.fixture
def served(database_url, tmp_path):
    more = {"jwks_networks": LOOPBACK, "access_token_memory_seconds": 0.5}
    with serve(database_url, tmp_path, **more) as opened:
        yield opened


def trust(served, name="harbor-login", scopes="system/Patient.rs", connection=None, **more):
    client = NewClient(name=name, scopes=tuple(scopes.split()), ceiling=Confidentiality.NORMAL)
    new = NewIssuer(client=client, **{"issuer": ISSUER, **more})
    operators.add_issuer(served.context, new, connection)


def token(**changes) -> str:
    now = int(system_clock().timestamp())
    content = {
        "iss": ISSUER, "aud": [f"{BASE}/fhir"], "exp": now + 300, "client_id": "analytics",
        "scope": "system/*.cruds v1.read", **changes,
    }  # fmt: skip
    return signed(rsa(), content, typ="at+jwt")


def get(served, text: str, path: str = "/fhir/Patient"):
    return served.client.get(path, headers=bearer(text))


def test_a_signed_token_opens_what_its_issuer_may_have_and_no_more(served):
    hospital = world.hospital(served.context.database, "Harbor")
    with jwks_server(jwk_set(rsa())) as keys:
        trust(served, jwks_url=keys.url, connection=hospital.name)
        good = token()
        assert get(served, good).status_code == 200
        assert get(served, good, "/fhir/Observation").status_code == 403
        assert get(served, good, "/v1/patients").status_code == 403
        for wrong in (token(aud="x"), token(exp=1), token(iss="https://x.example"), good[:-4]):
            assert get(served, wrong).status_code == 401
            assert get(served, wrong).status_code == 401
        assert len(keys.asked) == 1
    row = next(each for each in served.rows() if (each.method, each.status) == ("GET", 200))
    assert (row.client, row.audience) == ("harbor-login/analytics", hospital.number)
    assert good not in str(served.rows())


def test_a_person_is_let_in_by_user_scopes_where_the_issuer_may_vouch_for_people(served):
    hospital = world.hospital(served.context.database, "Harbor")
    other = world.hospital(served.context.database, "Quay")
    world.linked(served.context.database, other)
    mine = world.linked(served.context.database, hospital)
    assert mine.id
    people = Vouching(role_claim="role", roles={"clinician": "V"})
    said = {"scope": "user/Patient.rs", "sub": "dr-1"}
    with jwks_server(jwk_set(rsa())) as keys:
        trust(served, jwks_url=keys.url, connection=hospital.name, people=people)
        low = get(served, token(**said, role="clinician"))
        assert (low.status_code, low.json().get("entry")) == (200, None)  # the ceiling is N
        assert get(served, token(**said, role="clinician"), "/fhir/Observation").status_code == 403
        assert get(served, token(**said, role="clinician"), "/v1/patients").status_code == 403
        for wrong in ({}, {"role": "patient"}, {"role": "clinician", "sub": "analytics"}):
            assert get(served, token(**{**said, **wrong})).status_code == 401


def test_a_disabled_issuer_is_refused_within_five_seconds(served):
    with jwks_server(jwk_set(rsa())) as keys:
        trust(served, jwks_url=keys.url)
        good = token()
        assert get(served, good).status_code == 200
        operators.disable_issuer(served.context, "harbor-login")
        until = time.monotonic() + 5
        while get(served, good).status_code != 401:
            assert time.monotonic() < until
            time.sleep(0.05)


def test_a_token_that_its_issuer_ended_is_refused_within_five_seconds(served):
    now = int(system_clock().timestamp())
    active = {"active": True, "aud": f"{BASE}/fhir", "exp": now + 300, "scope": "system/*.rs"}
    with jwks_server(orjson.dumps(active)) as issuer:
        trust(served, introspection_url=issuer.url)
        for _ in range(3):
            assert get(served, "opaque").status_code == 200
        assert len(issuer.forms) <= 2  # what it said is relied on for a moment
        issuer.content = b'{"active": false}'
        until = time.monotonic() + 5
        while get(served, "opaque").status_code != 401:
            assert time.monotonic() < until
            time.sleep(0.05)
        asked = len(issuer.forms)
        for _ in range(5):
            get(served, "opaque")
        assert len(issuer.forms) <= asked + 1  # and so is a refusal


def test_our_own_tokens_are_shown_to_nobody(served):
    secret = served.secret("programme")
    with jwks_server(b'{"active": true}') as issuer:
        trust(served, introspection_url=issuer.url)
        ours = served.token("programme", secret, "system/*.rs")
        assert get(served, ours).status_code == 200
        assert issuer.forms == []


def test_guesses_are_not_passed_on_without_end(sqlite_url, tmp_path):
    more = {"jwks_networks": LOOPBACK, "oauth_address_rate": "3/minute"}
    with serve(sqlite_url, tmp_path, **more) as served, jwks_server(b"{}") as issuer:
        trust(served, introspection_url=issuer.url)
        for number in range(6):
            assert get(served, f"guess-{number}").status_code == 401
        assert len(issuer.forms) == 3


def test_where_nobody_is_trusted_nothing_is_asked(served):
    assert get(served, token()).status_code == 401
    assert get(served, "opaque").status_code == 401
    assert get(served, "x" * 20_000).status_code == 401


def test_issuers_are_added_listed_and_disabled_at_a_shell(installed, folder, monkeypatch):  # noqa: F811
    monkeypatch.setenv("ALONGSIDE_SECRETS_KEYS", new_key())
    monkeypatch.setenv("COLUMNS", "200")
    (folder / "secret").write_text("hunter2-hunter2\n")
    basis = ("issuers", "add", "harbor-login", "--issuer", ISSUER, "--scope", "system/*.rs")
    asks = ("--introspection-url", "https://login.harbor.example/introspect", "--login", "us")
    code, out, _ = installed(*basis, *asks, "--secret-file", "secret")
    assert (code, out) == (0, f"Tokens of {ISSUER} are honoured as harbor-login.\n")
    assert b"hunter2" not in (folder / "cli.db").read_bytes()
    assert "(programme)" in installed("issuers", "list")[1]
    for arguments, part in (
        (asks, "go together"),
        ((*asks, "--secret-file", "nowhere"), "cannot be read"),
        (("--jwks-url", "http://10.0.0.1/"), "https"),
        (("--jwks-url", "https://a.example", "--alg", "none"), "signed with"),
    ):
        code, _, err = installed(*basis, *arguments)
        assert code == 1
        assert part in err
    (folder / "secret").write_text("")
    assert installed(*basis, *asks, "--secret-file", "secret")[0] == 1
    staff = ("--people", "--role-claim", "role", "--role", "clinician=V", "--role", "coordinator=R")
    elsewhere = (
        "issuers",
        "add",
        "quay-login",
        "--issuer",
        f"{ISSUER}/2",
        "--scope",
        "system/*.rs",
    )
    keys = ("--jwks-url", "https://93.184.215.14/jwks")
    assert installed(*elsewhere, *keys, *staff)[0] == 0
    assert "clinician=V" in installed("issuers", "list")[1]
    assert installed(*elsewhere, *keys, "--role-claim", "role", "--role", "patient=V")[0] == 1
    assert installed("issuers", "disable", "harbor-login")[0] == 0
    assert [row[1] for row in audit_rows(folder)][-1] == "issuers/disable"


def test_an_issuer_that_is_asked_is_not_enabled_beside_another(served):
    first, second = ISSUER, "https://login.quay.example"
    asked = {"introspection_url": "http://127.0.0.1:1/introspect"}
    trust(served, "first", issuer=first, **asked)
    operators.disable_issuer(served.context, "first")
    trust(served, "second", issuer=second, **asked)
    with pytest.raises(BusinessRuleError, match="asked already"):
        operators.enable_client(served.context, "first")
    operators.disable_issuer(served.context, "second")
    operators.enable_client(served.context, "first")


def test_who_waits_for_one_issuer_keeps_those_of_another_not_waiting(served, monkeypatch):
    monkeypatch.setattr("api.outside.THREADS", 1)
    with jwks_server(jwk_set(rsa())) as slow, jwks_server(jwk_set(rsa())) as quick:
        trust(served, "slow", jwks_url=slow.url)
        trust(served, "quick", issuer="https://quick.example", jwks_url=quick.url)
        slow.pause = 0.01
        with ThreadPoolExecutor(4) as threads:
            waiting = [threads.submit(get, served, token(jti=str(n))) for n in range(4)]
            assert get(served, token(iss="https://quick.example")).status_code == 200
            found = {each.result().status_code for each in waiting}
    assert found <= {200, 503}
    assert 200 in found
