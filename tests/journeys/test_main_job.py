"""The main job through its public face: /v1 in, FHIR out, in the next request."""

from datetime import timedelta
from typing import Any

import pytest

from service.models.connections import Connection, ConsentPolicy
from service.models.consents import Category
from service.models.groups import Sensitivity, SupportGroup
from service.models.patients import Patient
from tests import world
from tests.audited import opened_rows
from tests.fresh import wrong_documents
from tests.service_at import FHIR, V1, Caller, Service


@pytest.fixture
def programme(service: Service) -> Caller:
    return service.caller("programme", f"{V1} {FHIR}")


def resources(caller: Caller, path: str) -> list[dict[str, Any]]:
    bundle = caller.get(f"/fhir/{path}").json()
    return [entry["resource"] for entry in bundle.get("entry", [])]


def ready(service: Service, connection: Connection, **more: Any) -> tuple[Patient, SupportGroup]:
    """A consenting member of a group."""
    person, group = (
        world.linked(service.database, connection),
        world.group(service.database, **more),
    )
    world.enroll(service.database, person, group)
    return person, group


def test_attendance_is_an_encounter_in_the_next_request(
    service: Service, programme: Caller
) -> None:
    connection = world.hospital(service.database)
    hospital = service.caller("hospital-a", FHIR, connection)
    person, group = ready(service, connection)
    held = world.session(service.database, group)
    path = f"/v1/sessions/{held.id}/attendance"
    assert resources(hospital, "Encounter") == []
    assert [one["status"] for one in resources(hospital, "Appointment")] == ["booked"]

    marks = {"marks": [{"patient_id": str(person.id), "mark": "present"}]}
    assert programme("PUT", path, json=marks).status_code == 200
    (encounter,) = resources(hospital, "Encounter")
    (appointment,) = resources(hospital, "Appointment")
    assert (encounter["meta"]["versionId"], appointment["status"]) == ("1", "fulfilled")

    again = programme("PUT", path, json=marks)
    assert again.status_code == 200
    assert resources(hospital, "Encounter") == [encounter]
    assert resources(hospital, "Appointment") == [appointment]

    late = {"marks": [{"patient_id": str(person.id), "mark": "late"}]}
    assert programme("PUT", path, json=late).status_code == 200
    (corrected,) = resources(hospital, "Encounter")
    assert corrected["meta"]["versionId"] == "2"
    first = hospital.get(f"/fhir/Encounter/{encounter['id']}/_history/1").json()
    assert first == encounter
    history = hospital.get(f"/fhir/Encounter/{encounter['id']}/_history").json()["entry"]
    assert [one["resource"]["meta"]["versionId"] for one in history] == ["2", "1"]


def test_withdrawing_a_consent_empties_the_next_answer(service: Service, programme: Caller) -> None:
    connection = world.hospital(service.database)
    hospital = service.caller("hospital-a", FHIR, connection)
    person, group = ready(service, connection)
    world.attend(service.database, world.session(service.database, group), person)
    world.respond(service.database, person, world.phq9(1, item9=1))
    served = {
        Category.ENROLLMENT: ("EpisodeOfCare", "Group"),
        Category.ATTENDANCE: ("Encounter", "Appointment"),
        Category.ANSWERS: ("QuestionnaireResponse",),
        Category.SCORES: ("Observation",),
        Category.ALERTS: ("Flag",),
        Category.SUMMARY: ("Patient", "Consent"),
    }
    for kinds in served.values():
        assert all(resources(hospital, kind) for kind in kinds), kinds
    given = programme.get(f"/v1/patients/{person.id}/consents").json()["items"]
    consents = {one["category"]: one["id"] for one in given}
    for category, kinds in served.items():
        old = [(kind, one["id"]) for kind in kinds for one in resources(hospital, kind)]
        done = programme("POST", f"/v1/consents/{consents[category]}/withdraw", json={})
        assert done.status_code == 200, done.text
        assert not any(resources(hospital, kind) for kind in kinds), kinds
        for kind, one in old:
            for suffix in ("", "/_history", "/_history/1"):
                assert hospital.get(f"/fhir/{kind}/{one}{suffix}").status_code == 404
    assert not wrong_documents(service.database)


def test_a_part_2_group_is_not_served_under_the_treatment_policy(service: Service) -> None:
    connection = world.hospital(service.database, policy=ConsentPolicy.TREATMENT)
    hospital = service.caller("hospital-b", FHIR, connection)
    person = world.patient(service.database)
    world.link(service.database, person, connection)
    use = world.group(service.database, sensitivity=Sensitivity.SUBSTANCE_USE)
    other = world.group(service.database)
    for group in (use, other):
        world.enroll(service.database, person, group)
        world.attend(service.database, world.session(service.database, group), person)
        world.respond(service.database, person, group_id=group.id)
    for kind in ("EpisodeOfCare", "Encounter", "Appointment", "Group", "Observation"):
        (only,) = resources(hospital, kind)
        assert "ETH" not in str(only["meta"]["security"]), kind
    world.consent(service.database, person, connection)
    assert len(resources(hospital, "EpisodeOfCare")) == 1
    world.consent(service.database, person, connection, covers_part2=True)
    assert len(resources(hospital, "EpisodeOfCare")) == 2


def test_item_answers_are_served_with_their_consent_only(service: Service) -> None:
    connection = world.hospital(service.database, policy=ConsentPolicy.TREATMENT)
    hospital = service.caller("hospital-b", FHIR, connection)
    person = world.patient(service.database)
    world.link(service.database, person, connection)
    world.respond(service.database, person)
    (total,) = resources(hospital, "Observation")
    assert "derivedFrom" not in total
    assert resources(hospital, "QuestionnaireResponse") == []
    world.consent(service.database, person, connection, [Category.ANSWERS])
    assert len(resources(hospital, "Observation")) == 10
    (response,) = resources(hospital, "QuestionnaireResponse")
    (total,) = resources(hospital, "Observation?code=44261-6")
    expected = f"QuestionnaireResponse/{response['id']}"
    assert total["derivedFrom"] == [{"reference": expected}]


def test_a_consent_that_ends_by_the_clock_ends_for_the_next_request(service: Service) -> None:
    connection = world.hospital(service.database)
    hospital = service.caller("hospital-a", FHIR, connection)
    person = world.patient(service.database)
    world.link(service.database, person, connection)
    soon = world.now() + timedelta(seconds=2)
    world.consent(service.database, person, connection, [Category.SCORES], end=soon)
    world.respond(service.database, person)
    (total,) = resources(hospital, "Observation")
    while world.now() < soon:
        pass
    assert hospital.get(f"/fhir/Observation/{total['id']}").status_code == 404
    assert resources(hospital, "Observation") == resources(hospital, "Patient") == []


def test_every_request_has_its_audit_row(service: Service, programme: Caller) -> None:
    connection = world.hospital(service.database)
    hospital = service.caller("hospital-a", FHIR, connection)
    person, _ = ready(service, connection)
    requests = [
        (programme, "GET", f"/v1/patients/{person.id}/timeline"),
        (programme, "POST", "/v1/groups"),
        (programme, "DELETE", "/v1/groups"),
        (hospital, "GET", "/v1/groups"),
        (hospital, "GET", "/fhir/Patient"),
        (hospital, "HEAD", "/fhir/Patient"),
        (hospital, "OPTIONS", "/fhir/Patient"),
        (hospital, "GET", "/fhir/Nothing/1"),
        (hospital, "POST", "/fhir/QuestionnaireResponse"),
        (hospital, "POST", "/oauth/token"),
        (hospital, "GET", "/nowhere"),
        (hospital, "GET", "/"),
        (hospital, "GET", "/health"),
        (hospital, "GET", "/fhir/metadata"),
    ]
    ids = {caller(method, path).headers["x-request-id"] for caller, method, path in requests}
    assert len(ids) == len(requests)
    found = {row.request_id: row for row in opened_rows(service.context)}
    assert ids <= set(found)
    about = [row for row in found.values() if row.path == "/fhir/Patient" and row.patients]
    assert person.id.hex in about[0].patients
