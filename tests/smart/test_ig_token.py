"""Requirements 73-96, 240-266 of SMART App Launch 2.2.0: tokens of backend services.

https://hl7.org/fhir/smart-app-launch/STU2.2/backend-services.html
"""

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlmodel import select

from service.clock import system_clock
from service.models.connections import AccessToken
from service.smart.clients import find_client, hashed
from service.smart.tokens import Grant, issue
from tests.assertions import rsa
from tests.smart.conftest import CLIENT

VSCHAR = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # b64token of RFC 6750


def test_ig_73_and_253_a_valid_request_gets_a_json_object_with_a_token(hospital):
    answer = hospital.ask()
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert isinstance(answer.json(), dict)


def test_ig_74_84_and_254_the_token_is_in_the_body(hospital):
    assert hospital.ask().json()["access_token"]


def test_ig_75_and_255_its_type_is_bearer(hospital):
    assert hospital.ask().json()["token_type"].lower() == "bearer"


def test_ig_76_88_and_256_it_says_how_long_it_lasts(hospital):
    assert isinstance(hospital.ask().json()["expires_in"], int)


@pytest.mark.parametrize("scope", ["system/Patient.rs", "system/Observation.read system/*.s"])
def test_ig_78_258_and_259_it_says_what_was_granted(hospital, scope):
    assert hospital.ask(scope).json()["scope"] == scope


def test_ig_85_the_token_is_what_the_rfcs_allow(hospital):
    assert VSCHAR.fullmatch(hospital.token())


def test_ig_86_the_answer_is_not_to_be_stored(hospital):
    assert "no-store" in hospital.ask().headers["cache-control"]


def test_ig_87_nor_by_old_caches(hospital):
    assert "no-cache" in hospital.ask().headers["pragma"]


def test_ig_89_and_248_there_is_no_refresh_token(hospital):
    assert "refresh_token" not in hospital.ask().json()


def test_ig_91_257_261_and_262_a_token_lasts_300_seconds(hospital):
    assert hospital.ask().json()["expires_in"] == 300


def expired(hospital) -> str:
    def work(session):
        client = find_client(session, CLIENT)
        past = system_clock() - timedelta(seconds=301)
        return issue(session, client, Grant(scope="system/*.rs", seconds=300), past)

    found: str = hospital.served.context.database.unit_of_work(work)
    return found


def test_ig_77_94_and_265_an_expired_token_is_refused(hospital):
    answer = hospital.get("/fhir/Patient", expired(hospital))
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_ig_95_and_266_a_token_opens_what_its_scope_covers_alone(hospital):
    token = hospital.token("system/Observation.rs")
    assert hospital.get("/fhir/Observation", token).status_code == 200
    assert hospital.get("/fhir/Patient", token).status_code == 403


def test_ig_240_and_250_a_scope_that_was_not_given_to_the_client_before_is_refused(hospital):
    assert hospital.ask("v1.read").json()["error"] == "invalid_scope"


def test_ig_241_the_scope_that_is_asked_for_binds(hospital):
    token = hospital.token("system/Patient.r")
    assert hospital.get("/fhir/Patient", token).status_code == 403
    identifier = hospital.get("/fhir/Patient", hospital.token()).json()["entry"][0]["resource"]
    assert hospital.get(f"/fhir/Patient/{identifier['id']}", token).status_code == 200


def test_ig_243_what_the_scopes_do_not_permit_fails_at_once(hospital):
    answer = hospital.get("/fhir/Observation", hospital.token("system/Patient.rs"))
    assert (answer.status_code, answer.json()["issue"][0]["code"]) == (403, "forbidden")


def test_ig_244_what_is_not_served_fails_at_once(hospital):
    answer = hospital.get("/fhir/MedicationRequest", hospital.token())
    assert answer.status_code == 404
    assert answer.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize("path", ["/fhir/Patient", "/fhir/Group", "/v1/patients", "/fhir/"])
def test_ig_247_what_is_about_people_needs_a_token(hospital, path):
    assert hospital.get(path).status_code in (401, 405)


def test_ig_249_a_signature_by_another_key_is_refused(hospital):
    answer = hospital.ask(key=rsa("rsa-1-of-somebody-else"))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, "invalid_client"),
    ],
)
def test_ig_251_and_252_errors_are_those_of_the_rfc_and_say_why(hospital, form, error):
    answer = hospital.call("POST", "/oauth/token", data=form)
    assert answer.status_code in (400, 401)
    assert answer.json()["error"] == error
    assert answer.json()["error_description"]


def test_ig_260_the_scope_can_be_as_narrow_as_one_type_and_letter(hospital):
    assert hospital.ask("system/EpisodeOfCare.s").json()["scope"] == "system/EpisodeOfCare.s"


def test_ig_134_a_token_is_short(hospital):
    assert len(hospital.token()) < 100


def test_ig_96_a_token_of_another_server_is_none_here(hospital):
    """Tokens are rows of this installation, whose one resource server is its FHIR endpoint."""
    token = hospital.token()

    def work(session):
        row = session.exec(select(AccessToken).where(AccessToken.token_hash == hashed(token))).one()
        session.delete(row)

    hospital.served.context.database.unit_of_work(work)
    assert hospital.get("/fhir/Patient", token).status_code == 401


def test_ig_85_a_token_in_the_address_is_no_token(hospital):
    token = hospital.token()
    answer = hospital.get(f"/fhir/Patient?access_token={token}")
    assert answer.status_code == 401
    assert not parse_qs(urlsplit(answer.headers.get("location", "")).query)
