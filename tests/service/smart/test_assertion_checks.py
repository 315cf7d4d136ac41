"""SMART Backend Services: what an assertion must say, and who must have signed it.

Tests are named by the assertions of the table in docs/smart.md.
https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html
"""

import base64
import hmac

import orjson
import pytest

from service.clock import system_clock
from tests.assertions import claims, ec, jwk_set, public, rsa, signed
from tests.service.smart.backend import BASE, TOKEN_URL, ask, good, refused, register

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


def test_a6_42_an_unknown_client_is_answered_as_a_wrong_key_is(server):
    register(server.database)
    unknown = ask(server, signed(rsa(), claims("nobody", TOKEN_URL)))
    wrong = ask(server, signed(rsa("rsa-2"), good(), kid="rsa-1"))
    assert (unknown.status, unknown.body, unknown.headers) == (
        wrong.status, wrong.body, wrong.headers,
    )  # fmt: skip


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
