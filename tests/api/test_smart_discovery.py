"""Discovery (smart.md, A1): what is said of tokens is what is executed, at the public address.

https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html
"""

import pytest

from fhir_mappings import structure
from tests.api.served import BASE, Served

CONFIGURATION = "/fhir/.well-known/smart-configuration"
OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
ADDRESSES = ["/oauth/token", "/oauth/introspect", "/oauth/revoke"]
REGISTRATION = "registration_endpoint"
ORIGIN = {"Origin": "https://app.example"}


def configuration(served: Served) -> dict:
    return served.client.get(CONFIGURATION).json()


@pytest.mark.parametrize("accept", ["application/json", "application/fhir+xml", "text/html", "*/*"])
def test_a1_1_the_configuration_is_json_whatever_is_accepted(served_on_sqlite, accept):
    answer = served_on_sqlite.client.get(CONFIGURATION, headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert isinstance(answer.json(), dict)
    assert served_on_sqlite.client.head(CONFIGURATION).status_code == 200


def test_a1_2_to_4_it_has_the_keys_of_a_server_without_launch(served_on_sqlite):
    found = configuration(served_on_sqlite)
    assert isinstance(found["token_endpoint"], str)
    assert found["grant_types_supported"] == ["client_credentials"]
    assert isinstance(found["capabilities"], list)
    # What belongs to a launch, which is not there.
    absent = {"authorization_endpoint", "code_challenge_methods_supported"}
    assert not absent & set(found)


def test_a1_5_it_names_no_issuer_without_openid_connect(served_on_sqlite):
    found = configuration(served_on_sqlite)
    assert "sso-openid-connect" not in found["capabilities"]
    assert "issuer" not in found
    assert found["jwks_uri"] == f"{BASE}/oauth/jwks"  # RFC 8414 has it without OpenID Connect


def test_a1_6_capabilities_are_what_holds(served_on_sqlite):
    assert configuration(served_on_sqlite)["capabilities"] == [
        "client-confidential-symmetric", "client-confidential-asymmetric", "permission-v1",
        "permission-v2",
    ]  # fmt: skip


def test_a1_7_every_address_is_absolute_and_answers(served_on_sqlite):
    found = configuration(served_on_sqlite)
    for name in ("token_endpoint", "introspection_endpoint", "revocation_endpoint"):
        assert found[name].startswith(f"{BASE}/")
        answer = served_on_sqlite.client.post(found[name], data={"token": "x"})
        assert answer.status_code in (400, 401)
        assert answer.json()["error"] in ("invalid_client", "invalid_request")
    assert found[REGISTRATION].startswith(f"{BASE}/")
    assert served_on_sqlite.client.post(found[REGISTRATION], json={}).status_code == 401


def test_a1_7_every_scope_that_is_listed_can_be_had(served):
    found = configuration(served)["scopes_supported"]
    secret = served.secret("everything", " ".join(found))
    for scope in found:
        assert served.token("everything", secret, scope)


def test_a1_8_it_says_how_clients_with_keys_prove_themselves(served_on_sqlite):
    found = configuration(served_on_sqlite)
    assert set(found["token_endpoint_auth_methods_supported"]) == {
        "private_key_jwt", "client_secret_basic", "client_secret_post",
    }  # fmt: skip
    algorithms = found["token_endpoint_auth_signing_alg_values_supported"]
    assert algorithms == ["RS384", "ES384"]


@pytest.mark.parametrize("path", [CONFIGURATION, "/fhir/metadata"])
def test_a1_9_and_10_a_page_of_any_origin_may_read_it(served_on_sqlite, path):
    answer = served_on_sqlite.client.get(path, headers=ORIGIN)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] in ("*", ORIGIN["Origin"])
    asked = {**ORIGIN, "Access-Control-Request-Method": "GET"}
    preflight = served_on_sqlite.client.options(path, headers=asked)
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("path", ADDRESSES)
def test_a3_22_a_page_of_any_origin_may_ask_for_a_token(served_on_sqlite, path):
    asked = {
        **ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization, content-type",
    }
    preflight = served_on_sqlite.client.options(path, headers=asked)
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert "POST" in preflight.headers["access-control-allow-methods"]
    assert "authorization" in preflight.headers["access-control-allow-headers"]
    refused = served_on_sqlite.client.post(path, data={"token": "x"}, headers=ORIGIN)
    assert refused.status_code in (400, 401)
    assert refused.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in refused.headers


def test_a_page_of_another_origin_may_not_read_fhir(served_on_sqlite):
    answer = served_on_sqlite.client.get("/fhir/Patient", headers=ORIGIN)
    assert "access-control-allow-origin" not in answer.headers


def test_a1_11_the_capability_statement_says_the_same(served_on_sqlite):
    found = configuration(served_on_sqlite)
    statement = served_on_sqlite.client.get("/fhir/metadata").json()
    assert [i for i in structure.validate(statement) if i.severity == "error"] == []
    security = statement["rest"][0]["security"]
    codes = {each["coding"][0]["code"] for each in security["service"]}
    assert "SMART-on-FHIR" in codes
    (extension,) = [each for each in security["extension"] if each["url"] == OAUTH_URIS]
    uris = {each["url"]: each["valueUri"] for each in extension["extension"]}
    names = {
        "authorize": "authorization_endpoint", "introspect": "introspection_endpoint",
        "manage": "management_endpoint", "register": "registration_endpoint",
        "revoke": "revocation_endpoint", "token": "token_endpoint",
    }  # fmt: skip
    assert {name: uris.get(name) for name in names} == {
        name: found.get(key) for name, key in names.items()
    }


def test_it_is_no_resource_and_so_no_part_of_a_bundle(served_on_sqlite):
    secret = served_on_sqlite.secret("programme")
    token = served_on_sqlite.token("programme", secret, "system/*.rs")
    entry = {"request": {"method": "GET", "url": ".well-known/smart-configuration"}}
    bundle = {"resourceType": "Bundle", "type": "batch", "entry": [entry]}
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"}
    answer = served_on_sqlite.client.post("/fhir", json=bundle, headers=headers).json()
    assert answer["entry"][0]["response"]["status"].startswith("404")
