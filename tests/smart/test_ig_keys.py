"""Requirements 296-344 of SMART App Launch 2.2.0: clients that prove themselves by keys.

https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html
"""

import json
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from service.errors import InvalidError
from service.smart.clients import Keys, NewClient, add_client, find_client, rotate_client
from tests.api import registering
from tests.api.registering import invited
from tests.assertions import claims, ec, form, jwk_set, public, rsa, signed
from tests.jwks_server import jwks_server
from tests.smart.conftest import CLIENT, TOKEN_URL

numbers = count(1)


@pytest.fixture
def address(hospital) -> Iterator[Any]:
    """Where a hospital publishes its keys; `address.client` is registered with it."""
    with jwks_server(jwk_set(rsa(), ec())) as found:
        found.client = f"by-address-{next(numbers)}"
        found.headers = {"Cache-Control": "max-age=300"}
        register(hospital, found.client, Keys(jwks_url=found.url))
        yield found


def register(hospital, name: str, keys: Keys) -> None:
    new = NewClient(
        name=name, scopes=("system/*.rs",), connection_id=hospital.connection.id, keys=keys
    )
    hospital.served.context.database.unit_of_work(lambda session: add_client(session, new))


def send(hospital, assertion: str, **more: str) -> Any:
    return hospital.served.client.post("/oauth/token", data=form(assertion, **more))


def assertion(client: str = CLIENT, key=None, header: dict | None = None, **changes: Any) -> str:
    return signed(key or rsa(), claims(client, TOKEN_URL, **changes), **(header or {}))


def is_refused(answer: Any) -> None:
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_ig_24_and_316_software_that_registers_is_told_its_client_id(hospital):
    token = invited(hospital.served, "system/Patient.rs", hospital.connection.id)
    answer = registering.register(hospital.served, token, jwks=json.loads(jwk_set(rsa())))
    assert answer.status_code == 201, answer.text
    assert send(hospital, assertion(answer.json()["client_id"]), scope="system/Patient.rs").json()


def test_ig_296_and_339_keys_may_be_at_an_address(hospital, address):
    assert send(hospital, assertion(address.client)).status_code == 200
    assert len(address.asked) == 1


def test_ig_297_keys_may_be_handed_in(hospital):
    register(hospital, "handed-in", Keys(jwks=jwk_set(ec())))
    assert send(hospital, assertion("handed-in", ec())).status_code == 200


def test_ig_305_a_set_that_cannot_be_used_changes_nothing(hospital):
    database = hospital.served.context.database
    for broken in (b"{", b'{"keys": []}', jwk_set(rsa("a"), rsa("a"))):
        with pytest.raises(InvalidError):
            database.unit_of_work(
                lambda session, set_=broken: rotate_client(session, CLIENT, Keys(jwks=set_))
            )
    kept = database.read(lambda session: find_client(session, CLIENT).jwks)
    assert {each["kid"] for each in kept["keys"]} == {rsa().kid, ec().kid}
    assert hospital.ask().status_code == 200


@pytest.mark.parametrize("key", [rsa(), ec()], ids=["RS384", "ES384"])
def test_ig_310_both_algorithms_are_validated(hospital, key):
    assert hospital.ask(key=key).status_code == 200


def test_ig_326_without_jku_the_registered_keys_are_used(hospital, address):
    assert send(hospital, assertion(address.client)).status_code == 200
    assert hospital.ask().status_code == 200


BAD_CLAIMS: list[dict[str, Any]] = [
    {"iss": None}, {"sub": None}, {"aud": None}, {"exp": None}, {"jti": None},
    {"iss": "somebody"}, {"sub": "somebody"}, {"aud": "https://elsewhere.example/token"},
    {"exp": 1}, {"exp": 99_999_999_999}, {"exp": "soon"}, {"nbf": 99_999_999_999},
]  # fmt: skip


@pytest.mark.parametrize("changes", BAD_CLAIMS, ids=str)
def test_ig_335_a_claim_that_is_missing_or_wrong_is_refused(hospital, changes):
    is_refused(send(hospital, assertion(**changes)))


def test_ig_335_a_signature_by_another_key_is_refused(hospital):
    somebody = rsa("of-somebody-else")
    is_refused(send(hospital, assertion(key=somebody, header={"kid": rsa().kid})))


@pytest.mark.parametrize("header", [{"typ": "at+jwt"}, {"alg": "RS256"}], ids=str)
def test_ig_335_a_header_that_is_wrong_is_refused(hospital, header):
    is_refused(send(hospital, assertion(header=header)))


def test_ig_336_an_assertion_is_taken_once(hospital):
    text = assertion()
    assert send(hospital, text).status_code == 200
    is_refused(send(hospital, text))


def test_ig_337_the_client_is_known_and_is_the_issuer(hospital):
    is_refused(send(hospital, assertion("nobody")))
    is_refused(send(hospital, assertion(), client_id="programme"))
    assert send(hospital, assertion(), client_id=CLIENT).status_code == 200


def test_ig_338_jku_is_the_registered_address(hospital, address):
    right = {"jku": address.url}
    assert send(hospital, assertion(address.client, header=right)).status_code == 200
    wrong = {"jku": address.url + "/other"}
    is_refused(send(hospital, assertion(address.client, header=wrong)))
    is_refused(send(hospital, assertion(header=right)))  # its keys were handed in


@pytest.mark.parametrize("header", [{"kid": "unknown"}, {"kid": None}, {"kid": "ec-1"}], ids=str)
def test_ig_338_the_key_is_found_by_kid_and_type(hospital, header):
    is_refused(send(hospital, assertion(header=header)))


def test_ig_338_two_keys_of_one_kid_are_none(hospital, address):
    twice = public(rsa()) + public(rsa("twin", 2048), kid=rsa().kid)
    address.content = as_set(twice)
    is_refused(send(hospital, assertion(address.client)))


def as_set(keys: list[dict]) -> bytes:
    return json.dumps({"keys": keys}).encode()


def test_ig_340_every_failure_to_prove_oneself_is_invalid_client(hospital):
    is_refused(send(hospital, "no assertion"))
    is_refused(hospital.served.client.post("/oauth/token", data={
        "grant_type": "client_credentials", "scope": "system/*.rs"
    }))  # fmt: skip


@pytest.mark.parametrize(("said", "asked"), [("max-age=300", 1), ("no-store", 2), ("max-age=0", 2)])
def test_ig_341_and_342_a_set_is_kept_as_long_as_it_may_be(hospital, address, said, asked):
    address.headers = {"Cache-Control": said}
    for _ in range(2):
        assert send(hospital, assertion(address.client)).status_code == 200
    assert len(address.asked) == asked


def test_ig_344_a_client_with_keys_has_no_secret(hospital):
    form_ = {"grant_type": "client_credentials", "scope": "system/*.rs"}
    is_refused(hospital.served.client.post("/oauth/token", data=form_, auth=(CLIENT, "")))
