import base64
import json
from typing import Any

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
    references,
    rows,
    statuses,
    transact,
    wrong,
)
from tests.api.fhir_endpoint import Endpoint

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


def test_a_conditional_create_that_matches_stands_for_what_is_there(
    endpoint: Endpoint, hospital, patient
):
    sent = [
        entry(person(), PERSON, ifNoneExist=BY_NUMBER),
        entry(observation(PERSON, identifier=[{"value": "o"}]), ifNoneExist="identifier=o"),
    ]
    first = transact(endpoint, hospital, *sent)
    assert statuses(first) == ["200", "201"]
    assert references(first)[0] == patient
    assert endpoint.get(references(first)[1], hospital).json()["subject"] == {"reference": patient}
    before = rows(endpoint)
    second = transact(endpoint, hospital, *sent)
    assert statuses(second) == ["200", "200"]
    assert references(second) == references(first)
    assert rows(endpoint) == before


def test_conditional_references_lead_to_the_one_match(endpoint: Endpoint, hospital, patient):
    search = f"Patient?{BY_NUMBER}"
    answer = transact(endpoint, hospital, entry(observation(search)), entry(observation(search)))
    for each in references(answer):
        assert endpoint.get(each, hospital).json()["subject"] == {"reference": patient}
    transact(endpoint, hospital, entry(person()))
    before = rows(endpoint)
    several = transact(endpoint, hospital, entry(person("3")), entry(observation(search)))
    none = transact(endpoint, hospital, entry(observation("Patient?identifier=nobody")))
    assert (several.status_code, none.status_code) == (412, 422)
    assert wrong(several) == {"Bundle.entry[1].resource.subject"}
    assert wrong(none) == {"Bundle.entry[0].resource.subject"}
    assert rows(endpoint) == before


def test_conditional_updates_patches_and_deletes(endpoint: Endpoint, hospital, patient):
    def marked(value: str, **more: Any) -> dict[str, Any]:
        return observation(patient, identifier=[{"value": value}], **more)

    made = references(
        transact(endpoint, hospital, *(entry(marked(value)) for value in ("a", "b", "c")))
    )
    operations = json.dumps([{"op": "replace", "path": "/status", "value": "amended"}])
    patch = {
        "resourceType": "Binary",
        "contentType": "application/json-patch+json",
        "data": base64.b64encode(operations.encode()).decode(),
    }
    answer = transact(
        endpoint,
        hospital,
        entry(marked("a", status="amended"), method="PUT", url="Observation?identifier=a"),
        entry(patch, method="PATCH", url="Observation?identifier=b"),
        asking("DELETE", "Observation?identifier=c"),
        asking("DELETE", "Observation?identifier=nothing"),
        entry(marked("e"), method="PUT", url="Observation?identifier=e"),
    )
    assert statuses(answer) == ["200", "200", "204", "204", "201"], answer.text
    assert [endpoint.get(each, hospital).json().get("status") for each in made[:2]] == [
        "amended"
    ] * 2
    assert endpoint.get(made[2], hospital).status_code == 410
    by_id = transact(endpoint, hospital, entry(patch, method="PATCH", url=made[0]))
    assert statuses(by_id) == ["200"]
    none = transact(
        endpoint, hospital, entry(patch, method="PATCH", url="Observation?identifier=nothing")
    )
    assert none.status_code == 404


def test_a_patch_is_a_json_patch_in_a_binary(endpoint: Endpoint, hospital, patient):
    (made,) = references(transact(endpoint, hospital, entry(observation(patient))))
    binary = {"resourceType": "Binary", "contentType": "application/json-patch+json"}
    for resource, place in (
        ({"resourceType": "Parameters"}, "resource"),
        ({**binary, "data": "%"}, "resource.data"),
        ({**binary, "data": base64.b64encode(b"{}").decode()}, "resource.data"),
        ({**binary, "data": 7}, "resource.data"),
    ):
        answer = transact(endpoint, hospital, entry(resource, method="PATCH", url=made))
        assert (answer.status_code, wrong(answer)) == (400, {f"Bundle.entry[0].{place}"})


def test_two_entries_may_not_be_about_the_same(endpoint: Endpoint, hospital, patient):
    (made,) = references(
        transact(endpoint, hospital, entry(observation(patient, identifier=[{"value": "a"}])))
    )
    changed = {**observation(patient), "id": made.partition("/")[2]}
    update = entry(changed, method="PUT", url=made)
    for second in (
        update,
        asking("DELETE", made),
        asking("DELETE", "Observation?identifier=a"),
        entry(observation(patient), method="PUT", url="Observation?identifier=a"),
    ):
        answer = transact(endpoint, hospital, update, second)
        assert (answer.status_code, wrong(answer)) == (400, {"Bundle.entry[1].request.url"})
    twice = [entry(person(), PERSON), entry(person("2"), PERSON)]
    assert wrong(transact(endpoint, hospital, *twice)) == {"Bundle.entry[1].fullUrl"}
    once = entry(observation(patient), ifNoneExist="identifier=new")
    assert wrong(transact(endpoint, hospital, once, once)) == {"Bundle.entry[1].request.url"}
