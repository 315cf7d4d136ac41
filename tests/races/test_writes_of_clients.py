"""Clients that write the same thing at the same moment: one resource, whole histories, no 500.

https://hl7.org/fhir/R4/http.html#ccreate
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Barrier
from typing import Any

import httpx
import pytest

from service.models.connections import Connection
from tests import world
from tests.service_at import FHIR, Caller, serving

NIGHTLY = bool(os.environ.get("ALONGSIDE_NIGHTLY"))
ROUNDS = 100 if NIGHTLY else 6
CALLERS = 32
WRITERS = 8
SENT = {"Content-Type": "application/fhir+json"}
PATCH = {"Content-Type": "application/json-patch+json"}

Call = Callable[[], httpx.Response]


@dataclass
class Field:
    """A hospital's client, and threads that call at the same moment."""

    call: Caller
    pool: ThreadPoolExecutor
    connection: Connection

    def release(self, calls: list[Call]) -> list[httpx.Response]:
        gate = Barrier(len(calls))

        def run(call: Call) -> httpx.Response:
            gate.wait()
            return call()

        found = [future.result() for future in [self.pool.submit(run, call) for call in calls]]
        assert max(answer.status_code for answer in found) < 500, [a.text for a in found]
        return found

    def post(self, body: dict[str, Any], **headers: str) -> httpx.Response:
        given = {**SENT, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return self.call("POST", f"/fhir/{body['resourceType']}", json=body, headers=given)

    def put(self, body: dict[str, Any]) -> httpx.Response:
        path = f"/fhir/{body['resourceType']}/{body['id']}"
        return self.call("PUT", path, json=body, headers=SENT)

    def made(self, body: dict[str, Any]) -> str:
        answer = self.post(body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def total(self, query: str) -> int:
        found: int = self.call.get(f"/fhir/{query}&_total=accurate&_count=1").json()["total"]
        return found


@pytest.fixture
def field(database_url: str, tmp_path: Path) -> Iterator[Field]:
    with serving(database_url, tmp_path) as service, ThreadPoolExecutor(CALLERS) as pool:
        connection = world.hospital(service.database)
        yield Field(service.caller("hospital", FHIR, connection), pool, connection)


def condition(patient: str, **more: Any) -> dict[str, Any]:
    subject = {"reference": f"Patient/{patient}"}
    return {"resourceType": "Condition", "subject": subject, "code": {"text": "low"}, **more}


def statuses(answers: list[httpx.Response]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


def test_identical_conditional_creates_make_one_resource(field: Field) -> None:
    patient = field.made({"resourceType": "Patient"})
    for number in range(ROUNDS):
        asked = f"identifier=urn:x:orders|{number}"
        body = condition(patient, identifier=[{"system": "urn:x:orders", "value": str(number)}])
        answers = field.release([lambda: field.post(body, If_None_Exist=asked)] * CALLERS)  # noqa: B023
        assert statuses(answers) == {201: 1, 200: CALLERS - 1}
        assert len({answer.content for answer in answers}) == 1
        assert field.total(f"Condition?{asked}") == 1


def test_identical_conditional_creates_take_in_one_patient(field: Field) -> None:
    for number in range(max(ROUNDS // 4, 2)):
        asked = f"identifier=urn:x:mrn|{number}"
        identifier = [{"system": "urn:x:mrn", "value": str(number)}]
        body = {"resourceType": "Patient", "identifier": identifier}
        answers = field.release([lambda: field.post(body, If_None_Exist=asked)] * WRITERS)  # noqa: B023
        assert statuses(answers) == {201: 1, 200: WRITERS - 1}
        assert field.total(f"Patient?{asked}") == 1


def test_identical_conditional_updates_make_one_resource(field: Field) -> None:
    patient = field.made({"resourceType": "Patient"})
    for number in range(ROUNDS):
        asked = f"Condition?identifier=urn:x:orders|{number}"
        body = condition(patient, identifier=[{"system": "urn:x:orders", "value": str(number)}])
        put = lambda: field.call("PUT", f"/fhir/{asked}", json=body, headers=SENT)  # noqa: B023, E731
        answers = field.release([put] * WRITERS)
        assert statuses(answers) == {201: 1, 200: WRITERS - 1}
        assert {answer.headers["etag"] for answer in answers} == {'W/"1"'}
        assert field.total(asked) == 1


def test_an_id_that_several_choose_is_made_once(field: Field) -> None:
    patient = field.made({"resourceType": "Patient"})
    for number in range(ROUNDS):
        bodies = [
            condition(patient, id=f"chosen-{number}", code={"text": str(n)}) for n in range(WRITERS)
        ]
        answers = field.release([lambda b=body: field.put(b) for body in bodies])  # type: ignore[misc]
        assert statuses(answers) == {201: 1, 200: WRITERS - 1}
        tags = sorted(int(answer.headers["etag"][3:-1]) for answer in answers)
        assert tags == list(range(1, WRITERS + 1))
        history = field.call.get(f"/fhir/Condition/chosen-{number}/_history").json()["entry"]
        texts = {entry["resource"]["code"]["text"] for entry in history}
        assert texts == set(map(str, range(WRITERS)))


def test_a_document_that_all_change_has_versions_without_gaps(field: Field) -> None:
    patient = field.made({"resourceType": "Patient"})
    for _ in range(ROUNDS):
        shown = field.made(condition(patient))
        path = f"/fhir/Condition/{shown}"
        add = [{"op": "add", "path": "/note", "value": [{"text": "seen"}]}]
        answers = field.release(
            [
                *(
                    lambda n=n: field.put(condition(patient, id=shown, code={"text": str(n)}))  # type: ignore[misc]  # noqa: B023
                    for n in range(3)
                ),
                *[lambda: field.call("PATCH", path, json=add, headers=PATCH)] * 3,  # noqa: B023
                *[lambda: field.call("DELETE", path)] * 2,  # noqa: B023
            ]
        )
        assert set(statuses(answers)) <= {200, 201, 204, 404, 410}
        entries = field.call.get(f"{path}/_history?_count=50").json()["entry"]
        tags = [int(entry["response"]["etag"][3:-1]) for entry in entries]
        assert tags == list(range(tags[0], 0, -1))
        times = [entry["response"]["lastModified"] for entry in entries]
        assert times == sorted(times, reverse=True)
        assert len(set(times)) == len(times)


def test_of_those_who_saw_one_version_one_writes_the_next(field: Field) -> None:
    patient = field.made({"resourceType": "Patient"})
    for _ in range(ROUNDS):
        shown = field.made(condition(patient))
        path, seen = f"/fhir/Condition/{shown}", {**SENT, "If-Match": 'W/"1"'}
        bodies = [condition(patient, id=shown, code={"text": str(n)}) for n in range(WRITERS)]
        answers = field.release(
            [
                lambda b=body: field.call("PUT", path, json=b, headers=seen)  # type: ignore[misc]  # noqa: B023
                for body in bodies
            ]
        )
        assert statuses(answers) == {200: 1, 412: WRITERS - 1}


def test_nothing_refers_to_what_is_deleted_meanwhile(field: Field) -> None:
    patient = field.made({"resourceType": "Patient"})
    ended: Counter[str] = Counter()
    for _ in range(ROUNDS * 2):
        target = field.made(condition(patient))
        about = {"reference": f"Condition/{target}"}
        body = {**condition(patient), "evidence": [{"detail": [about]}]}
        created, deleted = field.release(
            [
                lambda: field.post(body),  # noqa: B023
                lambda: field.call("DELETE", f"/fhir/Condition/{target}"),  # noqa: B023
            ]
        )
        now = field.call.get(f"/fhir/Condition/{target}").status_code
        if created.status_code == 201:
            assert (deleted.status_code, now) == (409, 200)
        else:
            assert (created.status_code, deleted.status_code, now) == (400, 204, 410)
        ended[str(created.status_code)] += 1
    assert sum(ended.values()) == ROUNDS * 2


def test_two_that_refer_to_each_other_are_written_together(field: Field) -> None:
    patient = field.made({"resourceType": "Patient"})
    for _ in range(ROUNDS):
        one, other = field.made(condition(patient)), field.made(condition(patient))
        bodies = [
            {
                **condition(patient, id=here),
                "evidence": [{"detail": [{"reference": f"Condition/{there}"}]}],
            }
            for here, there in ((one, other), (other, one))
        ]
        answers = field.release([lambda b=body: field.put(b) for body in bodies])  # type: ignore[misc]
        assert statuses(answers) == {200: 2}
