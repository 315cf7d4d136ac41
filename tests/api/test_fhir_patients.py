"""A Patient that a hospital sends is taken in; the answer tells nothing of whom we knew."""

import json
import re
from typing import Any

import pytest

from tests import world
from tests.api.clients import Client, condition, observation, person, refused
from tests.api.fhir_endpoint import BASE
from tests.api.served import Served

UNSAID = re.compile(r"[0-9a-f]{32}|\d{4}-\d\d-\d\dT[\d:.]+Z|/[A-Za-z-]+-\d+|urn:mrn:[A-Za-z0-9-]+")
FULL = {
    "identifier": [{"system": "urn:x:mrn", "value": "0042"}],
    "name": [
        {"use": "nickname", "given": ["Addie"]},
        {"use": "official", "family": "Ash", "given": ["Ada", "M"]},
    ],
    "birthDate": "1990",
    "telecom": [{"system": "phone", "value": "555-0100"}, {"system": "email", "value": "a@x.org"}],
    "address": [{"line": ["1 Elm St", "Flat 2"], "city": "Town", "postalCode": "01234"}],
    "deceasedBoolean": False,
    "communication": [{"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "en"}]}}],
}


def test_a_patient_comes_back_as_it_was_sent(sender: Client):
    text = json.dumps(person(**FULL)).replace('"1990"', '"1990" ')
    answer = sender.post(text.encode(), "Patient")
    made = answer.json()
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"{BASE}/Patient/{made['id']}/_history/1"
    assert {k: v for k, v in made.items() if k not in {"id", "meta"}} == json.loads(text)
    assert '"1990" ' not in answer.text  # blanks around a member are not its text
    assert sender.get(f"Patient/{made['id']}").content == answer.content
    for query in ("identifier=urn:x:mrn|0042", "name=ash", "birthdate=1990", "phone=555-0100"):
        assert sender.ids(f"Patient?{query}") == [made["id"]], query


SAID = {"extension": [{"url": "urn:x:y", "valueString": "unknown"}]}


@pytest.mark.parametrize(
    "more",
    [
        {"name": [{"family": "Ash", "given": [None, "M"], "_given": [SAID, None]}]},
        {"address": [{"line": [None], "_line": [SAID]}]},
        {"name": [{"text": "Ada Ash"}]},
        {"name": [{"_family": SAID}]},
        {"name": [{"family": "x" * 20_000}]},
        {"birthDate": "0001-01-01"},
        {"birthDate": "2999-12-31"},
        {"telecom": [{"system": "phone"}], "identifier": [{"value": "1"}, {"system": "urn:x:y"}]},
    ],
)
def test_what_is_odd_but_right_is_taken(sender: Client, more: dict[str, Any]):
    body = person(**more)
    made = sender.made(body)
    assert {k: v for k, v in made.items() if k not in {"id", "meta"}} == body


def test_a_patient_without_anything_is_taken(sender: Client):
    sender.made({"resourceType": "Patient"})


def test_a_hospital_replaces_its_patient(sender: Client):
    patient = sender.made(person())
    changed = {**patient, "birthDate": "1991-05-06", "maritalStatus": {"text": "single"}}
    answer = sender.put(changed, If_Match='W/"1"')
    assert (answer.status_code, answer.headers["etag"]) == (200, 'W/"2"')
    assert answer.json() == {**changed, "meta": answer.json()["meta"]}
    refused(sender.put(changed, If_Match='W/"1"'), 412, "conflict")
    assert sender.get(f"Patient/{patient['id']}/_history/1").json() == patient
    assert sender.ids("Patient?birthdate=1991") == [patient["id"]]


def test_a_patient_is_found_in_its_own_hospital_only(sender: Client, stranger: Client):
    patient = sender.patient(identifier=FULL["identifier"])
    refused(stranger.get(f"Patient/{patient}"), 404)
    assert stranger.ids("Patient?identifier=urn:x:mrn|0042") == []
    refused(stranger.put(person(id=patient)), 404)
    refused(stranger.post(condition(patient)), 400, "not-found")


def test_the_programme_meets_the_person_it_is_sent(served: Served):
    database = served.context.database
    hospital = world.hospital(database, "A")
    client = served.secret("ehr", "system/*.cruds", hospital.id)
    token = served.token("ehr", client, "system/*.cruds")
    number = {"system": hospital.mrn_system, "value": "MRN-7"}
    body = person(**{**FULL, "identifier": [{"system": "urn:x:y", "value": "1"}, number]})
    given = {"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"}
    answer = served.client.post("/fhir/Patient", json=body, headers=given)
    assert answer.status_code == 201, answer.text
    v1 = served.token("desk", served.secret("desk"), "v1.read v1.write")
    desk = {"Authorization": f"Bearer {v1}"}
    (one,) = served.client.get("/v1/patients", headers=desk).json()["items"]
    assert (one["family"], one["given"], one["birth_date"]) == ("Ash", "Ada M", None)
    assert (one["phone"], one["email"]) == ("555-0100", "a@x.org")
    assert (one["line"], one["city"], one["postal_code"]) == ("1 Elm St, Flat 2", "Town", "01234")
    links = served.client.get(f"/v1/patients/{one['id']}/links", headers=desk).json()["items"]
    assert [(each["mrn"], each["method"]) for each in links] == [("MRN-7", "sent")]
    later = {"family": "Oak", "given": "Ada"}
    path = f"/v1/patients/{one['id']}"
    changed = served.client.patch(path, json=later, headers=desk)
    assert changed.status_code == 200, changed.text
    (entry,) = served.client.get("/fhir/Patient", headers=given).json()["entry"]
    assert entry["resource"]["name"] == body["name"]  # the hospital reads what it said


def told(sender: Client, *, known: bool) -> list[str]:
    """What a hospital reads while it sends a person whom the programme knew, or did not."""
    database = sender.endpoint.context.database
    body = person(identifier=[{"system": sender.connection.mrn_system, "value": "MRN-1"}])
    if known:
        someone = world.patient(database, family="Ash", given="Ada")
        circle = world.group(database)
        world.enroll(database, someone, circle)
        world.respond(database, someone)
        world.link(database, someone, sender.connection)
    answers = [sender.post(body)]
    shown = answers[0].json()["id"]
    asked = f"identifier={body['identifier'][0]['system']}|MRN-1"
    answers += [
        sender.post(body, If_None_Exist=asked),
        sender.post(observation(subject={"identifier": body["identifier"][0]})),
        sender.put({**body, "id": shown, "active": True}, If_Match='W/"1"'),
        sender.get(f"Patient?{asked}"),
        sender.get("Patient?name=ash&_total=accurate"),
        sender.get(f"Patient/{shown}/_history"),
        sender.delete(f"Patient/{shown}"),
    ]
    kinds = ("Encounter", "EpisodeOfCare", "Observation", "QuestionnaireResponse", "Group")
    answers += [sender.get(f"{kind}?_total=accurate") for kind in kinds]
    return [_said(answer) for answer in answers]


def _said(answer: Any) -> str:
    kept = {name: answer.headers.get(name) for name in ("etag", "location", "content-type")}
    said = f"{answer.status_code} {kept} {answer.text}"
    return re.sub(r"_cursor=[^\"&]+", "_cursor", UNSAID.sub("...", said))


def test_no_answer_tells_whether_the_programme_knew_the_person(sender: Client, stranger: Client):
    new, known = told(sender, known=False), told(stranger, known=True)
    for first, second in zip(new, known, strict=True):
        assert first == second
