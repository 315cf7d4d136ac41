"""Requirements 269-283 of SMART App Launch 2.2.0: introspection.

https://hl7.org/fhir/smart-app-launch/STU2.2/token-introspection.html
"""

import time

import pytest

from tests.smart.conftest import CLIENT

SCOPE = "system/Patient.rs system/Observation.read"


@pytest.fixture
def token(hospital) -> str:
    found: str = hospital.token(SCOPE)
    return found


def test_ig_269_and_271_a_token_can_be_looked_at(hospital, token):
    answer = hospital.introspect(token)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")


def test_ig_272_active_is_true_or_false(hospital, token):
    assert hospital.introspect(token).json()["active"] is True
    assert hospital.introspect("no token").json() == {"active": False}


def test_ig_273_the_scope_is_the_one_that_was_answered(hospital, token):
    assert hospital.introspect(token).json()["scope"] == SCOPE


def test_ig_274_the_client_is_named(hospital, token):
    assert hospital.introspect(token).json()["client_id"] == CLIENT


def test_ig_275_and_276_it_says_when_it_ends(hospital):
    answer, asked = hospital.ask(SCOPE).json(), time.time()
    ends = hospital.introspect(answer["access_token"]).json()["exp"]
    assert isinstance(ends, int)
    assert abs(ends - (asked + answer["expires_in"])) < 5


def test_ig_281_who_proves_nothing_learns_nothing(hospital, token):
    answer = hospital.call("POST", "/oauth/introspect", data={"token": token})
    assert answer.status_code == 401


def test_ig_282_a_bearer_token_admits(hospital, token):
    proof = {"headers": {"Authorization": f"Bearer {hospital.token()}"}}
    assert hospital.introspect(token, **proof).json()["active"] is True


def test_ig_283_tokens_of_every_client_are_described(hospital, token):
    theirs = hospital.served.token("programme", hospital.secret, "v1.read")
    proof = {"headers": {"Authorization": f"Bearer {token}"}}
    assert hospital.introspect(theirs, **proof).json()["client_id"] == "programme"
