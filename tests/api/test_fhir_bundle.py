import json

import pytest

from service.models.connections import Connection
from tests import world
from tests.api.bundles import (
    MRN,
    PERSON,
    asking,
    bundle,
    entry,
    observation,
    person,
    post,
    references,
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


def test_each_entry_takes_its_own_scope(endpoint: Endpoint, hospital, patient):
    token = endpoint.token(hospital, "system/Observation.c system/Patient.r")
    both = [entry(observation(patient)), entry(person("2"))]
    answer = transact(endpoint, hospital, *both, token=token)
    assert (answer.status_code, answer.json()["issue"][0]["code"]) == (403, "forbidden")
    mixed = post(
        endpoint,
        bundle("batch", *both, asking("GET", patient), asking("GET", "Condition")),
        hospital,
        token=token,
    )
    assert statuses(mixed) == ["201", "403", "200", "403"]
    roster = endpoint.token(hospital, roster_role=False)
    group = {"resourceType": "Group", "type": "person", "actual": True}
    assert transact(endpoint, hospital, entry(group), token=roster).status_code == 403


def test_another_hospital_finds_nothing(endpoint: Endpoint, hospital, patient):
    (made,) = references(transact(endpoint, hospital, entry(observation(patient))))
    other = world.hospital(endpoint.context.database, "B")
    changed = {**observation(patient), "id": made.partition("/")[2]}
    answers = [
        transact(endpoint, other, entry(observation(patient))),
        transact(endpoint, other, entry(observation(f"Patient?{BY_NUMBER}"))),
        transact(endpoint, other, entry(changed, method="PUT", url=made)),
        transact(endpoint, other, asking("DELETE", made)),
    ]
    assert [each.status_code for each in answers] == [400, 422, 404, 404]
    kept = transact(endpoint, other, entry(person(), ifNoneExist=BY_NUMBER))
    assert statuses(kept) == ["201"]
    assert statuses(transact(endpoint, other, asking("GET", made))) == ["404"]


def test_an_alert_is_said_whatever_was_preferred(endpoint: Endpoint, hospital, patient, form):
    number = patient.partition("/")[2]
    entries = [entry(response(form, number, item9=1)), entry(response(form, number))]
    for prefer in ("minimal", "representation", "OperationOutcome"):
        answer = transact(endpoint, hospital, *entries, headers={"Prefer": f"return={prefer}"})
        alarmed, calm = answer.json()["entry"]
        (issue,) = alarmed["response"]["outcome"]["issue"]
        assert issue["details"]["text"] == endpoint.context.settings.crisis_text
        assert ("resource" in alarmed) is (prefer == "representation")
        assert ("outcome" in calm["response"]) is (prefer == "OperationOutcome")
    flags = endpoint.ids(f"Flag?patient={patient}", hospital)
    scores = endpoint.ids(f"Observation?patient={patient}&code=44261-6", hospital)
    assert (len(flags), len(scores)) == (1, 6)  # the same answers again raise nothing again


def test_the_audit_row_names_every_patient(endpoint: Endpoint, hospital):
    answer = transact(
        endpoint,
        hospital,
        entry(person("1"), PERSON),
        entry(person("2"), OTHER),
        entry(observation(PERSON)),
    )
    method, path, status, patients = endpoint.audited()
    assert (method, path, status, len(json.loads(patients))) == ("POST", "/fhir", 200, 2)
    post(endpoint, bundle("batch", asking("GET", references(answer)[1])), hospital)
    assert len(json.loads(endpoint.audited()[3])) == 1


def test_a_batch_answers_each_entry_for_itself(endpoint: Endpoint, hospital, patient):
    answer = post(
        endpoint,
        bundle(
            "batch",
            entry(observation(patient)),
            entry(observation("urn:uuid:of-another-entry")),
            {"request": {"method": "POST", "url": "Observation"}},
            asking("GET", f"Observation?patient={patient}"),
            asking("GET", "Patient/nobody"),
            asking("GET", patient, ifNoneMatch='W/"1"'),
            asking("HEAD", patient),
            asking("GET", f"{patient}/_history"),
            asking("GET", f"{BASE}/{patient}"),
            asking("GET", "metadata"),
            asking("GET", "../v1/patients"),
            asking("POST", "Observation/_search"),
            asking("LINK", patient),
        ),
        hospital,
    )
    assert (answer.status_code, answer.json()["type"]) == (200, "batch-response")
    assert statuses(answer) == [
        "201", "400", "400", "200", "404", "304", "200", "200", "200", "200", "404", "400", "400",
    ]  # fmt: skip
    entries = answer.json()["entry"]
    assert entries[1]["response"]["outcome"]["issue"][0]["expression"] == [
        "Bundle.entry[1].resource.subject"
    ]
    assert len(entries[3]["resource"]["entry"]) == 1
    assert "resource" not in entries[6]
    assert entries[9]["resource"]["resourceType"] == "CapabilityStatement"


@pytest.mark.parametrize(
    ("body", "status", "place"),
    [
        ("{", 400, "Resource"),
        ('{"resourceType":"Patient"}', 400, "resourceType"),
        ('{"resourceType":"Bundle","type":"searchset"}', 400, "Bundle.type"),
        ('{"resourceType":"Bundle","type":["batch"]}', 400, "Bundle.type"),
        ('{"resourceType":"Bundle","type":"batch","entry":{}}', 400, "Bundle.entry"),
        ('{"resourceType":"Bundle","type":"batch","entry":[]}', 400, "Bundle.entry"),
        ('{"resourceType":"Bundle","type":"batch","colour":1}', 400, "Bundle.colour"),
        ('{"resourceType":"Bundle","type":"transaction","entry":[7]}', 400, "Bundle.entry[0]"),
        (
            '{"resourceType":"Bundle","type":"batch","entry":[{"resource":{"a":1,"a":2}}]}',
            400,
            "Bundle.entry[0].resource.a",
        ),
        (
            '{"resourceType":"Bundle","type":"transaction","entry":[{"resource":7}]}',
            400,
            "Bundle.entry[0].resource",
        ),
        (
            '{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"url":7}}]}',
            400,
            "Bundle.entry[0].request.url",
        ),
    ],
)
def test_a_bundle_is_a_batch_or_a_transaction(endpoint: Endpoint, hospital, body, status, place):
    answer = post(endpoint, body, hospital)
    assert answer.status_code == status
    assert place in wrong(answer)


def test_an_empty_bundle_is_answered(endpoint: Endpoint, hospital):
    answer = post(endpoint, {"resourceType": "Bundle", "type": "transaction"}, hospital)
    assert answer.json() == {"resourceType": "Bundle", "type": "transaction-response"}


def test_a_bundle_has_a_fair_size(endpoint: Endpoint, hospital, patient):
    thousand = [entry(observation(patient)) for _ in range(1000)]
    answer = transact(endpoint, hospital, *thousand)
    assert (answer.status_code, statuses(answer)) == (200, ["201"] * 1000)
    more = transact(endpoint, hospital, *thousand, thousand[0])
    assert (more.status_code, wrong(more)) == (422, {"Bundle.entry"})
    assert len(endpoint.ids("Observation?_count=200", hospital)) == 1000
    long = post(endpoint, " " * 20_000_001, hospital)
    assert (long.status_code, long.json()["issue"][0]["code"]) == (413, "too-long")


def test_a_bundle_of_many_bytes_is_taken(endpoint: Endpoint, hospital, patient):
    note = "x" * 950_000
    sent = [entry(observation(patient, note=[{"text": note}])) for _ in range(20)]
    assert statuses(transact(endpoint, hospital, *sent)) == ["201"] * 20


def test_a_bundle_comes_as_json_with_a_token(endpoint: Endpoint, hospital):
    text_body = {"headers": {"Content-Type": "text/plain"}}
    assert post(endpoint, bundle("batch"), hospital, **text_body).status_code == 415
    nobody = endpoint.client.post(f"{endpoint.client.base_url}/fhir", json=bundle("batch"))
    assert nobody.status_code == 401
