"""JSON Patch on resources (RFC 6902): what is not named keeps the text it was sent with.

https://www.rfc-editor.org/rfc/rfc6902
"""

import json
import time
from typing import Any

import pytest

from tests import world
from tests.api.clients import Client, condition, observation, person, refused, replaced
from tests.api.fhir_endpoint import BASE


@pytest.fixture
def pulse(sender: Client) -> str:
    """The path of an Observation whose numbers say more than their value."""
    text = json.dumps(observation(sender.patient())).replace('"value": 72', '"value": 72.50')
    return "Observation/" + str(sender.post(text.encode(), "Observation").json()["id"])


def test_a_patch_changes_what_it_names(sender: Client, pulse: str):
    before = sender.get(pulse)
    answer = sender.patch(pulse, replaced("/status", "amended"))
    assert (answer.status_code, answer.headers["etag"]) == (200, 'W/"2"')
    assert answer.json() == {**before.json(), "status": "amended", "meta": answer.json()["meta"]}
    assert '"value": 72.50' in answer.text
    assert sender.get(pulse).content == answer.content
    assert sender.ids("Observation?status=amended") == [answer.json()["id"]]


def test_a_number_beside_the_one_that_changes_keeps_its_text(sender: Client, pulse: str):
    answer = sender.patch(pulse, {"op": "add", "path": "/valueQuantity/unit", "value": "beats"})
    assert '"value":72.50' in answer.text


def test_another_text_of_the_same_number_is_a_change(sender: Client, pulse: str):
    body = b'[{"op":"replace","path":"/valueQuantity/value","value":72.5}]'
    answer = sender("PATCH", pulse, body)
    assert (answer.headers["etag"], '"value":72.5}' in answer.text) == ('W/"2"', True)


def test_one_is_not_true(sender: Client):
    body = person(deceasedBoolean=True)
    path = f"Patient/{sender.made(body)['id']}"
    issue = refused(sender.patch(path, replaced("/deceasedBoolean", 1)), 400)
    assert issue["expression"][0].startswith("Patient.deceased")


def test_every_operation_is_carried_out_in_order(sender: Client, pulse: str):
    answer = sender.patch(
        pulse,
        {"op": "test", "path": "/status", "value": "final"},
        {"op": "add", "path": "/note", "value": [{"text": "b"}]},
        {"op": "add", "path": "/note/0", "value": {"text": "a"}},
        {"op": "copy", "from": "/note/0", "path": "/note/-"},
        {"op": "move", "from": "/valueQuantity/value", "path": "/valueQuantity/value"},
        {"op": "remove", "path": "/note/1"},
        {"op": "test", "path": "/note", "value": [{"text": "a"}, {"text": "a"}]},
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["note"] == [{"text": "a"}, {"text": "a"}]


def test_a_patch_that_changes_nothing_makes_no_version(sender: Client, pulse: str):
    for operations in ((), (replaced("/status", "final"),)):
        assert sender.patch(pulse, *operations).headers["etag"] == 'W/"1"'


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/status", "value": "amended"},
        {"op": "test", "path": "/nothing", "value": 1},
        {"op": "replace", "path": "/nothing", "value": 1},
        {"op": "remove", "path": "/code/coding/0"},
        {"op": "remove", "path": ""},
        {"op": "replace", "path": "", "value": [1]},
        {"op": "add", "path": "/status/x", "value": 1},
        {"op": "add", "path": "/code/coding/99", "value": {}},
        {"op": "move", "from": "/nothing", "path": "/code"},
        {"op": "move", "from": "/code", "path": "/code/text"},
        {"op": "copy", "path": "/code"},
        {"op": "copy", "from": 3, "path": "/code"},
        {"op": "replace", "path": "/status", "value": None},
        {"op": "replace", "path": "/id", "value": "other"},
        {"op": "remove", "path": "/id"},
    ],
)
def test_what_cannot_be_applied_is_refused(sender: Client, pulse: str, operation: dict[str, Any]):
    refused(sender.patch(pulse, operation), 422, "business-rule")
    assert sender.get(pulse).headers["etag"] == 'W/"1"'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[1]",
        b"[",
        b'[],"x":1',
        b'[{"op":"frobnicate","path":"/status"}]',
        b'[{"path":"/status"}]',
        b'[{"op":"replace","path":"status","value":1}]',
        b'[{"op":"replace","path":"/~2","value":1}]',
        b'[{"op":"replace","path":3,"value":1}]',
        b'[{"op":"replace","op":"add","path":"/status","value":1}]',
        b"[" + b'{"op":"remove","path":"/note/0"},' * 1000 + b'{"op":"remove","path":"/note"}]',
        b'[{"op":"add","path":"/code","value":' + b"[" * 70 + b"]" * 70 + b"}]",
    ],
)
def test_what_is_no_patch_is_refused(sender: Client, pulse: str, body: bytes):
    refused(sender("PATCH", pulse, body), 400, "invalid")


def test_a_patched_resource_is_checked_as_any_other(sender: Client, pulse: str):
    refused(sender.patch(pulse, replaced("/status", "done")), 400, "code-invalid")
    refused(sender.patch(pulse, {"op": "remove", "path": "/status"}), 400)
    refused(sender.patch(pulse, replaced("/resourceType", "Patient")), 400, "", "resourceType")
    lost = {"op": "add", "path": "/encounter", "value": {"reference": "Encounter/none"}}
    refused(sender.patch(pulse, lost), 400, "not-found", "Observation.encounter")
    other = replaced("/subject/reference", f"Patient/{sender.patient()}")
    refused(sender.patch(pulse, other), 422, "business-rule", "Observation.subject")


def test_copies_of_copies_end(sender: Client, pulse: str):
    grow = [{"op": "copy", "from": "/note", "path": "/note/-"}] * 999
    deepen = [{"op": "copy", "from": "/code", "path": "/code" + "/x" * 2**n} for n in range(9)]
    long = {"op": "add", "path": "/note", "value": [{"text": "x" * 898_000}]}
    started = time.process_time()
    for operations in (
        [{"op": "add", "path": "/note", "value": []}, *grow],
        [{"op": "copy", "from": "/code", "path": "/code/x"}, *deepen],
        [long, *[{"op": "copy", "from": "/note/0", "path": "/note/-"}] * 900],
    ):
        refused(sender.patch(pulse, *operations), 422, "business-rule")
    assert time.process_time() - started < 5  # of CPU, threads beside it included


def test_a_patched_resource_is_of_a_fair_size(sender: Client, pulse: str):
    add = {"op": "add", "path": "/note", "value": [{"text": "x" * 600_000}]}
    assert sender.patch(pulse, add).status_code == 200
    more = {"op": "add", "path": "/note/-", "value": {"text": "x" * 600_000}}
    refused(sender.patch(pulse, more), 422, "business-rule")


def test_a_patch_says_that_it_is_one(sender: Client, pulse: str):
    body = b'[{"op":"replace","path":"/status","value":"amended"}]'
    for kind in ("application/fhir+json", "application/json", "application/fhir+xml", ""):
        refused(sender("PATCH", pulse, body, Content_Type=kind), 415, "not-supported")
    assert sender.endpoint.client.patch(f"{BASE}/{pulse}").status_code == 401


def test_a_patch_is_of_the_version_that_its_client_saw(sender: Client, pulse: str):
    assert sender.patch(pulse, replaced("/status", "amended"), If_Match='W/"1"').status_code == 200
    late = sender.patch(pulse, replaced("/status", "final"), If_Match='W/"1"')
    refused(late, 412, "conflict", "If-Match")
    assert sender.patch(pulse, replaced("/status", "final"), If_Match="*").status_code == 200


def test_a_patch_takes_its_scope_and_its_document(sender: Client, stranger: Client, pulse: str):
    change = replaced("/status", "amended")
    refused(sender.limited("system/Observation.crds").patch(pulse, change), 403, "forbidden")
    foreign = stranger.patch(pulse, change)
    unknown = stranger.patch(f"Observation/{'0' * 32}", change)
    assert refused(foreign, 404, "not-found") == refused(unknown, 404, "not-found")
    assert sender.delete(pulse).status_code == 204
    assert sender.patch(pulse, change).status_code in {404, 410}


def test_a_patch_answers_as_preferred(sender: Client, pulse: str):
    minimal = sender.patch(pulse, replaced("/status", "amended"), Prefer="return=minimal")
    assert (minimal.status_code, minimal.content, minimal.headers["etag"]) == (200, b"", 'W/"2"')
    outcome = sender.patch(pulse, replaced("/status", "final"), Prefer="return=OperationOutcome")
    assert outcome.json()["resourceType"] == "OperationOutcome"


def test_labels_are_patched_too(sender: Client):
    made = sender.made(condition(sender.patient()))
    label = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}
    path = f"Condition/{made['id']}"
    answer = sender.patch(path, replaced("/meta/security", [label]))
    assert answer.json()["meta"]["security"] == [label]
    tag = {"system": "urn:x:tags", "code": "seen"}
    answer = sender.patch(path, {"op": "add", "path": "/meta/tag", "value": [tag]})
    assert answer.json()["meta"]["tag"] == [tag]
    assert sender.ids("Condition?_tag=urn:x:tags|seen") == [made["id"]]


def test_a_patient_that_was_sent_is_patched(sender: Client):
    body = person(multipleBirthInteger=2, contact=[{"name": {"family": "Ash"}}])
    patient = sender.made(body)
    path = f"Patient/{patient['id']}"
    answer = sender.patch(path, replaced("/birthDate", "1991"))
    assert (answer.status_code, answer.headers["etag"]) == (200, 'W/"2"')
    assert answer.json() == {**patient, "birthDate": "1991", "meta": answer.json()["meta"]}


def test_a_patient_of_the_programme_is_patched_for_its_hospital_only(
    sender: Client, programme: Client
):
    world.linked(sender.endpoint.context.database, sender.connection)
    (mine,) = sender.resources("Patient")
    answer = sender.patch(
        f"Patient/{mine['id']}", {"op": "add", "path": "/birthDate", "value": "1971-01-01"}
    )
    assert answer.status_code == 200, answer.text
    assert sender.resources("Patient")[0]["birthDate"] == "1971-01-01"
    family = mine["name"][0]["family"]
    (theirs,) = programme.resources(f"Patient?family={family}")
    assert "birthDate" not in theirs
