"""Resources of clients are kept as they were sent, and said to be theirs."""

import json
import logging

import orjson
import pytest

from service.models.connections import Confidentiality
from tests.api.clients import (
    FHIR,
    V3,
    Client,
    condition,
    encounter,
    group,
    observation,
    person,
    refused,
)
from tests.api.fhir_endpoint import BASE

LABELLED = {"security": [{"system": V3, "code": "R"}]}


def test_what_is_created_comes_back_as_it_was_sent(sender: Client):
    patient = sender.patient()
    body = observation(patient, extension=[{"url": "urn:x:y", "valueString": "  spaced "}])
    text = json.dumps(body).replace('"value": 72', '"value": 72.500')
    answer = sender.post(text.encode(), "Observation")
    made = answer.json()
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"{BASE}/Observation/{made['id']}/_history/1"
    assert (answer.headers["etag"], answer.headers["content-type"]) == ('W/"1"', FHIR)
    assert '"value": 72.500' in answer.text
    assert {k: v for k, v in made.items() if k not in {"id", "meta"}} == json.loads(text)
    for path in (f"Observation/{made['id']}", answer.headers["location"]):
        assert sender.get(path).content == answer.content
    assert sender.resources(f"Observation?patient={patient}") == [made]


def test_nobody_creates_without_a_token_or_its_scope(sender: Client, stranger: Client):
    patient = sender.patient()
    body = observation(patient)
    url, given = f"{BASE}/Observation", {"Content-Type": FHIR}
    assert sender.endpoint.client.post(url, json=body, headers=given).status_code == 401
    for scope in ("system/Observation.ruds", "system/Condition.c", "system/*.rs"):
        refused(sender.limited(scope).post(body), 403, "forbidden")
    assert sender.limited("system/Observation.c").post(body).status_code == 201
    refused(stranger.post(body), 400, "not-found", "Observation.subject")
    assert stranger.ids("Observation") == []


def test_version_time_and_id_are_ours_and_the_rest_of_meta_is_the_senders(sender: Client):
    tag = {"system": "urn:x:tags", "code": "checked"}
    said = {
        "versionId": "99",
        "lastUpdated": "2001-01-01T00:00:00Z",
        "source": "urn:x:lab",
        "profile": ["http://example.org/StructureDefinition/pulse"],
        "tag": [tag],
        "security": [{"system": "urn:x:labels", "code": "PSY"}],
    }
    made = sender.made({**observation(sender.patient()), "id": "mine", "meta": said})
    meta = made["meta"]
    assert (made["id"] == "mine", meta["versionId"]) == (False, "1")
    assert meta["lastUpdated"] > "2026"
    assert {k: meta[k] for k in ("source", "profile", "tag")} == {
        k: said[k] for k in ("source", "profile", "tag")
    }
    assert meta["security"] == [{"system": V3, "code": "N"}, *said["security"]]
    for query in (
        "_tag=urn:x:tags|checked",
        "_source=urn:x:lab",
        "_profile=http://example.org/StructureDefinition/pulse",
        "_security=urn:x:labels|PSY",
    ):
        assert sender.ids(f"Observation?{query}") == [made["id"]], query


def test_a_client_sends_no_label_above_its_own_ceiling(sender: Client):
    patient = sender.patient()
    plain = sender.limited(ceiling=Confidentiality.NORMAL)
    body = {"resourceType": "Location", "name": "Ward", "meta": LABELLED}
    refused(plain.post(body), 403, "forbidden")
    labelled = sender.made({**condition(patient), "meta": LABELLED})
    assert labelled["meta"]["security"] == LABELLED["security"]
    refused(plain.get(f"Condition/{labelled['id']}"), 404)
    refused(plain.post({**observation(), "subject": {"reference": f"Patient/{patient}"}}), 400)
    assert plain.ids("Condition") == []


def test_the_caller_chooses_what_a_create_answers(sender: Client):
    body = observation(sender.patient())
    minimal = sender.post(body, Prefer="return=minimal")
    told = sender.post(body, Prefer="return=OperationOutcome")
    whole = sender.post(body, Prefer="return=representation")
    assert (minimal.status_code, minimal.content) == (201, b"")
    assert minimal.headers["location"]
    assert minimal.headers["etag"] == 'W/"1"'
    assert told.json()["resourceType"] == "OperationOutcome"
    assert told.json()["issue"][0]["severity"] == "information"
    assert whole.json()["resourceType"] == "Observation"


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{", FHIR, 400),
        (b"[]", FHIR, 400),
        (b'{"resourceType":"Condition"}', FHIR, 400),
        (b'{"resourceType":"Observation","resourceType":"Observation"}', FHIR, 400),
        (b"{}", "application/fhir+xml", 415),
        (b"{}", "text/plain", 415),
        (b" " * 1_000_001, FHIR, 413),
    ],
)
def test_a_body_is_json_of_the_type_and_of_a_fair_size(sender: Client, content, kind, status):
    refused(sender("POST", "Observation", content, Content_Type=kind), status)


@pytest.mark.parametrize("name", ["Questionnaire", "HealthcareService", "Flag", "Appointment"])
def test_types_of_the_programme_name_their_owner(sender: Client, programme: Client, name: str):
    for client in (sender, programme):
        for answer in (client.post({"resourceType": name}), client.delete(f"{name}/x")):
            assert "`programme`" in refused(answer, 403, "forbidden")["diagnostics"]


def test_a_type_that_is_not_served_is_not_found(sender: Client):
    refused(sender.post({"resourceType": "Device"}), 404, "not-found")


def test_references_lead_to_something_that_the_sender_sees(sender: Client, stranger: Client):
    patient, theirs = sender.patient(), stranger.patient()
    gone = sender.made(encounter(patient))["id"]
    assert sender.delete(f"Encounter/{gone}").status_code == 204
    here = sender.made(encounter(patient))["id"]
    where = "Observation.encounter"
    for wrong in (gone, "none", "0" * 32, stranger.made(encounter(theirs))["id"]):
        body = observation(patient, encounter={"reference": f"Encounter/{wrong}"})
        issue = refused(sender.post(body), 400, "not-found", where)
        assert issue["diagnostics"] == "there is no Encounter with this id"
    for right in (
        f"Encounter/{here}",
        f"Encounter/{here}/_history/1",
        f"{BASE}/Encounter/{here}",
        "https://elsewhere.example/fhir/Encounter/1",
    ):
        sender.made(observation(patient, encounter={"reference": right}))
    assert len(sender.ids(f"Observation?encounter=Encounter/{here}")) == 3


@pytest.mark.parametrize("text", ["Encounter", "Encounter/a b", "../Patient/1", "/Encounter/1"])
def test_what_is_no_address_is_refused(sender: Client, text: str):
    body = observation(encounter={"reference": text})
    refused(sender.post(body), 400, "value", "Observation.encounter")


def test_a_reference_leads_to_a_type_that_the_element_allows(sender: Client):
    patient = sender.patient()
    body = observation(patient, encounter={"reference": f"Patient/{patient}"})
    issue = refused(sender.post(body), 400)
    assert issue["expression"][0].startswith("Observation.encounter")


def test_every_reference_is_checked_wherever_it_stands(sender: Client):
    bad = {"reference": "Practitioner/none"}
    body = observation(
        sender.patient(),
        note=[{"authorReference": bad, "text": "x"}],
        extension=[{"url": "urn:x:y", "valueReference": bad}],
    )
    answer = sender.post(body)
    refused(answer, 400, "not-found")
    assert {issue["expression"][0] for issue in answer.json()["issue"]} == {
        "Observation.note[0].authorReference",
        "Observation.extension[0].valueReference",
    }


def test_urn_uuid_leads_into_a_transaction_only(sender: Client):
    urn = "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"
    body = observation(subject={"reference": urn})
    refused(sender.post(body), 400, "not-found", "Observation.subject")


def test_a_subject_may_be_named_by_an_identifier_of_the_senders_own_patient(
    sender: Client, stranger: Client
):
    identifier = {"system": "urn:x:mrn", "value": "M 1/2"}
    patient = sender.patient(identifier=[identifier])
    body = observation(subject={"identifier": identifier})
    made = sender.made(body)
    assert made["subject"] == {"identifier": identifier}
    assert sender.ids(f"Observation?patient={patient}") == [made["id"]]
    where = "Observation.subject.identifier"
    nobody = refused(stranger.post(body), 400, "invalid", where)
    unknown = {**body, "subject": {"identifier": {**identifier, "value": "M2"}}}
    assert refused(sender.post(unknown), 400, "invalid", where) == nobody
    sender.patient(identifier=[identifier])
    assert "more than one" in refused(sender.post(body), 400, "invalid", where)["diagnostics"]


def test_a_long_identifier_names_a_subject_too(sender: Client):
    identifier = {"system": "urn:x:" + "y" * 400, "value": "z" * 400}
    patient = sender.patient(identifier=[identifier])
    made = sender.made(observation(subject={"identifier": identifier}))
    assert sender.ids(f"Observation?patient={patient}") == [made["id"]]


def test_a_group_holds_patients_of_its_sender_and_takes_the_roster_role(
    sender: Client, stranger: Client
):
    mine, theirs = [sender.patient(), sender.patient()], stranger.patient()
    without = sender.limited(roster_role=False)
    assert "roster role" in refused(without.post(group(mine)), 403, "forbidden")["diagnostics"]
    refused(sender.post(group([*mine, theirs])), 400, "not-found", "Group.member[2].entity")
    made = sender.made(group(mine))
    assert sender.ids("Group") == [made["id"]]
    refused(without.get(f"Group/{made['id']}"), 403)
    refused(stranger.get(f"Group/{made['id']}"), 404)
    assert sender.get(f"Group/{made['id']}").json() == made
    assert len(orjson.loads(sender.endpoint.audited()[3])) == 2


def test_a_group_is_of_nobody_or_of_its_senders_own_patients(sender: Client):
    patients = [sender.patient() for _ in range(3)]
    members = [
        {"entity": {"reference": f"{BASE}/Patient/{patients[0]}"}},
        {"entity": {"reference": f"Patient/{patients[1]}/_history/1"}},
    ]
    empty = {"resourceType": "Group", "type": "person", "actual": True}
    made = [sender.made(empty), sender.made({**empty, "member": members})]
    assert sender.resources("Group?_sort=_lastUpdated") == made
    assert len(orjson.loads(sender.endpoint.audited()[3])) == 2
    assert sender.get(f"Group/{made[0]['id']}").json() == made[0]
    nurse = sender.made({"resourceType": "Practitioner", "name": [{"family": "Nurse"}]})
    for entity in (
        {"reference": f"https://elsewhere.example/fhir/Patient/{patients[2]}x"},
        {"reference": f"Practitioner/{nurse['id']}"},
        {"display": "somebody"},
    ):
        body = {**empty, "member": [{"entity": entity}]}
        refused(sender.post(body), 400, "business-rule", "Group.member[0].entity")
        refused(sender.put({**body, "id": made[0]["id"]}), 400, "business-rule")


def test_the_programme_creates_in_its_own_audience(programme: Client, sender: Client):
    made = programme.made({"resourceType": "Location", "name": "Annexe"})
    assert programme.get(f"Location/{made['id']}").status_code == 200
    refused(sender.get(f"Location/{made['id']}"), 404)


def test_the_audit_row_names_the_patient_of_a_write(sender: Client):
    patient = sender.patient()
    key = sender.endpoint.audited()[3]
    assert len(orjson.loads(key)) == 1
    created = sender.made(condition(patient))
    path = f"/fhir/Condition/{created['id']}"
    assert sender.endpoint.audited() == ("POST", "/fhir/Condition", 201, key)
    sender.put({**condition(patient), "id": created["id"], "recordedDate": "2026-01-02"})
    assert sender.endpoint.audited() == ("PUT", path, 200, key)
    sender.patch(path[6:], {"op": "add", "path": "/onsetString", "value": "long ago"})
    assert sender.endpoint.audited() == ("PATCH", path, 200, key)
    sender.delete(path[6:])
    assert sender.endpoint.audited() == ("DELETE", path, 204, key)
    sender.post(person(gender="unknowable"))
    assert sender.endpoint.audited() == ("POST", "/fhir/Patient", 400, None)


def test_no_name_and_no_answer_is_logged(sender: Client, caplog: pytest.LogCaptureFixture):
    said = ("Zebediah", "Quillfeather", "1931-07-08", "secret note", "M-99887766")
    caplog.set_level(logging.DEBUG)
    name = [{"family": said[1], "given": [said[0]]}]
    number = [{"system": "urn:x:mrn", "value": said[4]}]
    patient = sender.patient(name=name, identifier=number, birthDate=said[2])
    sender.post(observation(patient, note=[{"text": said[3]}], status=said[3]))
    sender.post(
        observation(patient, note=[{"text": said[3]}]), If_None_Exist=f"identifier={said[4]}"
    )
    sender.patch(f"Patient/{patient}", {"op": "test", "path": "/birthDate", "value": said[2][:4]})
    sender.post({**person(name=name), "gender": said[3], "birthDate": f"{said[2]}T"})
    assert caplog.records
    for record in caplog.records:
        text = record.getMessage() + str(record.exc_info or "")
        assert not [each for each in said if each in text], record.name
