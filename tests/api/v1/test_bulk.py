"""Many rows in one request: a result for each, and no row in another's way."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from api.routes.v1 import rows
from service.errors import BusyError
from tests import world
from tests.api.v1.programme import everything, rules

PERSON = {"family": "Rivera", "given": "Lucia", "birth_date": "1988-04-17"}
KEY = {"Idempotency-Key": "5b6a2f0e-1f2d-4c3b-8a9d-0e1f2a3b4c5d"}


def statuses(answer: Any) -> list[int]:
    assert answer.status_code == 200, answer.text
    results = answer.json()["results"]
    assert [each["row"] for each in results] == list(range(len(results)))
    return [each["status"] for each in results]


def fields(result: dict[str, Any]) -> list[str]:
    return [each["field"] for each in result["problem"]["errors"]]


def test_each_row_has_its_result_and_a_wrong_one_stops_no_other(api):
    sent = [
        PERSON,
        PERSON | {"birth_date": "1988-04-31"},
        {},
        PERSON | {"birth_date": "2999-01-01"},
    ]
    answer = api.post("/v1/bulk/patients", {"rows": [*sent, PERSON]})
    assert statuses(answer) == [201, 422, 422, 400, 201]
    first, impossible, empty, future, last = answer.json()["results"]
    assert (first["version"], first["problem"]) == (1, None)
    assert fields(impossible) == ["rows[1].birth_date"]
    assert fields(empty) == ["rows[2].family", "rows[2].given"]
    assert fields(future) == ["rows[3].birth_date"]
    made = [item["id"] for item in everything(api, "/v1/patients")]
    assert made == [first["id"], last["id"]]


def test_links_consents_and_enrolments_go_to_who_each_row_names(api):
    hospital, group = world.hospital(api.database), world.group(api.database, capacity=1)
    people = [str(world.patient(api.database).id) for _ in range(2)]
    nobody = str(uuid4())
    link = {"connection_id": str(hospital.id), "mrn": "M1"}
    links = [
        {**link, "patient_id": each, "ehr_patient_id": each[:8] + each[-8:]} for each in people
    ]
    answer = api.post(
        "/v1/bulk/links", {"rows": [*links, {**links[0], "patient_id": nobody}, link]}
    )
    assert statuses(answer) == [201, 409, 404, 422]  # a record is linked once
    assert fields(answer.json()["results"][2]) == ["rows[2].patient_id"]
    assert fields(answer.json()["results"][3]) == ["rows[3].patient_id"]
    consent = {"connection_id": str(hospital.id), "category": "scores"}
    consents = [{**consent, "patient_id": each} for each in (*people, nobody)]
    assert statuses(api.post("/v1/bulk/consents", {"rows": consents})) == [201, 201, 404]
    enrolments = [{"group_id": str(group.id), "patient_id": each} for each in people]
    elsewhere = {"group_id": nobody, "patient_id": people[0]}
    answer = api.post("/v1/bulk/enrollments", {"rows": [*enrolments, elsewhere]})
    assert statuses(answer) == [201, 422, 404]  # one seat
    assert fields(answer.json()["results"][2]) == ["rows[2].group_id"]
    assert api.audited()[-1] == sorted(each.replace("-", "") for each in people)


def test_responses_are_scored_and_an_alert_is_never_passed_over(api):
    person = str(world.patient(api.database).id)
    row = {"patient_id": person, "instrument": "phq-9", "authored": "2026-01-05T12:00:00Z"}
    quiet, grave, wrong = (
        {**row, "answers": {**world.phq9(1), world.PHQ9[-1]: last}} for last in (0, 2, 4)
    )
    answer = api.post("/v1/bulk/responses", {"rows": [quiet, grave, wrong, row | {"answers": []}]})
    assert statuses(answer) == [201, 201, 400, 422]
    results = answer.json()["results"]
    assert results[0]["alert"] is None
    assert results[1]["alert"]["crisis_text"]
    assert fields(results[2]) == [f"rows[2].answers['{world.PHQ9[-1]}']"]
    assert fields(results[3]) == ["rows[3].answers"]


@pytest.mark.parametrize(
    ("body", "element"),
    [
        ({"rows": []}, "rows"),
        ({"rows": [{}] * 501}, "rows"),
        ({"rows": PERSON}, "rows"),
        ({"rows": [PERSON, 7]}, "rows[1]"),
        ({"rows": [PERSON, None]}, "rows[1]"),
        ({}, "rows"),
        ([PERSON], "body"),
        ({"rows": [PERSON], "all": True}, "all"),
    ],
)
def test_what_is_no_list_of_rows_is_refused_as_a_whole(sqlite_api, body, element):
    answer = sqlite_api.post("/v1/bulk/patients", body)
    assert answer.status_code == 422
    assert list(rules(answer)) == [element]
    assert everything(sqlite_api, "/v1/patients") == []


def test_a_repeated_bulk_request_gets_the_answer_that_it_got(api):
    group = world.group(api.database, capacity=1)
    people = [str(world.patient(api.database).id) for _ in range(3)]
    body = {"rows": [{"group_id": str(group.id), "patient_id": each} for each in people]}
    first = api.post("/v1/bulk/enrollments", body, headers=KEY)
    assert statuses(first) == [201, 422, 422]
    assert "idempotency-replayed" not in first.headers
    api.patch(f"/v1/groups/{group.id}", {"capacity": 3})  # now they would be taken
    again = api.post("/v1/bulk/enrollments", body, headers=KEY)
    assert again.content == first.content
    assert again.headers["idempotency-replayed"] == "true"
    assert (
        api.audited()[-1] == api.audited()[-3] == sorted(each.replace("-", "") for each in people)
    )
    other = api.post("/v1/bulk/enrollments", {"rows": body["rows"][:1]}, headers=KEY)
    assert other.status_code == 409


def test_what_was_broken_off_goes_on_where_it_stopped(api, monkeypatch):
    body = {"rows": [PERSON | {"given": f"Given {number}"} for number in range(6)]}
    asked = rows.Bulk.answer

    def breaking(bulk: Any, kept: Any, ask: Any) -> Any:
        if kept.key.part == 3:
            raise RuntimeError("it breaks off here")
        return asked(bulk, kept, ask)

    monkeypatch.setattr(rows.Bulk, "answer", breaking)
    assert api.post("/v1/bulk/patients", body, headers=KEY).status_code == 500
    monkeypatch.undo()
    assert len(everything(api, "/v1/patients")) == 3
    answer = api.post("/v1/bulk/patients", body, headers=KEY)
    assert statuses(answer) == [201] * 6
    assert "idempotency-replayed" not in answer.headers
    made = [item["id"] for item in everything(api, "/v1/patients")]
    assert made == [each["id"] for each in answer.json()["results"]]


def test_rows_that_come_too_late_are_not_tried_and_may_be_sent_again(api, monkeypatch):
    monkeypatch.setattr(rows, "SECONDS", -1.0)
    body = {"rows": [PERSON, PERSON]}
    late = api.post("/v1/bulk/patients", body, headers=KEY)
    assert statuses(late) == [503, 503]
    assert fields(late.json()["results"][1]) == ["rows[1]"]
    monkeypatch.undo()
    assert statuses(api.post("/v1/bulk/patients", body, headers=KEY)) == [201, 201]


def test_a_row_that_met_a_busy_service_may_be_sent_again(api, monkeypatch):
    asked = rows.Bulk.answer

    def busy(bulk: Any, kept: Any, ask: Any) -> Any:
        if kept.key.part == 1:
            raise BusyError("others write")
        return asked(bulk, kept, ask)

    monkeypatch.setattr(rows.Bulk, "answer", busy)
    body = {"rows": [PERSON, PERSON]}
    first = api.post("/v1/bulk/patients", body, headers=KEY)
    assert statuses(first) == [201, 503]
    monkeypatch.undo()
    second = api.post("/v1/bulk/patients", body, headers=KEY)
    assert statuses(second) == [201, 201]
    assert second.json()["results"][0] == first.json()["results"][0]


def test_two_at_once_with_one_key_execute_each_row_once(api):
    group = world.group(api.database, capacity=4)
    people = [str(world.patient(api.database).id) for _ in range(6)]
    body = {"rows": [{"group_id": str(group.id), "patient_id": each} for each in people]}
    with ThreadPoolExecutor(4) as threads:
        asked = [
            threads.submit(api.post, "/v1/bulk/enrollments", body, headers=KEY) for _ in range(4)
        ]
    answers = [each.result() for each in asked]
    assert {each.status_code for each in answers} == {200}
    assert len({each.content for each in answers}) == 1
    assert sorted(statuses(answers[0])) == [201] * 4 + [422] * 2
    assert len(everything(api, f"/v1/groups/{group.id}/enrollments")) == 4


def test_five_hundred_rows_are_taken(sqlite_api):
    answer = sqlite_api.post("/v1/bulk/patients", {"rows": [{}] * 498 + [PERSON] * 2})
    assert statuses(answer) == [422] * 498 + [201] * 2
