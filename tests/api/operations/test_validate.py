"""$validate: what would be wrong, and that nothing is written."""

import pytest

from tests.api.fhir_endpoint import BASE
from tests.api.operations.conftest import refused
from tests.api.sent import Sender

SCREENING = (
    "http://hl7.org/fhir/us/core/StructureDefinition/us-core-observation-screening-assessment"
)
GOOD = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"text": "Note"},
}


def judged(scene, path, body=None, **more):
    """Return the errors found, as code and place."""
    more.setdefault("caller", scene.a)
    caller = more.pop("caller")
    if body is None:
        answer = scene.endpoint.get(path, caller, **more)
    else:
        answer = scene.endpoint.request("POST", path, caller, json=body, **more)
    assert answer.status_code == 200, answer.text
    issues = answer.json()["issue"]
    return [
        (each["code"], *each.get("expression", []))
        for each in issues
        if each["severity"] in {"error", "fatal"}
    ]


def test_what_is_right_is_said_to_be_right_and_not_kept(scene):
    before = scene.endpoint.ids("Observation", scene.a)
    answer = scene.endpoint.request("POST", "Observation/$validate", scene.a, json=GOOD)
    assert [each["severity"] for each in answer.json()["issue"]] == ["information"]
    assert scene.endpoint.ids("Observation", scene.a) == before


def test_each_broken_rule_is_an_issue_of_a_good_answer(scene):
    bad = {"resourceType": "Observation", "status": "nearly", "code": {}}
    found = judged(scene, "Observation/$validate", bad)
    assert ("code-invalid", "Observation.status") in found
    assert len(found) > 1
    assert judged(scene, "Patient/$validate", GOOD) == [("invalid", "Resource.resourceType")]


def test_the_resource_may_stand_in_parameters(scene):
    answer = scene.parameters(
        "Observation/$validate", ("resource", "resource", {**GOOD, "status": "x"}),
        ("mode", "Code", "create"),
    )  # fmt: skip
    assert answer.json()["issue"][0]["expression"] == ["Observation.status"]


def test_a_reference_that_leads_to_nothing_is_an_issue(scene):
    sent = {**GOOD, "subject": {"reference": f"Patient/{'0' * 32}"}}
    assert judged(scene, "Observation/$validate", sent) == [("not-found", "Observation.subject")]
    theirs = {**GOOD, "subject": {"reference": f"Patient/{scene.id}"}}
    assert judged(scene, "Observation/$validate", theirs) == []
    assert judged(scene, "Observation/$validate", theirs, caller=scene.b)


def test_a_profile_is_judged_by(scene):
    assert judged(scene, f"Observation/$validate?profile={SCREENING}", GOOD)
    answer = scene.parameters(
        "Observation/$validate", ("resource", "resource", GOOD), ("profile", "Uri", "urn:none")
    )
    assert refused(answer, 400, "invalid")
    assert refused(scene.parameters(
        "Observation/$validate", ("resource", "resource", GOOD), ("mode", "Code", "profile")
    ), 400, "required")  # fmt: skip


def test_who_may_not_write_it_is_told(scene):
    flag = {"resourceType": "Flag"}
    assert ("forbidden",) in judged(scene, "Flag/$validate?mode=create", flag)
    (score, *_) = scene.endpoint.ids("Observation", scene.a)
    assert judged(scene, f"Observation/{score}/$validate?mode=delete") == [("forbidden",)]
    own = scene.sender.observation()
    assert judged(scene, f"Observation/{own['id']}/$validate?mode=delete") == []
    assert judged(scene, f"Observation/{own['id']}/$validate?mode=update", own) == []
    assert ("invalid", "Observation.id") in judged(
        scene, f"Observation/{own['id']}/$validate?mode=update", {**own, "id": "other"}
    )
    assert judged(scene, "Observation/none/$validate?mode=delete") == [("not-found",)]
    assert judged(scene, "Observation/new-1/$validate?mode=update", {**GOOD, "id": "new-1"}) == []


def test_what_is_stored_is_judged_where_nothing_is_sent(scene):
    assert judged(scene, f"Patient/{scene.id}/$validate") == []
    answer = scene.endpoint.get(f"Patient/{scene.id}/$validate", scene.b)
    assert refused(answer, 404, "not-found")
    assert refused(scene.parameters("Patient/$validate"), 400, "required")


def test_another_hospitals_resource_is_not_told_of(scene):
    sent = Sender(scene.endpoint, scene.a, scene.id).observation()
    path = f"Observation/{sent['id']}/$validate?mode=delete"
    assert judged(scene, path, caller=scene.b) == [("not-found",)]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("Observation/$validate?mode=guess", 400, "invalid"),
        ("Observation/$validate?mode=update", 400, "invalid"),
        ("Observation/1/$validate?mode=create", 400, "invalid"),
        ("Nothing/$validate", 404, "not-found"),
    ],
)
def test_a_call_that_cannot_be_judged_is_refused(scene, path, status, code):
    answer = scene.endpoint.request("POST", path, scene.a, json=GOOD)
    assert refused(answer, status, code)


def test_it_takes_a_token_for_what_is_judged(scene):
    anonymous = scene.endpoint.client.post(f"{BASE}/Observation/$validate", json=GOOD)
    assert refused(anonymous, 401, "login")
    token = scene.endpoint.token(scene.a, "system/Observation.s system/Patient.cruds")
    answer = scene.endpoint.request("POST", "Observation/$validate", token=token, json=GOOD)
    assert refused(answer, 403, "forbidden")
    creating = scene.endpoint.token(scene.a, "system/Observation.c")
    assert judged(scene, "Observation/$validate?mode=create", GOOD, token=creating) == []
    got = scene.endpoint.get("Observation/$validate", scene.a)
    assert refused(got, 405, "not-supported")
