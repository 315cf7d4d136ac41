import json
from datetime import timedelta
from typing import Any

import pytest

from service.models.connections import Confidentiality
from tests import world
from tests.api.fhir_endpoint import BASE, Endpoint

FORM = "QuestionnaireResponse"
SCORES = ("LA6568-5", "LA6569-3", "LA6570-1", "LA6571-9")
TEXTS = ("Not at all", "Several days", "More than half the days", "Nearly every day")


@pytest.fixture
def hospital(endpoint: Endpoint):
    return world.hospital(endpoint.context.database, "A")


def response(canonical: str, patient: str, score: int = 1, item9: int = 0) -> dict[str, Any]:
    scores = [score] * 8 + [item9]
    return {
        "resourceType": FORM,
        "questionnaire": canonical,
        "status": "completed",
        "subject": {"reference": f"Patient/{patient}"},
        "authored": (world.now() - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "item": [
            {
                "linkId": link_id,
                "answer": [
                    {
                        "valueCoding": {
                            "system": "http://loinc.org",
                            "code": SCORES[value],
                            "display": TEXTS[value],
                        }
                    }
                ],
            }
            for link_id, value in zip(world.PHQ9, scores, strict=True)
        ],
    }


def send(endpoint: Endpoint, body: dict[str, Any], caller: Any = None, **more: Any) -> Any:
    method = more.pop("method", "POST")
    path = more.pop("path", FORM)
    headers = {"Content-Type": "application/fhir+json", **more.pop("headers", {})}
    content = json.dumps(body)
    return endpoint.request(method, path, caller, content=content, headers=headers, **more)


@pytest.fixture
def form(endpoint: Endpoint) -> str:
    """The canonical of the PHQ-9 that is served."""
    url: str = endpoint.resources("Questionnaire?name=phq9")[0]["url"]
    return url


@pytest.fixture
def patient(endpoint: Endpoint, hospital) -> str:
    world.linked(endpoint.context.database, hospital)
    return endpoint.patient_id(hospital)


def test_a_response_is_scored_on_arrival(endpoint: Endpoint, form: str, hospital, patient):
    answer = send(endpoint, response(form, patient), hospital)
    body = answer.json()
    assert answer.status_code == 201, body
    assert answer.headers["location"] == f"{BASE}/{FORM}/{body['id']}/_history/1"
    assert answer.headers["etag"] == 'W/"1"'
    assert endpoint.get(answer.headers["location"], hospital).json() == body
    (total,) = endpoint.resources(f"Observation?patient={patient}&code=44261-6", hospital)
    assert total["valueQuantity"]["value"] == 8
    assert total["derivedFrom"] == [{"reference": f"{FORM}/{body['id']}"}]


def test_a_safety_rule_is_answered_with_crisis_text(
    endpoint: Endpoint, form: str, hospital, patient
):
    for prefer in ("minimal", "representation", "OperationOutcome"):
        answer = send(
            endpoint,
            response(form, patient, item9=1),
            hospital,
            headers={"Prefer": f"return={prefer}"},
        )
        (issue,) = answer.json()["issue"]
        assert answer.status_code == 201
        assert issue["severity"] == "warning"
        assert issue["details"]["text"] == endpoint.context.settings.crisis_text
        assert endpoint.get(answer.headers["location"], hospital).status_code == 200
    assert len(endpoint.ids("Flag", hospital)) == 1  # the same answers again are one alert


def test_the_caller_chooses_what_is_answered(endpoint: Endpoint, form: str, hospital, patient):
    body = response(form, patient)
    minimal = send(endpoint, body, hospital, headers={"Prefer": "return=minimal"})
    said = send(endpoint, body, hospital, headers={"Prefer": "return=OperationOutcome"})
    assert (minimal.status_code, minimal.content) == (201, b"")
    assert said.json()["issue"][0]["severity"] == "information"


def test_the_programme_may_send_responses_too(endpoint: Endpoint, form: str, hospital, patient):
    mine = endpoint.patient_id()
    answer = send(endpoint, response(form, mine))
    assert answer.status_code == 201, answer.json()
    assert mine != patient
    assert len(endpoint.ids(f"Observation?patient={patient}&code=44261-6", hospital)) == 1


def test_a_subject_must_be_a_patient_of_the_caller(endpoint: Endpoint, form: str, patient):
    other = world.hospital(endpoint.context.database, "B")
    known = send(endpoint, response(form, patient), other)
    unknown = send(endpoint, response(form, "0" * 32), other)
    assert (known.status_code, known.content) == (400, unknown.content)
    assert known.json()["issue"][0]["expression"] == [f"{FORM}.subject"]
    assert endpoint.ids("Observation") == []


@pytest.mark.parametrize(
    ("change", "expression"),
    [
        ({"status": "done"}, f"{FORM}.status"),
        ({"subject": None}, f"{FORM}.subject"),
        ({"subject": {"display": "somebody"}}, f"{FORM}.subject"),
        ({"resourceType": "Observation"}, "resourceType"),
        ({"colour": "red"}, FORM),
    ],
)
def test_a_broken_resource_is_refused_by_element(
    endpoint: Endpoint, form: str, hospital, patient, change, expression
):
    body = {**response(form, patient), **change}
    answer = send(endpoint, {k: v for k, v in body.items() if v is not None}, hospital)
    assert answer.status_code == 400
    assert answer.json()["issue"][0]["expression"][0].startswith(expression)


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{", "application/fhir+json", 400),
        (b"[]", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"", "application/json", 400),
        (b"{}", "application/fhir+xml", 415),
        (b"{}", "", 415),
        (b" " * 1_000_001, "application/fhir+json", 413),
    ],
)
def test_a_body_must_be_json_of_a_fair_size(endpoint: Endpoint, content, kind, status):
    headers = {"Content-Type": kind}
    answer = endpoint.request("POST", FORM, content=content, headers=headers)
    assert answer.status_code == status
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_what_the_programme_owns_is_forbidden_to_write(endpoint: Endpoint, hospital):
    for method, path in (("POST", "Flag"), ("PUT", "Appointment/1"), ("POST", "Questionnaire")):
        name = path.partition("/")[0]
        answer = send(endpoint, {"resourceType": name}, hospital, method=method, path=path)
        (issue,) = answer.json()["issue"]
        assert (answer.status_code, issue["code"]) == (403, "forbidden")
        assert "`programme`" in issue["diagnostics"]


def test_writing_takes_its_scope(endpoint: Endpoint, form: str, hospital, patient):
    token = endpoint.token(hospital, "system/*.rs")
    assert send(endpoint, response(form, patient), token=token).status_code == 403


def test_a_response_is_sent_once_where_its_condition_says_so(
    endpoint: Endpoint, form: str, hospital, patient
):
    body = response(form, patient)
    headers = {"If-None-Exist": f"patient={patient}&authored={body['authored']}"}
    answers = [send(endpoint, body, hospital, headers=headers) for _ in range(2)]
    assert [one.status_code for one in answers] == [201, 200]
    assert answers[0].content == answers[1].content
    assert len(endpoint.ids(f"Observation?patient={patient}&code=44261-6", hospital)) == 1


def test_the_sender_corrects_what_it_sent(endpoint: Endpoint, form: str, hospital, patient):
    first = send(endpoint, response(form, patient), hospital).json()
    body = {**response(form, patient, 2), "id": first["id"], "status": "amended"}
    path = f"{FORM}/{first['id']}"
    answer = send(endpoint, body, hospital, method="PUT", path=path, headers={"If-Match": 'W/"1"'})
    assert (answer.status_code, answer.headers["etag"]) == (200, 'W/"2"'), answer.json()
    (total,) = endpoint.resources(f"Observation?patient={patient}&code=44261-6", hospital)
    assert (total["valueQuantity"]["value"], total["status"]) == (16, "amended")
    stale = send(endpoint, body, hospital, method="PUT", path=path, headers={"If-Match": 'W/"1"'})
    assert stale.status_code == 412
    any_version = {"If-Match": "*"}
    again = send(endpoint, body, hospital, method="PUT", path=path, headers=any_version)
    assert (again.status_code, again.headers["etag"]) == (200, 'W/"2"')


def test_an_update_is_for_the_sender_and_the_programme(
    endpoint: Endpoint, form: str, hospital, patient
):
    database = endpoint.context.database
    body = response(form, patient)
    first = send(endpoint, body, hospital).json()
    mine = {**body, "id": first["id"]}
    path = f"{FORM}/{first['id']}"
    other = world.hospital(database, "B")
    assert send(endpoint, mine, other, method="PUT", path=path).status_code == 404
    assert send(endpoint, mine, method="PUT", path=path).status_code == 404  # the hospital's id
    (theirs,) = endpoint.resources(FORM)
    corrected = {
        **response(form, endpoint.patient_id(), 3),
        "id": theirs["id"],
        "status": "amended",
    }
    answer = send(endpoint, corrected, method="PUT", path=f"{FORM}/{theirs['id']}")
    assert answer.status_code == 200, answer.json()
    now = endpoint.get(path, hospital).json()
    assert now["subject"] == body["subject"]
    assert now["status"] == "amended"


@pytest.mark.usefixtures("patient")
def test_a_response_of_the_programme_is_not_the_hospitals_to_change(
    endpoint: Endpoint, form: str, hospital
):
    body = response(form, endpoint.patient_id())
    send(endpoint, body)
    (seen,) = endpoint.resources(FORM, hospital)
    answer = send(endpoint, seen, hospital, method="PUT", path=f"{FORM}/{seen['id']}")
    (issue,) = answer.json()["issue"]
    assert (answer.status_code, issue["code"]) == (403, "forbidden")
    assert "`programme`" in issue["diagnostics"]


def test_an_update_does_not_create(endpoint: Endpoint, form: str, hospital, patient):
    body = {**response(form, patient), "id": "0" * 32}
    answer = send(endpoint, body, hospital, method="PUT", path=f"{FORM}/{'0' * 32}")
    assert answer.status_code == 404


def test_an_update_names_the_id_of_its_address(endpoint: Endpoint, form: str, hospital, patient):
    body = response(form, patient)
    first = send(endpoint, body, hospital).json()
    path = f"{FORM}/{first['id']}"
    answer = send(endpoint, body, hospital, method="PUT", path=path)
    assert (answer.status_code, answer.json()["issue"][0]["expression"]) == (400, [f"{FORM}.id"])
    wrong = send(endpoint, body, hospital, method="PUT", path=path, headers={"If-Match": "1"})
    assert wrong.status_code == 400


def test_a_client_under_the_ceiling_may_send_what_it_may_not_read(
    endpoint: Endpoint, form: str, hospital, patient
):
    token = endpoint.token(hospital, ceiling=Confidentiality.RESTRICTED)
    answer = send(endpoint, response(form, patient), token=token)
    assert (answer.status_code, answer.content) == (201, b"")
    assert endpoint.get(answer.headers["location"], token=token).status_code == 404
