"""Requirements 16, 30, 228, 285-289, 356-394 and 438 of SMART App Launch 2.2.0: discovery.

https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html
"""

import pytest

from tests.api.served import BASE

CONFIGURATION = "/fhir/.well-known/smart-configuration"
ORIGIN = {"Origin": "https://app.example"}
LAUNCH = {"authorization_endpoint", "code_challenge_methods_supported", "issuer"}


@pytest.mark.parametrize("path", [CONFIGURATION, "/fhir/metadata"])
def test_ig_16_any_origin_may_discover(hospital, path):
    answer = hospital.get(path, headers=ORIGIN)
    assert answer.headers["access-control-allow-origin"] in ("*", ORIGIN["Origin"])


def test_ig_17_any_origin_may_ask_for_a_token(hospital):
    asked = {**ORIGIN, "Access-Control-Request-Method": "POST"}
    answer = hospital.call("OPTIONS", "/oauth/token", headers=asked)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "*")


def test_ig_30_and_372_the_configuration_is_below_the_fhir_endpoint(hospital):
    answer = hospital.get(CONFIGURATION)
    assert answer.status_code == 200
    assert answer.json()["token_endpoint"] == f"{BASE}/oauth/token"


def test_ig_228_it_is_what_asymmetric_clients_need(hospital):
    assert {
        "token_endpoint",
        "scopes_supported",
        "token_endpoint_auth_methods_supported",
        "token_endpoint_auth_signing_alg_values_supported",
    } <= set(hospital.configuration())


def test_ig_285_asymmetric_clients_are_a_capability(hospital):
    assert "client-confidential-asymmetric" in hospital.configuration()["capabilities"]


def test_ig_286_and_385_the_token_endpoint_is_named_and_answers(hospital):
    url = hospital.configuration()["token_endpoint"]
    assert hospital.call("POST", url).json()["error"] == "invalid_request"


def test_ig_287_and_389_every_scope_of_fhir_that_is_listed_can_be_had(hospital):
    listed = hospital.configuration()["scopes_supported"]
    assert listed
    for scope in (each for each in listed if each.startswith("system/")):
        assert hospital.ask(scope).json()["scope"] == scope


def test_ig_288_and_386_private_key_jwt_is_a_way_to_prove_oneself(hospital):
    found = hospital.configuration()["token_endpoint_auth_methods_supported"]
    assert "private_key_jwt" in found
    assert set(found) <= {"private_key_jwt", "client_secret_basic", "client_secret_post"}


def test_ig_289_the_algorithms_are_named(hospital):
    found = hospital.configuration()["token_endpoint_auth_signing_alg_values_supported"]
    assert found == ["RS384", "ES384"]


def test_ig_373_what_belongs_to_no_launch_is_there_and_nothing_else(hospital):
    found = hospital.configuration()
    assert not LAUNCH & set(found)
    assert not any(each.startswith(("launch-", "sso-", "context-")) for each in capabilities(found))


def capabilities(configuration: dict) -> list[str]:
    found: list[str] = configuration["capabilities"]
    return found


@pytest.mark.parametrize("accept", ["text/html", "application/fhir+xml", "*/*", ""])
def test_ig_374_and_376_it_is_json_whatever_is_accepted(hospital, accept):
    answer = hospital.get(CONFIGURATION, headers={"Accept": accept})
    assert answer.status_code == 200
    assert isinstance(answer.json(), dict)


def test_ig_377_and_380_it_is_application_json(hospital):
    assert hospital.get(CONFIGURATION).headers["content-type"] == "application/json"


def test_ig_378_every_address_is_absolute(hospital):
    found = hospital.configuration()
    addresses = [value for name, value in found.items() if name.endswith(("endpoint", "uri"))]
    assert addresses
    assert all(each.startswith(f"{BASE}/") for each in addresses)


def test_ig_384_the_grants_are_those_of_backend_services(hospital):
    assert hospital.configuration()["grant_types_supported"] == ["client_credentials"]


def test_ig_391_and_392_tokens_can_be_looked_at_and_ended(hospital):
    found, token = hospital.configuration(), hospital.token()
    proof = {"auth": ("programme", hospital.secret)}
    looked = hospital.call("POST", found["introspection_endpoint"], data={"token": token}, **proof)
    assert looked.json()["active"] is True
    ended = hospital.call("POST", found["revocation_endpoint"], data={"token": token}, **proof)
    assert ended.status_code == 200


def test_ig_393_capabilities_are_texts(hospital):
    found = capabilities(hospital.configuration())
    assert found
    assert all(isinstance(each, str) for each in found)


def test_ig_356_a_client_may_have_a_secret(hospital):
    assert "client-confidential-symmetric" in capabilities(hospital.configuration())
    assert hospital.served.token("programme", hospital.secret, "v1.read")


def test_ig_357_a_client_may_have_keys(hospital):
    assert hospital.ask().status_code == 200


def test_ig_369_scopes_of_version_1_are_understood(hospital):
    assert "permission-v1" in capabilities(hospital.configuration())
    assert hospital.ask("system/Observation.read").status_code == 200
