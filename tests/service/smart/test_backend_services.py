"""SMART Backend Services: a client proves itself by a signed assertion, or is refused.

Tests are named by the assertions of the table in docs/smart.md.
https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html
"""

import base64
import hmac
import logging
import threading
from datetime import timedelta

import orjson
import pytest
from sqlmodel import select

from service.clock import system_clock
from service.database import Database
from service.models.connections import UsedAssertion
from service.smart.clients import Keys, NewClient, add_client, disable_client, rotate_client
from service.smart.fetching import Fetcher, networks_of
from service.smart.messages import TokenReply
from service.smart.server import Server
from tests.assertions import claims, ec, form, jwk_set, public, rsa, signed
from tests.conftest import open_database
from tests.jwks_server import jwks_server

BASE = "http://127.0.0.1:8000"
TOKEN_URL = f"{BASE}/oauth/token"
LOCAL = Fetcher(networks_of("127.0.0.0/8,::1/128"))
NAME = "harbor-ehr"


class Moved:
    """A clock that a test sets ahead."""

    by = timedelta()

    def __call__(self):
        return system_clock() + self.by


def server_on(database: Database, clock=system_clock) -> Server:
    return Server(database, base_url=BASE, seconds=300, clock=clock, fetcher=LOCAL)


@pytest.fixture
def server(sqlite_database) -> Server:
    return server_on(sqlite_database)


def register(database: Database, name: str = NAME, **keys) -> None:
    given = Keys(**(keys or {"jwks": jwk_set(rsa(), ec())}))
    new = NewClient(name=name, scopes=("system/*.rs",), keys=given)
    database.unit_of_work(lambda session: add_client(session, new))


def ask(server: Server, assertion: str, **more: str) -> TokenReply:
    return server.reply(list(form(assertion, **more).items()), None)


def refused(reply: TokenReply, said: str = "Client authentication failed") -> None:
    assert (reply.status, reply.body["error"]) == (401, "invalid_client")
    assert said in reply.body["error_description"]
    assert reply.body["error_description"].isascii()
    assert dict(reply.headers)["Cache-Control"] == "no-store"
    assert reply.client is None


def good(**changes) -> dict:
    return claims(NAME, TOKEN_URL, **changes)


@pytest.mark.parametrize("key", [rsa(), ec()], ids=["RS384", "ES384"])
def test_a6_39_and_40_a_good_assertion_gets_a_token(database, key):
    register(database)
    reply = ask(server_on(database), signed(key, good()))
    assert reply.status == 200
    assert reply.body["access_token"]
    assert reply.body["token_type"].lower() == "bearer"
    assert reply.body["scope"] == "system/*.rs"
    assert reply.client == NAME


def test_a6_41_a_token_lasts_300_seconds_and_is_not_refreshed(server):
    register(server.database)
    reply = ask(server, signed(rsa(), good()))
    assert reply.body["expires_in"] == 300
    assert "refresh_token" not in reply.body


def test_a6_41_a_scope_beyond_what_was_granted_is_refused(server):
    register(server.database)
    reply = ask(server, signed(rsa(), good()), scope="system/*.cruds")
    assert (reply.status, reply.body["error"]) == (400, "invalid_scope")
    assert "system/*.cruds" in reply.body["error_description"]


def test_a6_36_an_unknown_grant_type_is_400(server):
    register(server.database)
    fields = {**form(signed(rsa(), good())), "grant_type": "not_a_grant_type"}
    reply = server.reply(list(fields.items()), None)
    assert (reply.status, reply.body["error"]) == (400, "unsupported_grant_type")


@pytest.mark.parametrize("kind", ["not_an_assertion_type", "", 'a"b\\ü'])
def test_a6_37_and_38_an_unknown_type_of_assertion_is_refused(server, kind):
    register(server.database)
    fields = {**form(signed(rsa(), good())), "client_assertion_type": kind}
    refused(server.reply(list(fields.items()), None), "client_assertion_type must be")


@pytest.mark.parametrize("left_out", ["client_assertion", "client_assertion_type"])
def test_a6_37_half_of_the_proof_is_none(server, left_out):
    register(server.database)
    fields = form(signed(rsa(), good()))
    del fields[left_out]
    refused(server.reply(list(fields.items()), None), "")


NOW = int(system_clock().timestamp())
DAY = 86_400  # the tests may come long after they were collected


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"iss": None}, "iss is required"),
        ({"iss": ""}, "iss is required"),
        ({"iss": 5}, "iss is required"),
        ({"sub": None}, "sub is required"),
        ({"sub": "another"}, "iss and sub must both"),
        ({"aud": None}, "aud must be"),
        ({"aud": BASE}, "aud must be"),
        ({"aud": f"{TOKEN_URL}/"}, "aud must be"),
        ({"aud": "https://elsewhere.example/token"}, "aud must be"),
        ({"aud": [TOKEN_URL, "https://elsewhere.example/token"]}, "aud must be"),
        ({"aud": {}}, "aud must be"),
        ({"exp": None}, "exp is required"),
        ({"exp": "soon"}, "exp must be a number"),
        ({"exp": True}, "exp must be a number"),
        ({"exp": 10**400}, ""),
        ({"exp": NOW - 60}, "has expired"),
        ({"exp": -1}, "has expired"),
        ({"exp": NOW + DAY}, "at most 5 minutes"),
        ({"jti": None}, "jti is required"),
        ({"jti": ""}, "jti is required"),
        ({"jti": 7}, "jti is required"),
        ({"jti": "x" * 256}, "jti is required"),
        ({"nbf": NOW + DAY}, "nbf is still to come"),
        ({"iat": NOW + DAY}, "iat is still to come"),
        ({"iat": "now"}, "iat must be a number"),
    ],
)
def test_a6_42_a_claim_that_is_missing_or_wrong_is_refused(server, changes, said):
    register(server.database)
    refused(ask(server, signed(rsa(), good(**changes))), said)


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ({"typ": None}, "typ must be JWT"),
        ({"typ": "jwt"}, "typ must be JWT"),
        ({"typ": "at+jwt"}, "typ must be JWT"),
        ({"kid": None}, "kid is required"),
        ({"kid": 5}, "kid is required"),
        ({"alg": "RS256"}, "alg must be RS384 or ES384"),
        ({"jku": 5}, "jku must be a URL"),
        ({"crit": ["kid"]}, "not understood"),
        ({"kid": "another"}, "Client authentication failed"),
        ({"kid": "ec-1"}, "Client authentication failed"),
    ],
)
def test_a6_42_a_header_that_is_missing_or_wrong_is_refused(server, header, said):
    register(server.database)
    text = unsigned({"alg": "RS384", "typ": "JWT", "kid": "rsa-1", **header})
    refused(ask(server, text), said)


def unsigned(header: dict, secret: bytes = b"nobody") -> str:
    """A JWT of any header, however odd, that no key signed; the secret is one of HMAC."""
    said = {name: each for name, each in header.items() if each is not None}
    content = f"{encoded(orjson.dumps(said))}.{encoded(orjson.dumps(good()))}"
    return f"{content}.{encoded(hmac.digest(secret, content.encode(), 'sha256'))}"


def encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


def test_a6_42_no_algorithm_but_the_two_is_taken(server):
    register(server.database)
    header = {"alg": "HS256", "typ": "JWT", "kid": "rsa-1"}
    refused(ask(server, unsigned(header, rsa().as_pem(private=False))), "alg must be")
    nothing = unsigned({"alg": "none", "typ": "JWT", "kid": "rsa-1"})
    refused(ask(server, nothing), "alg must be")
    refused(ask(server, nothing.rpartition(".")[0] + "."), "not a signed JWT")


def test_a6_42_a_signature_by_another_key_or_of_other_claims_is_refused(server):
    register(server.database)
    refused(ask(server, signed(rsa("rsa-2"), good(), kid="rsa-1")))
    refused(ask(server, signed(ec("ec-2"), good(), kid="ec-1")))
    header, body, signature = signed(rsa(), good()).split(".")
    other = signed(rsa(), good()).split(".")[1]
    refused(ask(server, f"{header}.{other}.{signature}"))
    refused(ask(server, f"{header}.{body}.{signature[:-8]}AAAAAAAA"))
    refused(ask(server, f"{header}.{body}.AAAA"))


def test_a6_42_the_type_of_the_key_is_that_of_the_algorithm(server):
    keys = public(rsa("same"))
    register(server.database, jwks=jwk_set(rsa("same")))
    assert keys[0]["kty"] == "RSA"
    refused(ask(server, signed(ec("same"), good())))


def test_a6_42_a_client_signs_with_its_own_algorithms_alone(server):
    register(server.database, jwks=jwk_set(ec()), algorithms=("ES384",))
    assert ask(server, signed(ec(), good())).status == 200
    refused(ask(server, signed(rsa(), good())))


def test_a6_42_two_keys_of_one_kid_are_none(server):
    with jwks_server(jwk_set(rsa(), rsa("rsa-2"))) as hospital:
        register(server.database, jwks_url=hospital.url)
        assert ask(server, signed(rsa(), good())).status == 200
    twice = jwk_set(rsa()).replace(b"]", b", " + jwk_set(rsa("rsa-2"))[10:-2].replace(
        b"rsa-2", b"rsa-1") + b"]")  # fmt: skip
    with jwks_server(twice) as hospital:
        register(server.database, "twice", jwks_url=hospital.url)
        refused(ask(server, signed(rsa(), claims("twice", TOKEN_URL))))
        assert len(hospital.asked) == 1


def test_a6_42_an_unknown_client_is_answered_as_a_wrong_key_is(server):
    register(server.database)
    unknown = ask(server, signed(rsa(), claims("nobody", TOKEN_URL)))
    wrong = ask(server, signed(rsa("rsa-2"), good(), kid="rsa-1"))
    assert (unknown.status, unknown.body, unknown.headers) == (
        wrong.status, wrong.body, wrong.headers,
    )  # fmt: skip


def test_a6_42_the_client_id_beside_an_assertion_is_the_same(server):
    register(server.database)
    assert ask(server, signed(rsa(), good()), client_id=NAME).status == 200
    refused(ask(server, signed(rsa(), good()), client_id="another"), "client_id must be")


def test_a6_42_an_assertion_is_taken_once(database):
    register(database)
    server, assertion = server_on(database), signed(rsa(), good())
    assert ask(server, assertion).status == 200
    refused(ask(server, assertion), "used before")
    jti = good()["jti"]
    assert ask(server, signed(ec(), good(jti=jti))).status == 200
    refused(ask(server, signed(rsa(), good(jti=jti))), "used before")


def test_a6_42_a_jti_is_each_clients_own_and_may_be_any_text(database):
    register(database)
    register(database, "another")
    server = server_on(database)
    for jti in ("same", "\x00", "ü\\\"'", "\ud800"):
        for name in (NAME, "another"):
            assertion = signed(rsa(), claims(name, TOKEN_URL, jti=jti))
            reply = ask(server, assertion)
            if jti != "\ud800":  # half a character is no text
                assert reply.status == 200
                refused(ask(server, assertion), "used before")
            else:
                refused(reply, "not JSON")


def test_a6_42_what_is_refused_uses_no_jti_up(server):
    register(server.database)
    content = good()
    refused(ask(server, signed(rsa("rsa-2"), content, kid="rsa-1")))
    assert ask(server, signed(rsa(), content)).status == 200


def test_a6_42_of_those_who_come_with_one_assertion_to_several_servers_one_is_served(database_url):
    databases = [open_database(database_url) for _ in range(4)]
    register(databases[0])
    assertion = signed(rsa(), good())
    replies: list[TokenReply] = []
    threads = [
        threading.Thread(target=lambda each=each: replies.append(ask(server_on(each), assertion)))
        for each in databases
        for _ in range(2)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(reply.status for reply in replies) == [200, *[401] * 7]
    for each in databases:
        each.close()


def test_a6_42_used_assertions_are_forgotten_once_they_have_ended(database):
    register(database)
    clock = Moved()
    server, assertion = server_on(database, clock), signed(rsa(), good())
    assert ask(server, assertion).status == 200
    clock.by = timedelta(seconds=315)  # ended, but within the leeway: still refused for its jti
    refused(ask(server, assertion), "used before")
    clock.by = timedelta(seconds=331)
    refused(ask(server, assertion), "has expired")
    clock.by = timedelta(seconds=400)
    later = int((system_clock() + clock.by).timestamp()) + 300
    assert ask(server, signed(rsa(), good(exp=later))).status == 200
    assert len(database.read(lambda session: session.exec(select(UsedAssertion)).all())) == 1


def test_a6_42_jku_is_the_registered_address_or_absent(server):
    with jwks_server(jwk_set(rsa())) as hospital, jwks_server(jwk_set(rsa())) as elsewhere:
        register(server.database, jwks_url=hospital.url)
        assert ask(server, signed(rsa(), good())).status == 200
        assert ask(server, signed(rsa(), good(), jku=hospital.url)).status == 200
        refused(ask(server, signed(rsa(), good(), jku=elsewhere.url)))
        refused(ask(server, signed(rsa(), good(), jku=hospital.url + "?")))
        assert elsewhere.asked == []


def test_a6_42_jku_of_a_client_whose_keys_are_here_is_refused_unasked(server):
    register(server.database)
    with jwks_server(jwk_set(rsa())) as elsewhere:
        refused(ask(server, signed(rsa(), good(), jku=elsewhere.url)))
        assert elsewhere.asked == []


def test_a6_42_keys_at_an_address_are_kept_as_long_as_they_may_be(server):
    with jwks_server(jwk_set(rsa())) as hospital:
        register(server.database, jwks_url=hospital.url)
        hospital.headers = {"Cache-Control": "max-age=600"}
        for _ in range(3):
            assert ask(server, signed(rsa(), good())).status == 200
        assert len(hospital.asked) == 1


def test_a6_42_rotated_keys_at_an_address_are_found(server):
    with jwks_server(jwk_set(rsa())) as hospital:
        hospital.headers = {"Cache-Control": "no-store"}
        register(server.database, jwks_url=hospital.url)
        assert ask(server, signed(rsa(), good())).status == 200
        hospital.content = jwk_set(ec())
        assert ask(server, signed(ec(), good())).status == 200
        refused(ask(server, signed(rsa(), good())))


@pytest.mark.parametrize("member", [{"use": "enc"}, {"alg": "RS256"}, {"n": "AQAB"}])
def test_a6_42_a_key_at_an_address_that_is_for_something_else_is_refused(server, member):
    keys = orjson.dumps({"keys": [{**public(rsa())[0], **member}]})
    with jwks_server(keys) as hospital:
        register(server.database, jwks_url=hospital.url)
        refused(ask(server, signed(rsa(), good())))


@pytest.mark.parametrize("status", [500, 302])
def test_a6_42_keys_that_are_not_to_be_had_are_a_refusal(server, status):
    with jwks_server(jwk_set(rsa())) as hospital:
        hospital.status = status
        register(server.database, jwks_url=hospital.url)
        refused(ask(server, signed(rsa(), good())))


def test_a6_42_an_address_that_is_not_public_is_not_asked(sqlite_database):
    with jwks_server(jwk_set(rsa())) as hospital:
        register(sqlite_database, jwks_url=hospital.url)
        strict = Server(sqlite_database, base_url=BASE, seconds=300, clock=system_clock)
        refused(ask(strict, signed(rsa(), good())))
        assert hospital.asked == []


def test_a6_42_rotated_keys_replace_those_before(database):
    register(database)
    keys = Keys(jwks=jwk_set(ec("ec-2")))
    database.unit_of_work(lambda session: rotate_client(session, NAME, keys))
    server = server_on(database)
    refused(ask(server, signed(rsa(), good())))
    assert ask(server, signed(ec("ec-2"), good())).status == 200


def test_a_client_with_keys_cannot_use_a_secret(server):
    register(server.database)
    fields = [("grant_type", "client_credentials"), ("scope", "system/*.rs")]
    for secret in ("x", "None"):
        basic = base64.b64encode(f"{NAME}:{secret}".encode()).decode()
        refused(server.reply(fields, f"Basic {basic}"))
        posted = [*fields, ("client_id", NAME), ("client_secret", secret)]
        refused(server.reply(posted, None))


def test_a_client_with_a_secret_cannot_use_keys(server):
    new = NewClient(name=NAME, scopes=("system/*.rs",))
    server.database.unit_of_work(lambda session: add_client(session, new))
    refused(ask(server, signed(rsa(), good())))


def test_two_proofs_at_once_are_refused(server):
    register(server.database)
    for more, header in (({"client_secret": "x"}, None), ({}, "Basic eDp5"), ({}, "Bearer x")):
        fields = form(signed(rsa(), good()), **more)
        reply = server.reply(list(fields.items()), header)
        assert (reply.status, reply.body["error"]) == (400, "invalid_request")


def test_a_disabled_client_is_refused(server):
    register(server.database)
    server.database.unit_of_work(lambda session: disable_client(session, NAME, system_clock()))
    refused(ask(server, signed(rsa(), good())))


@pytest.mark.parametrize(
    "text",
    [
        "", ".", "..", "a.b.c", "a.b", "a.b.c.d", "....", '"\\ü', "é.é.é", "=.=.=", "x" * 10_240,
        encoded(b"[" * 4000) + ".e30.AA", f"e30.{encoded(b'{' * 4000)}.AA",
        "e30.e30.AA", "W10.W10.AA", "bnVsbA.bnVsbA.AA", "/w.e30.AA", "e30.e30.A A",
    ],
)  # fmt: skip
def test_a_hostile_assertion_is_refused(server, text):
    register(server.database)
    reply = ask(server, text)
    refused(reply, "")


def test_the_log_says_why_and_has_no_assertion_and_no_token(server, caplog):
    register(server.database)
    with caplog.at_level(logging.DEBUG):
        wrong = signed(rsa("rsa-2"), good(), kid="rsa-1")
        refused(ask(server, wrong))
        right = signed(rsa(), good())
        token = ask(server, right).body["access_token"]
        with jwks_server(jwk_set(rsa())) as hospital:
            register(server.database, "with-address", jwks_url=hospital.url)
            ask(server, signed(rsa(), claims("with-address", TOKEN_URL)))
    assert f"an assertion of {NAME} was refused: the signature is not by that key" in caplog.text
    for secret in (*wrong.split("."), *right.split(".")[1:], token):
        assert secret not in caplog.text
