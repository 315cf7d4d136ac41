"""Questionnaire responses: answers in either form, scores, corrections and alerts."""

from uuid import uuid4

import pytest

from tests import world
from tests.api.v1.programme import everything, rules

CODES = ("LA6568-5", "LA6569-3", "LA6570-1", "LA6571-9")  # score 0 to 3


@pytest.fixture
def person(api):
    return world.patient(api.database)


def body(answers=None, **more):
    given = world.phq9(1) if answers is None else answers
    return {"instrument": "phq-9", "answers": given, "authored": "2026-01-06T18:00:00Z", **more}


def test_score_values_and_answer_codes_count_the_same(api, person):
    address = f"/v1/patients/{person.id}/responses"
    scores = world.phq9(2)
    coded = {link_id: CODES[value] for link_id, value in scores.items()}
    for answers in (scores, coded):
        made = api.post(address, body(answers))
        assert made.status_code == 201, made.text
        found = made.json()
        assert (found["total"], found["band"], found["missing"]) == (16, "moderately severe", [])
        assert found["answers"] == scores
        assert found["alert"] is None
        assert found["operationOutcome"] is None
        assert api.get(made.headers["location"]).json() == found
    assert len(everything(api, f"{address}?limit=1")) == 2


def test_an_incomplete_response_has_no_total_and_says_what_is_missing(api, person):
    answers = world.phq9(1)
    del answers["/44255-8"]
    found = api.post(f"/v1/patients/{person.id}/responses", body(answers)).json()
    assert (found["total"], found["band"], found["missing"]) == (None, None, ["/44255-8"])


def test_item_9_brings_the_crisis_text_and_a_warning(api, person):
    group = world.group(api.database, escalation_contact="On call, 555-0100")
    world.enroll(api.database, person, group)
    answers = world.phq9(0, item9=1)
    made = api.post(f"/v1/patients/{person.id}/responses", body(answers, group_id=str(group.id)))
    found = made.json()
    crisis_text = api.context.settings.crisis_text
    assert found["alert"]["crisis_text"] == crisis_text
    assert found["alert"]["escalation_contact"] == "On call, 555-0100"
    (issue,) = found["operationOutcome"]["issue"]
    assert (issue["severity"], issue["diagnostics"]) == ("warning", crisis_text)
    (alert,) = everything(api, "/v1/alerts")
    assert (alert["id"], alert["state"]) == (found["alert"]["id"], "open")
    assert alert["response_id"] == found["id"]
    (listed,) = everything(api, f"/v1/patients/{person.id}/responses")
    assert listed == found == api.get(made.headers["location"]).json()


def test_an_incomplete_response_with_item_9_still_warns(api, person):
    made = api.post(f"/v1/patients/{person.id}/responses", body({"/44260-8": "LA6569-3"}))
    assert made.json()["alert"]["rule"] == "phq-9 /44260-8"


def test_a_correction_rescored_keeps_the_alert(api, person):
    made = api.post(f"/v1/patients/{person.id}/responses", body(world.phq9(1, item9=3)))
    address = made.headers["location"]
    corrected = api.put(address, {"answers": world.phq9(1)}, headers={"If-Match": '"1"'})
    found = corrected.json()
    assert (found["total"], found["status"], found["version"]) == (8, "amended", 2)
    assert found["alert"]["id"] == made.json()["alert"]["id"]
    again = api.put(address, {"answers": world.phq9(1)})
    assert again.json() == found
    assert api.put(address, {"answers": {}}, headers={"If-Match": '"1"'}).status_code == 412


def test_each_answer_that_breaks_a_rule_is_named(api, person):
    answers = {
        "/44250-9": "LA6572-7",
        "/44255-8": 2.0,
        "/44259-0": True,
        "/44254-1": None,
        "/44251-7": "two",
        "nonsense": 1,
        "more": "LA6570-1",
    }
    answer = api.post(f"/v1/patients/{person.id}/responses", body(answers))
    assert answer.status_code == 400
    named = rules(answer)
    assert set(named) == {f"answers['{link_id}']" for link_id in answers}
    assert ", ".join(CODES) in named["answers['/44250-9']"]
    assert "whole number" in named["answers['/44255-8']"]
    assert "linkId of an item of PHQ-9" in named["answers['nonsense']"]


def test_a_score_out_of_range_is_named_and_not_repeated(api, person):
    for wrong in (4, -1, 10**30):
        answer = api.post(f"/v1/patients/{person.id}/responses", body({"/44250-9": wrong}))
        assert answer.status_code == 400
        assert rules(answer) == {"answers['/44250-9']": "must be one of 0, 1, 2, 3"}


def test_what_else_a_response_may_not_be_is_named(api, person):
    address = f"/v1/patients/{person.id}/responses"
    assert list(rules(api.post(address, body(instrument="mood")))) == ["instrument"]
    assert list(rules(api.post(address, body(instrument_version="9.9.9")))) == ["instrument"]
    assert list(rules(api.post(address, body(authored="2999-01-01T00:00:00Z")))) == ["authored"]
    assert list(rules(api.post(address, body(group_id=str(uuid4()))))) == ["group_id"]
    assert list(rules(api.post(address, body(["no", "object"])))) == ["answers"]
    assert list(rules(api.post(address, body(total=3)))) == ["total"]


def test_a_link_id_that_is_no_text_is_a_problem(api, person):
    headers = {"Content-Type": "application/json"}
    for key in (b"\\ud800", b"\\u0000", b"x" * 65):
        content = b'{"instrument":"phq-9","authored":"2026-01-06T18:00:00Z","answers":{"%b":1}}'
        address = f"/v1/patients/{person.id}/responses"
        answer = api.call("POST", address, content=content % key, headers=headers)
        assert answer.status_code in {400, 422}
        assert all(field.startswith("answers") for field in rules(answer))


def test_a_response_of_nobody_is_not_found(sqlite_api):
    assert sqlite_api.post(f"/v1/patients/{uuid4()}/responses", body()).status_code == 404
    assert sqlite_api.put(f"/v1/responses/{uuid4()}", {"answers": {}}).status_code == 404
