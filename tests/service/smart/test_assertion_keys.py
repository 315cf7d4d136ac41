"""SMART Backend Services: which key an assertion is checked by.

Tests are named by the assertions of the table in docs/smart.md.
https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html
"""

import orjson
import pytest

from service.clock import system_clock
from service.smart.clients import Keys, rotate_client
from service.smart.server import Server
from tests.assertions import claims, ec, jwk_set, public, rsa, signed
from tests.jwks_server import jwks_server
from tests.service.smart.backend import (
    BASE,
    NAME,
    TOKEN_URL,
    ask,
    good,
    refused,
    register,
    server_on,
)


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
