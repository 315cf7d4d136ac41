"""A FHIR PUT with If-Match against a correction through /v1, at the same moment."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests import world
from tests.races.conftest import Arena
from tests.service_at import FHIR, V1, Caller, serving

LOINC = "http://loinc.org"
CODES = ("LA6568-5", "LA6569-3", "LA6570-1", "LA6571-9")


def response(patient: str, score: int, **more: Any) -> dict[str, Any]:
    answers = {**world.phq9(score)}
    return {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": "https://alongside.example/fhir/Questionnaire/phq-9",
        "status": "completed",
        "subject": {"reference": patient},
        "authored": "2026-01-05T10:00:00+01:00",
        "item": [
            {"linkId": key, "answer": [{"valueCoding": {"system": LOINC, "code": CODES[value]}}]}
            for key, value in answers.items()
        ],
        **more,
    }


def test_a_put_against_a_correction(arena: Arena, database_url: str, tmp_path: Path) -> None:
    connection = world.hospital(arena.database)
    with serving(database_url, tmp_path) as service:
        hospital = service.caller("hospital-a", FHIR, connection)
        programme = service.caller("programme", V1)
        for _ in range(arena.rounds):
            person = world.linked(arena.database, connection)
            one_race(arena, hospital, programme, str(person.id))
        arena.check()


def one_race(arena: Arena, hospital: Caller, programme: Caller, person: str) -> None:
    # The newest Patient of this hospital is the person of this round.
    bundle = hospital.get("/fhir/Patient?_sort=-_lastUpdated&_count=1").json()
    patient = bundle["entry"][0]["resource"]["id"]
    body = response(f"Patient/{patient}", 1)
    created = hospital("POST", "/fhir/QuestionnaireResponse", json=body)
    assert created.status_code == 201, created.text
    ours = programme.get(f"/v1/patients/{person}/responses").json()["items"][-1]
    since, document = arena.last_event(), created.json()["id"]
    put, correction = arena.release(
        sending(hospital, document, body | {"id": document, **changed(2, body)}),
        lambda: programme("PUT", f"/v1/responses/{ours['id']}", json={"answers": world.phq9(3)}),
    )
    assert correction.status_code == 200, correction.text
    assert put.status_code in {200, 412}, put.text
    versions = arena.versions(since)[f"QuestionnaireResponse/{document}"]
    # The PUT came first and both count, or second and is told that it has not seen the correction.
    assert versions == ([2, 3] if put.status_code == 200 else [2])
    now = programme.get(f"/v1/responses/{ours['id']}").json()
    assert now["total"] == 24


def sending(hospital: Caller, document: str, body: dict[str, Any]) -> Callable[[], Any]:
    path, headers = f"/fhir/QuestionnaireResponse/{document}", {"If-Match": 'W/"1"'}
    return lambda: hospital("PUT", path, json=body, headers=headers)


def changed(score: int, body: dict[str, Any]) -> dict[str, Any]:
    return {"item": response("", score)["item"], "status": body["status"]}
