"""The token endpoint and bearer tokens, over HTTP."""

import pytest

from tests.world import hospital

FORM = {"grant_type": "client_credentials", "scope": "system/*.rs"}


def test_a_token_opens_fhir(served):
    secret = served.secret("programme")
    token = served.token("programme", secret, "system/*.rs")
    answer = served.client.get("/fhir/Organization", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    assert answer.json()["resourceType"] == "Bundle"


def test_the_reply_is_as_the_rfc_says(served):
    secret = served.secret("programme")
    answer = served.client.post("/oauth/token", data=FORM, auth=("programme", secret))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["pragma"] == "no-cache"
    assert set(answer.json()) == {"access_token", "token_type", "expires_in", "scope"}


def test_a_wrong_secret_is_401_with_a_challenge(served):
    served.secret("programme")
    answer = served.client.post("/oauth/token", data=FORM, auth=("programme", "wrong"))
    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_client"
    assert answer.headers["www-authenticate"].startswith("Basic realm=")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b'{"grant_type": "client_credentials"}'),
        ("application/x-www-form-urlencoded", b"grant_type=%ff%fe&scope=x"),
        ("application/x-www-form-urlencoded", b"\xff\xfe"),
        ("application/x-www-form-urlencoded", b"a=" + b"x" * 20_000),
        ("application/x-www-form-urlencoded", b"&".join(b"a%d=1" % n for n in range(40))),
        ("application/x-www-form-urlencoded", b"grant_type=client_credentials&scope=%00"),
        ("application/x-www-form-urlencoded", b'grant_type="&scope="'),
        ("application/x-www-form-urlencoded", b""),
        ("multipart/form-data; boundary=x", b"--x--"),
    ],
)
def test_a_form_that_cannot_be_read_is_an_error_not_a_failure(served, kind, body):
    answer = served.client.post("/oauth/token", content=body, headers={"Content-Type": kind})
    assert answer.status_code in (400, 401)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["error"].isascii()


def test_get_is_not_a_way_to_ask_for_a_token(served):
    answer = served.client.get("/oauth/token")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize("path", ["/fhir/Patient", "/v1/groups"])
@pytest.mark.parametrize("header", [None, "Bearer x", "Bearer", "Basic eDp5", "Bearer \x00"])
def test_without_a_valid_token_the_answer_is_401_with_a_challenge(served, path, header):
    headers = {} if header is None else {"Authorization": header}
    answer = served.client.get(path, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_hospitals_client_has_no_business_in_v1(served):
    connection = hospital(served.context.database)
    secret = served.secret("hospital-a", "system/*.rs", connection.id)
    token = served.token("hospital-a", secret, "system/*.rs")
    answer = served.client.get("/v1/groups", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 403


def test_a_scope_for_reading_does_not_write(served):
    secret = served.secret("programme")
    token = served.token("programme", secret, "v1.read")
    headers = {"Authorization": f"Bearer {token}"}
    assert served.client.get("/v1/groups", headers=headers).status_code == 200
    assert served.client.post("/v1/groups", headers=headers, json={}).status_code == 403


def test_a_scope_of_fhir_does_not_open_v1(served):
    secret = served.secret("programme")
    token = served.token("programme", secret, "system/*.rs")
    answer = served.client.get("/v1/groups", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 403
