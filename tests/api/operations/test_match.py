"""Patient/$match."""

import orjson
import pytest

from service.models.connections import Confidentiality
from tests import world
from tests.api.fhir_endpoint import BASE
from tests.api.operations.conftest import refused

GRADE = "http://hl7.org/fhir/StructureDefinition/match-grade"
NAME = [{"family": "RIVERA", "given": ["ana"]}]
ANA = {"resourceType": "Patient", "name": NAME, "birthDate": "1980-02-03"}


def matched(scene, patient, *given, **more):
    answer = scene.parameters("Patient/$match", ("resource", "resource", patient), *given, **more)
    assert answer.status_code == 200, answer.text
    return [
        (e["resource"]["id"], e["search"]["extension"][0]["valueCode"], e["search"]["score"])
        for e in answer.json().get("entry", [])
    ]


def own(scene):
    return scene.endpoint.get(f"Patient/{scene.id}", scene.a).json()


def test_a_person_is_graded_by_what_is_known(scene):
    record = own(scene)
    assert matched(scene, ANA) == [(scene.id, "probable", 0.45)]
    assert matched(scene, {"resourceType": "Patient", "name": NAME}) == [
        (scene.id, "possible", 0.25)
    ]
    everything = {"resourceType": "Patient", **{
        k: record[k] for k in ("identifier", "name", "birthDate", "telecom", "gender", "address")
    }}  # fmt: skip
    assert matched(scene, everything) == [(scene.id, "certain", 1.0)]


def test_the_grade_is_an_extension_of_the_entry(scene):
    answer = scene.parameters("Patient/$match", ("resource", "resource", ANA)).json()
    (entry,) = answer["entry"]
    assert entry["search"]["mode"] == "match"
    assert entry["search"]["extension"] == [{"url": GRADE, "valueCode": "probable"}]
    assert answer["total"] == 1
    assert "link" not in answer  # an array must not be empty


def test_who_has_the_number_and_nothing_else_in_common_is_said_to_be_another(scene):
    number = own(scene)["identifier"]
    name = [{"family": "Okafor", "given": ["Ben"]}]
    other = {"resourceType": "Patient", "identifier": number, "name": name,
             "gender": "male", "birthDate": "1950-01-01"}  # fmt: skip
    assert matched(scene, other) == [(scene.id, "certainly-not", 0.05)]


def test_only_one_certain_match_is_answered_where_that_is_asked(scene):
    certain = ("onlyCertainMatches", "Boolean", True)
    assert matched(scene, ANA, certain) == []
    assert matched(scene, {**ANA, "identifier": own(scene)["identifier"]}, certain)


def test_no_more_are_answered_than_asked_for(scene):
    database = scene.endpoint.context.database
    twin = world.patient(database, family="Rivera", given="Ana")
    world.link(database, twin, scene.a)
    world.consent(database, twin, scene.a)
    assert len(matched(scene, ANA)) == 2
    assert matched(scene, ANA, ("count", "Integer", 1)) == [(scene.id, "probable", 0.45)]


def test_nobody_of_another_hospital_is_found(scene):
    assert matched(scene, ANA, caller=scene.b) == []


def test_nobody_above_the_ceiling_is_found(scene):
    token = scene.endpoint.token(scene.a, ceiling=Confidentiality.NORMAL)
    assert matched(scene, ANA, token=token) == []


def test_the_patient_may_be_the_body_itself(scene):
    answer = scene.endpoint.request("POST", "Patient/$match", scene.a, json=ANA)
    assert [e["resource"]["id"] for e in answer.json()["entry"]] == [scene.id]


def test_the_audit_row_names_whom_it_found(scene):
    matched(scene, ANA)
    method, where, status, patients = scene.endpoint.audited()
    assert (method, where, status) == ("POST", "/fhir/Patient/$match", 200)
    assert orjson.loads(patients) == [scene.person.id.hex]


def test_it_takes_a_token_that_may_search_patients(scene):
    anonymous = scene.endpoint.client.post(f"{BASE}/Patient/$match", json=ANA)
    assert refused(anonymous, 401, "login")
    token = scene.endpoint.token(scene.a, "system/Patient.r")
    answer = scene.endpoint.request("POST", "Patient/$match", token=token, json=ANA)
    assert refused(answer, 403, "forbidden")
    assert refused(scene.endpoint.get("Patient/$match", scene.a), 405, "not-supported")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"resourceType": "Patient", "gender": "female"}, "invalid"),
        ({"resourceType": "Patient", "birthDate": "soon"}, "value"),
        ({"resourceType": "Observation"}, "invalid"),
        ({"resourceType": "Parameters"}, "required"),
        ({"resourceType": "Parameters", "parameter": {}}, "invalid"),
        ({"resourceType": "Parameters", "parameter": [{"valueString": "x"}]}, "invalid"),
        ({"resourceType": "Parameters", "parameter": [{"name": "count"}]}, "invalid"),
    ],
)
def test_too_little_or_something_else_is_refused(scene, body, code):
    answer = scene.endpoint.request("POST", "Patient/$match", scene.a, json=body)
    assert refused(answer, 400, code)


def test_a_body_that_is_not_json_is_refused(scene):
    headers = {"Content-Type": "application/fhir+json"}
    answer = scene.endpoint.request(
        "POST", "Patient/$match", scene.a, content=b"{", headers=headers
    )
    assert refused(answer, 400, "structure")
    text = {"Content-Type": "text/plain"}
    answer = scene.endpoint.request("POST", "Patient/$match", scene.a, content=b"{}", headers=text)
    assert refused(answer, 415, "not-supported")
