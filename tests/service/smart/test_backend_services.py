"""SMART Backend Services: a client proves itself by a signed assertion, or is refused.

Tests are named by the assertions of the table in docs/smart.md.
https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html
"""

import base64
import logging

import pytest

from service.clock import system_clock
from service.smart.clients import NewClient, add_client, disable_client
from tests.assertions import claims, ec, form, jwk_set, rsa, signed
from tests.jwks_server import jwks_server
from tests.service.smart.backend import NAME, TOKEN_URL, ask, good, refused, register, server_on


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


def test_a6_42_the_client_id_beside_an_assertion_is_the_same(server):
    register(server.database)
    assert ask(server, signed(rsa(), good()), client_id=NAME).status == 200
    refused(ask(server, signed(rsa(), good()), client_id="another"), "client_id must be")


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
