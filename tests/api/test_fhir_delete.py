"""What is deleted is gone with a tombstone; what others refer to stays."""

import pytest

from service.fhir.reindex import reindex
from tests.api.clients import Client, condition, encounter, observation, refused
from tests.api.fhir_endpoint import BASE


def test_what_was_deleted_is_gone_and_its_history_stays(sender: Client):
    patient = sender.patient()
    made = sender.made(condition(patient))
    path = f"Condition/{made['id']}"
    answer = sender.delete(path)
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (204, b"", 'W/"2"')
    assert refused(sender.get(path), 410, "deleted")
    assert sender("HEAD", path).status_code == 410
    assert sender.ids("Condition") == []
    assert sender.ids(f"Condition?_id={made['id']}") == []
    assert sender.get(f"{path}/_history/1").json() == made
    history = sender.get(f"{path}/_history").json()["entry"]
    assert [one["request"]["method"] for one in history] == ["DELETE", "POST"]
    assert "resource" not in history[0]


def test_deleting_twice_changes_nothing(sender: Client):
    path = f"Condition/{sender.made(condition(sender.patient()))['id']}"
    sender.delete(path)
    again = sender.delete(path)
    assert (again.status_code, again.headers["etag"]) == (204, 'W/"2"')


@pytest.mark.parametrize("shown", ["none", "0" * 32, "a_b"])
def test_what_never_was_is_not_deleted(sender: Client, shown: str):
    refused(sender.delete(f"Condition/{shown}"), 404, "not-found")


def test_a_delete_takes_its_scope_and_its_document(sender: Client, stranger: Client):
    path = f"Condition/{sender.made(condition(sender.patient()))['id']}"
    refused(sender.limited("system/Condition.crus").delete(path), 403, "forbidden")
    unknown = stranger.delete(f"Condition/{'0' * 32}")
    assert refused(stranger.delete(path), 404) == refused(unknown, 404)
    assert sender.endpoint.client.delete(f"{BASE}/{path}").status_code == 401
    assert sender.limited("system/Condition.d").delete(path).status_code == 204
    refused(stranger.get(path), 404, "not-found")
    refused(stranger.get(f"{path}/_history"), 404, "not-found")


def test_a_delete_is_of_the_version_that_its_client_saw(sender: Client):
    made = sender.made(condition(sender.patient()))
    path = f"Condition/{made['id']}"
    sender.put({**made, "recordedDate": "2026-01-02"})
    refused(sender.delete(path, If_Match='W/"1"'), 412, "conflict", "If-Match")
    assert sender.delete(path, If_Match='W/"2"').status_code == 204


def test_what_others_refer_to_is_not_deleted(sender: Client):
    patient = sender.patient()
    visit = sender.made(encounter(patient))["id"]
    seen = sender.made(observation(patient, encounter={"reference": f"Encounter/{visit}"}))
    refused(sender.delete(f"Encounter/{visit}"), 409, "conflict")
    assert sender.get(f"Encounter/{visit}").status_code == 200
    sender.put({**seen, "encounter": {"display": "a visit"}})
    assert sender.delete(f"Encounter/{visit}").status_code == 204


def test_what_refers_to_itself_is_deleted(sender: Client):
    patient = sender.patient()
    body = observation(patient, id="itself")
    assert sender.put(body).status_code == 201
    sender.put({**body, "hasMember": [{"reference": "Observation/itself"}]})
    assert sender.delete("Observation/itself").status_code == 204


def test_patients_are_not_deleted(sender: Client, stranger: Client):
    patient = sender.patient()
    refused(sender.delete(f"Patient/{patient}"), 405, "not-supported")
    refused(stranger.delete(f"Patient/{patient}"), 404, "not-found")


def test_the_history_of_what_came_and_went_is_whole(sender: Client):
    body = condition(sender.patient(), id="to-and-fro")
    for _ in range(3):
        sender.put(body)
        sender.delete("Condition/to-and-fro")
    history = sender.get("Condition/to-and-fro/_history").json()
    methods = [one["request"]["method"] for one in history["entry"]]
    assert methods == ["DELETE", "PUT", "DELETE", "PUT", "DELETE", "PUT"]


def test_an_element_that_is_no_search_parameter_keeps_what_it_refers_to(sender: Client):
    patient = sender.patient()
    ward = sender.made({"resourceType": "Location", "name": "Ward"})["id"]
    there = {"reference": f"Location/{ward}"}
    extension = [{"url": "urn:x:seen-at", "valueReference": there}]
    made = sender.made(condition(patient, extension=extension))
    refused(sender.delete(f"Location/{ward}"), 409, "conflict")
    sender.delete(f"Condition/{made['id']}")
    assert sender.delete(f"Location/{ward}").status_code == 204


def test_indexing_anew_keeps_what_no_search_parameter_finds(sender: Client):
    context = sender.endpoint.context
    ward = sender.made({"resourceType": "Location", "name": "Ward"})["id"]
    extension = [{"url": "urn:x:seen-at", "valueReference": {"reference": f"Location/{ward}"}}]
    sender.made(condition(sender.patient(), extension=extension))
    forget = "UPDATE documents SET indexed = 0"
    context.database.unit_of_work(lambda session: session.connection().exec_driver_sql(forget))
    reindex(context.database, context.registry, base=BASE)
    refused(sender.delete(f"Location/{ward}"), 409, "conflict")
