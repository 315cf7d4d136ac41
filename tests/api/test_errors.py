"""Errors: one status each, no content of ours or theirs in what was not foreseen."""

import logging

import pytest
from starlette.routing import Route

from api.errors import STATUS, fhir_error, problem, status_of
from service.errors import (
    AlongsideError,
    BusinessRuleError,
    BusyError,
    ConflictError,
    DuplicateError,
    ForbiddenError,
    InvalidElementsError,
    InvalidError,
    LoginError,
    NotFoundError,
    NotSupportedError,
    Problem,
    ProjectionError,
    RequiredError,
    ValueSetError,
    VersionError,
)

STATUSES = [
    (InvalidError, 400),
    (RequiredError, 400),
    (ValueSetError, 400),
    (BusinessRuleError, 422),
    (NotSupportedError, 400),
    (NotFoundError, 404),
    (ForbiddenError, 403),
    (LoginError, 401),
    (ConflictError, 409),
    (DuplicateError, 409),
    (VersionError, 412),
    (BusyError, 503),
    (ProjectionError, 500),
]


@pytest.mark.parametrize(("cls", "status"), STATUSES)
def test_each_error_has_its_status(cls, status):
    assert status_of(cls("a rule")) == status


def test_every_error_of_the_tree_is_in_the_table_or_below_one_that_is():
    pending = [AlongsideError]
    while pending:
        cls = pending.pop()
        pending += cls.__subclasses__()
        assert any(each in STATUS for each in cls.__mro__)


def test_an_operation_outcome_has_an_issue_for_each_problem():
    problems = (Problem("Patient.name", "is missing", "required"), Problem("x", "y"))
    answer = fhir_error(InvalidElementsError(problems))
    assert answer.media_type == "application/fhir+json"
    assert answer.body.count(b'"severity":"error"') == 2
    assert b'"Patient.name"' in answer.body


def test_a_problem_names_field_rule_and_code():
    answer = problem(RequiredError("is required", element="name"), "/v1/groups")
    assert answer.media_type == "application/problem+json"
    assert b'"errors":[{"field":"name","rule":"is required","code":"required"}]' in answer.body
    assert b'"instance":"/v1/groups"' in answer.body


def test_a_login_error_has_a_challenge_and_a_busy_one_a_time():
    assert "www-authenticate" in problem(LoginError("x")).headers
    assert problem(BusyError("x")).headers["retry-after"] == "1"


PERSON = "Ann"


def boom(_request):
    raise RuntimeError(f"{PERSON} scored 24")


@pytest.mark.parametrize("path", ["/fhir/Patient", "/boom"])
def test_a_failure_tells_neither_caller_nor_log_what_it_was_about(
    served_on_sqlite, caplog, path, monkeypatch
):
    app = served_on_sqlite.client.app
    app.router.routes.insert(0, Route("/boom", boom))
    monkeypatch.setattr(
        "api.routes.fhir_reading.access_of", lambda request, _context: boom(request)
    )
    with caplog.at_level(logging.DEBUG):
        answer = served_on_sqlite.client.get(path)
    assert answer.status_code == 500
    assert PERSON not in answer.text + caplog.text
    assert answer.headers["x-request-id"] in caplog.text
    assert "RuntimeError" in caplog.text
    fhir = path.startswith("/fhir")
    assert answer.headers["content-type"] == (
        "application/fhir+json" if fhir else "application/problem+json"
    )
    assert served_on_sqlite.rows()[-1].status == 500


def test_a_wrong_field_is_named_with_its_rule_and_not_repeated(served):
    secret = served.secret("programme")
    token = served.token("programme", secret, "v1.write")
    answer = served.client.post(
        "/v1/groups",
        headers={"Authorization": f"Bearer {token}"},
        json={"capacity": "Ann Example", "public_name": 7},
    )
    assert answer.status_code == 422
    body = answer.json()
    assert {"field", "rule", "code"} == set(body["errors"][0])
    assert "capacity" in {each["field"] for each in body["errors"]}
    assert "Ann" not in answer.text


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[]", b"null", b'{"a":' * 2000])
def test_a_body_that_is_no_json_object_is_an_error_not_a_failure(served, body):
    secret = served.secret("programme")
    token = served.token("programme", secret, "v1.write")
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    answer = served.client.post("/v1/groups", headers=headers, content=body)
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "path",
    [
        "/fhir/Patient?name=%00",
        "/fhir/Patient?_id=%00",
        "/fhir/Patient?identifier=%00%7Cx",
        "/fhir/Patient/%00",
        "/fhir/Patient?name=%ff%fe",
        "/fhir/Patient/x/_history/%00",
        "/v1/groups?cursor=%00",
        "/v1/patients/%00",
        "/v1/groups?nonsense=1",
    ],
)
def test_no_character_makes_it_fail(served, path):
    secret = served.secret("programme")
    token = served.token("programme", secret, "system/*.rs v1.read")
    answer = served.client.get(path, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code < 500, answer.text


def test_an_unknown_address_is_a_problem_or_an_outcome(served):
    assert served.client.get("/nowhere").json()["status"] == 404
    secret = served.secret("programme")
    headers = {"Authorization": f"Bearer {served.token('programme', secret, 'system/*.rs')}"}
    answer = served.client.get("/fhir/Nonsense", headers=headers)
    assert answer.status_code == 404
    assert answer.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize(
    ("path", "media"),
    [
        ("/v1/groups", "application/problem+json"),
        ("/fhir/QuestionnaireResponse", "application/fhir+json"),
    ],
)
def test_a_body_that_is_too_long_is_refused(served_on_sqlite, path, media):
    secret = served_on_sqlite.secret("programme", "v1.write system/*.cruds")
    token = served_on_sqlite.token("programme", secret, "v1.write system/*.cruds")
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    answer = served_on_sqlite.client.post(path, headers=headers, content=b" " * 1_000_001)
    assert answer.status_code == 413
    assert answer.headers["content-type"] == media


def test_a_stranger_is_told_to_sign_in_before_what_is_wrong_with_the_body(served_on_sqlite):
    answer = served_on_sqlite.client.post(
        "/v1/groups", content=b"{", headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
