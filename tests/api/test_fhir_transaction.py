import json

import pytest

from service.models.connections import Connection
from tests import world
from tests.api.bundles import (
    MRN,
    PERSON,
    asking,
    entry,
    observation,
    person,
    post,
    references,
    rows,
    statuses,
    transact,
    wrong,
)
from tests.api.fhir_endpoint import BASE, Endpoint
from tests.api.test_fhir_write import response

OTHER = "urn:uuid:8f1d9f0e-0000-4000-8000-000000000002"
BY_NUMBER = f"identifier={MRN}|1"


@pytest.fixture
def hospital(endpoint: Endpoint) -> Connection:
    return world.hospital(endpoint.context.database, "A")


@pytest.fixture
def patient(endpoint: Endpoint, hospital: Connection) -> str:
    """The hospital's Patient, as Patient/id."""
    answer = transact(endpoint, hospital, entry(person()))
    (found,) = references(answer)
    return found


@pytest.fixture
def form(endpoint: Endpoint) -> str:
    url: str = endpoint.resources("Questionnaire?name=phq9")[0]["url"]
    return url


def test_a_chart_is_linked_in_both_directions(endpoint: Endpoint, hospital):
    sent = [
        entry(observation(PERSON, hasMember=[{"reference": OTHER}])),
        entry(observation(PERSON), OTHER),
        entry(person(), PERSON),
    ]
    answer = transact(endpoint, hospital, *sent)
    first, second, ada = references(answer)
    assert (answer.status_code, statuses(answer)) == (200, ["201"] * 3)
    assert answer.json()["type"] == "transaction-response"
    found = endpoint.get(first, hospital).json()
    assert found["subject"] == {"reference": ada}
    assert found["hasMember"] == [{"reference": second}]
    assert set(endpoint.ids(f"Observation?patient={ada}", hospital)) == {
        first.partition("/")[2],
        second.partition("/")[2],
    }


def test_every_address_of_an_entry_is_replaced_and_nothing_else(endpoint: Endpoint, hospital):
    sent = """{"resourceType":"Bundle","type":"transaction","entry":[
      {"fullUrl":"PERSON","request":{"method":"POST","url":"Patient"},"resource":{
        "resourceType":"Patient"}},
      {"request":{"method":"POST","url":"Observation"},"resource":{"resourceType":"Observation",
        "status":"final","code":{"text":"PERSON"},"subject":{"reference" : "PERS\\u004fN"},
        "extension":[{"url":"http://a.example/e","valueUri":"PERSON"},
                     {"url":"http://a.example/e","valueString":"PERSON"},
                     {"url":"http://a.example/e","valueCanonical":"PERSON"}],
        "identifier":[{"system":"urn:ietf:rfc:3986","value":"PERSON"}],
        "text":{"status":"generated","div":
          "<div xmlns=\\"http://www.w3.org/1999/xhtml\\"><a href=\\"PERSON\\">PERSON</a></div>"},
        "valueQuantity":{"value":72.50}}}]}"""
    urn = "urn:uuid:O"
    answer = post(
        endpoint,
        sent.replace("PERSON", urn).replace("PERS\\u004fN", urn[:-1] + "\\u004f"),
        hospital,
    )
    ada, made = references(answer)
    found = endpoint.get(made, hospital)
    body = found.json()
    assert '"value":72.50' in found.text
    assert body["subject"] == {"reference": ada}
    assert [list(each.values())[1] for each in body["extension"]] == [ada, urn, urn]
    assert body["identifier"][0]["value"] == urn
    assert body["code"]["text"] == urn
    assert f'<a href="{ada}">{urn}</a>' in body["text"]["div"]


def test_relative_references_follow_the_address_of_their_entry(endpoint: Endpoint, hospital):
    elsewhere = "https://ehr.example/r4"
    answer = transact(
        endpoint,
        hospital,
        entry(person(), f"{elsewhere}/Patient/7"),
        entry(observation("Patient/7"), f"{elsewhere}/Observation/1"),
        entry(observation(f"{elsewhere}/Patient/7")),
    )
    ada, *made = references(answer)
    assert statuses(answer) == ["201"] * 3, answer.text
    for each in made:
        assert endpoint.get(each, hospital).json()["subject"] == {"reference": ada}
    stray = transact(
        endpoint,
        hospital,
        entry(person("2"), f"{elsewhere}/Patient/7"),
        entry(observation("Patient/7")),
    )
    assert (stray.status_code, wrong(stray)) == (400, {"Bundle.entry[1].resource.subject"})


def test_verbs_are_carried_out_in_the_order_of_the_specification(
    endpoint: Endpoint, hospital, patient
):
    first, second = references(transact(endpoint, hospital, *[entry(observation(patient))] * 2))
    changed = {**observation(patient), "id": second.partition("/")[2], "status": "amended"}
    answer = transact(
        endpoint,
        hospital,
        asking("GET", second),
        entry(changed, method="PUT", url=second),
        entry(observation(patient)),
        asking("DELETE", first),
        asking("GET", f"Observation?patient={patient}&_sort=_id"),
        asking("GET", first),
    )
    assert statuses(answer) == ["200", "200", "201", "204", "200", "410"]
    read, _, made, _, found, gone = answer.json()["entry"]
    assert read["resource"]["status"] == "amended"
    assert read["response"]["etag"] == 'W/"2"'
    assert "resource" not in made
    ids = {each["resource"]["id"] for each in found["resource"]["entry"]}
    assert ids == {changed["id"], references(answer)[2].partition("/")[2]}
    assert gone["response"]["outcome"]["issue"][0]["code"] == "deleted"


def test_each_entry_is_answered_as_its_write_was(endpoint: Endpoint, hospital, patient):
    wanted = {"headers": {"Prefer": "return=representation"}}
    answer = transact(endpoint, hospital, entry(observation(patient)), **wanted)
    (made,) = answer.json()["entry"]
    read = endpoint.get(references(answer)[0], hospital)
    assert made["resource"] == read.json()
    assert made["response"] == {
        "status": "201 Created",
        "location": f"{BASE}/Observation/{read.json()['id']}/_history/1",
        "etag": 'W/"1"',
        "lastModified": read.json()["meta"]["lastUpdated"],
    }
    wanted = {"headers": {"Prefer": "return=OperationOutcome"}}
    (said,) = transact(endpoint, hospital, entry(observation(patient)), **wanted).json()["entry"]
    assert said["response"]["outcome"]["issue"][0]["severity"] == "information"


def test_all_entries_or_none_and_every_failure_is_named(endpoint: Endpoint, hospital, patient):
    before = rows(endpoint)
    broken = {**observation(patient), "status": "done", "code": None}
    del broken["code"]
    answer = transact(
        endpoint,
        hospital,
        entry(person("2"), PERSON),
        entry(broken),
        entry(observation("urn:uuid:nobody")),
        entry(observation(PERSON)),
        asking("DELETE", "Encounter/x/y"),
        entry({"resourceType": "Appointment"}),
        {"resource": person()},
        entry(person("4"), "Patient/4"),
    )
    assert answer.status_code == 400
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert wrong(answer) >= {
        "Bundle.entry[1].resource.status",
        "Bundle.entry[1].resource.code",
        "Bundle.entry[2].resource.subject",
        "Bundle.entry[4].request.url",
        "Bundle.entry[6].request",
        "Bundle.entry[7].fullUrl",
    }
    assert not any("entry[0]" in place or "entry[3]" in place for place in wrong(answer))
    assert rows(endpoint) == before


def test_what_fails_within_takes_everything_with_it(endpoint: Endpoint, hospital, patient, form):
    before = rows(endpoint)
    answer = transact(
        endpoint,
        hospital,
        entry(person("2"), PERSON),
        entry(response(form, "x") | {"subject": {"reference": PERSON}}),
        entry(observation(f"Patient/{'0' * 32}")),
        entry(observation(patient, encounter={"reference": f"Encounter/{'1' * 32}"})),
        asking("DELETE", f"Observation/{'2' * 32}"),
    )
    assert wrong(answer) == {
        "Bundle.entry[2].resource.subject",
        "Bundle.entry[3].resource.encounter",
        "Bundle.entry[4]",
    }
    assert [issue["code"] for issue in answer.json()["issue"]] == ["not-found"] * 3
    assert rows(endpoint) == before
    assert endpoint.audited()[:3] == ("POST", "/fhir", 400)


def test_a_single_kind_of_failure_gives_the_status(endpoint: Endpoint, hospital, patient):
    (made,) = references(transact(endpoint, hospital, entry(observation(patient))))
    changed = {**observation(patient), "id": made.partition("/")[2]}
    stale = transact(endpoint, hospital, entry(changed, method="PUT", url=made, ifMatch='W/"7"'))
    assert (stale.status_code, wrong(stale)) == (412, {"Bundle.entry[0].request.ifMatch"})
    right = transact(endpoint, hospital, entry(changed, method="PUT", url=made, ifMatch='W/"1"'))
    assert statuses(right) == ["200"]
    missing = transact(endpoint, hospital, asking("DELETE", f"Observation/{'2' * 32}"))
    assert missing.status_code == 404


def test_an_id_of_the_clients_own_is_made_and_linked(endpoint: Endpoint, hospital, patient):
    condition = {"resourceType": "Condition", "id": "c-1", "subject": {"reference": patient}}
    link = {"reference": "Condition/c-1"}
    sent = [
        entry(observation(patient, focus=[link])),
        entry(condition, method="PUT", url="Condition/c-1"),
    ]
    answer = transact(endpoint, hospital, *sent)
    assert statuses(answer) == ["201", "201"], answer.text
    assert references(answer)[1] == "Condition/c-1"
    assert endpoint.get(references(answer)[0], hospital).json()["focus"] == [link]
    gone = transact(
        endpoint,
        hospital,
        asking("DELETE", "Condition/c-1"),
        entry(observation(patient, focus=[link])),
    )
    assert gone.status_code == 409
    assert endpoint.get("Condition/c-1", hospital).status_code == 200


def test_provenance_follows_what_it_targets(endpoint: Endpoint, hospital, patient):
    provenance = {
        "resourceType": "Provenance",
        "target": [{"reference": OTHER}],
        "recorded": "2026-03-01T10:00:00Z",
        "agent": [{"who": {"display": "A nurse"}}],
    }
    answer = transact(endpoint, hospital, entry(provenance), entry(observation(patient), OTHER))
    assert statuses(answer) == ["201", "201"], answer.text
    endpoint.get(references(answer)[0], hospital)
    (about,) = json.loads(endpoint.audited()[3])
    endpoint.get(patient, hospital)
    assert json.loads(endpoint.audited()[3]) == [about]
