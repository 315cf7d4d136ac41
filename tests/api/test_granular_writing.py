"""Scopes with `?parameter=value` on every way to write: the old and the new must be granted.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.api.clients import Client, condition, observation, person, refused, replaced
from tests.api.fhir_endpoint import BASE

CODES = "http://terminology.hl7.org/CodeSystem/observation-category"
LABORATORY, VITAL = f"{CODES}|laboratory", f"{CODES}|vital-signs"
PHQ9 = Path(__file__).parents[1] / "data" / "QuestionnaireResponse-phq9.json"

Json = dict[str, Any]


def category(code: str) -> list[Json]:
    return [{"coding": [{"system": CODES, "code": code.partition("|")[2]}]}]


def of(patient: str, code: str, **more: Any) -> Json:
    return observation(patient, category=category(code), **more)


def limited(sender: Client, letters: str, more: str = "") -> Client:
    return sender.limited(f"system/Observation.{letters}?category={LABORATORY} {more}".strip())


def tags(client: Client, path: str) -> tuple[int, str]:
    answer = client.get(path)
    return answer.status_code, answer.headers.get("etag", "")


@pytest.fixture
def patient(sender: Client) -> str:
    return sender.patient()


def test_a_create_takes_that_the_new_resource_matches(sender: Client, patient: str):
    writer = limited(sender, "c")
    assert writer.post(of(patient, LABORATORY)).status_code == 201
    before = sender.ids("Observation")
    said = refused(writer.post(of(patient, VITAL)), 403, "forbidden")
    assert "system/Observation.c" in said["diagnostics"]
    refused(writer.post(observation(patient)), 403, "forbidden")
    assert sender.ids("Observation") == before


def test_an_update_takes_that_the_old_and_the_new_match(sender: Client, patient: str):
    writer = limited(sender, "u")
    mine, other = (sender.made(of(patient, code)) for code in (LABORATORY, VITAL))
    assert writer.put({**mine, "status": "amended"}).status_code == 200
    refused(writer.put({**mine, "category": category(VITAL)}), 403, "forbidden")
    unknown = writer.put({**other, "id": "0" * 32})
    for body in (other, {**other, "category": category(LABORATORY)}):
        hidden = writer.put(body)
        assert (hidden.status_code, hidden.json()) == (404, unknown.json())
    assert tags(sender, f"Observation/{mine['id']}") == (200, 'W/"2"')
    assert tags(sender, f"Observation/{other['id']}") == (200, 'W/"1"')


def test_a_patch_takes_that_the_old_and_the_new_match(sender: Client, patient: str):
    writer = limited(sender, "u")
    mine, other = (sender.made(of(patient, code))["id"] for code in (LABORATORY, VITAL))
    assert writer.patch(f"Observation/{mine}", replaced("/status", "amended")).status_code == 200
    away = replaced("/category", category(VITAL))
    refused(writer.patch(f"Observation/{mine}", away), 403, "forbidden")
    unknown = writer.patch(f"Observation/{'0' * 32}", away)
    hidden = writer.patch(f"Observation/{other}", replaced("/category", category(LABORATORY)))
    assert (hidden.status_code, hidden.json()) == (404, unknown.json())
    assert tags(sender, f"Observation/{mine}") == (200, 'W/"2"')


def test_a_delete_takes_that_the_old_matches(sender: Client, patient: str):
    writer = limited(sender, "d")
    mine, other = (sender.made(of(patient, code))["id"] for code in (LABORATORY, VITAL))
    unknown = writer.delete(f"Observation/{'0' * 32}")
    hidden = writer.delete(f"Observation/{other}")
    assert (hidden.status_code, hidden.json()) == (404, unknown.json())
    assert writer.delete(f"Observation/{mine}").status_code == 204
    refused(writer.delete(f"Observation/{mine}"), 404, "not-found")
    assert sender.get(f"Observation/{other}").status_code == 200


def test_making_by_update_and_making_anew_take_that_the_new_matches(sender: Client, patient: str):
    writer = limited(sender, "ud")
    refused(writer.put(of(patient, VITAL, id="mine")), 403, "forbidden")
    assert writer.put(of(patient, LABORATORY, id="mine")).status_code == 201
    assert writer.delete("Observation/mine").status_code == 204
    refused(writer.put(of(patient, VITAL, id="mine")), 403, "forbidden")
    assert writer.put(of(patient, LABORATORY, id="mine")).status_code == 201
    assert sender.put(of(patient, VITAL, id="theirs")).status_code == 201
    refused(writer.put(of(patient, LABORATORY, id="theirs")), 404, "not-found")


def test_a_conditional_write_finds_what_may_be_searched_and_changes_what_may_be_changed(
    sender: Client, patient: str
):
    both = {"identifier": [{"system": "urn:i", "value": "1"}]}
    hidden = sender.made(of(patient, VITAL, **both))["id"]
    writer = limited(sender, "cuds")
    asked = "identifier=urn:i|1"
    refused(writer.patch(f"Observation?{asked}", replaced("/status", "amended")), 404, "not-found")
    assert writer.delete(f"Observation?{asked}").status_code == 204  # there is none
    made = writer.post(of(patient, LABORATORY, **both), If_None_Exist=asked)
    assert made.status_code == 201  # what it may not search is not there
    again = writer.post(of(patient, LABORATORY, **both), If_None_Exist=asked)
    assert (again.status_code, again.headers["location"]) == (200, made.headers["location"])
    assert again.content == b""  # it may not be read
    refused(writer.put(of(patient, VITAL, **both), f"Observation?{asked}"), 403, "forbidden")
    kept = writer.put(of(patient, LABORATORY, **both), f"Observation?{asked}")
    assert (kept.status_code, kept.content) == (200, b"")
    wide = limited(sender, "ud", "system/Observation.s")
    refused(wide.delete(f"Observation?_id={hidden}"), 404, "not-found")
    refused(wide.patch(f"Observation?_id={hidden}", replaced("/status", "final")), 404, "not-found")
    assert writer.delete(f"Observation?{asked}").status_code == 204
    assert sender.get(f"Observation/{hidden}").status_code == 200


def test_what_a_conditional_update_makes_must_match(sender: Client, patient: str):
    writer = limited(sender, "us")
    refused(writer.put(of(patient, VITAL), "Observation?identifier=urn:i|9"), 403, "forbidden")
    made = writer.put(of(patient, LABORATORY), "Observation?identifier=urn:i|9")
    assert made.status_code == 201


def test_a_reference_may_lead_to_what_is_not_granted(sender: Client, patient: str):
    hidden = sender.made(of(patient, VITAL))["id"]
    body = of(patient, LABORATORY, derivedFrom=[{"reference": f"Observation/{hidden}"}])
    assert limited(sender, "c").post(body).status_code == 201


def entry(method: str, url: str, resource: Json | None = None) -> Json:
    found: Json = {"request": {"method": method, "url": url}}
    return found if resource is None else {**found, "resource": resource}


def bundle(kind: str, *entries: Json) -> Json:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def test_a_batch_writes_entry_by_entry(sender: Client, patient: str):
    writer = limited(sender, "cud")
    mine, other = (sender.made(of(patient, code)) for code in (LABORATORY, VITAL))
    answer = writer.post(
        bundle(
            "batch",
            entry("POST", "Observation", of(patient, LABORATORY)),
            entry("POST", "Observation", of(patient, VITAL)),
            entry("PUT", f"Observation/{mine['id']}", {**mine, "status": "amended"}),
            entry("PUT", f"Observation/{other['id']}", other),
            entry("DELETE", f"Observation/{other['id']}"),
            entry("DELETE", f"Observation/{mine['id']}"),
            entry("POST", "Condition", condition(patient)),
        ),
        BASE,
    ).json()
    statuses = [one["response"]["status"][:3] for one in answer["entry"]]
    assert statuses == ["201", "403", "200", "404", "404", "204", "403"]


def test_a_transaction_is_refused_whole_with_the_entry_named(sender: Client, patient: str):
    writer, before = limited(sender, "cs"), sender.ids("Observation")
    allowed, forbidden = (
        entry("POST", "Observation", of(patient, code)) for code in (LABORATORY, VITAL)
    )
    answer = writer.post(bundle("transaction", allowed, forbidden), BASE)
    assert answer.status_code == 403
    (issue,) = answer.json()["issue"]
    assert (issue["code"], issue["expression"]) == ("forbidden", ["Bundle.entry[1]"])
    assert sender.ids("Observation") == before
    assert writer.post(bundle("transaction", allowed, allowed), BASE).status_code == 200
    hidden = sender.made(of(patient, VITAL, identifier=[{"system": "urn:i", "value": "2"}]))
    linked = of(patient, LABORATORY, derivedFrom=[{"reference": "Observation?identifier=urn:i|2"}])
    answer = writer.post(bundle("transaction", entry("POST", "Observation", linked)), BASE)
    assert answer.status_code == 422
    assert hidden["id"] not in answer.text


def test_a_patient_is_judged_as_it_will_be_read(sender: Client):
    writer = sender.limited("system/Patient.cu?family=Ash")
    made = writer.made(person())
    refused(writer.post(person(name=[{"family": "Birch"}])), 403, "forbidden")
    refused(writer.put({**made, "name": [{"family": "Birch"}]}), 403, "forbidden")
    assert writer.put({**made, "gender": "male"}).status_code == 200
    other = sender.made(person(name=[{"family": "Birch"}]))
    refused(writer.put({**other, "name": [{"family": "Ash"}]}), 404, "not-found")
    assert {one["name"][0]["family"] for one in sender.resources("Patient")} == {"Ash", "Birch"}
    by_profile = sender.limited("system/Patient.c?_profile=http://nowhere")
    refused(by_profile.post(person()), 403, "forbidden")


def test_a_scored_response_is_judged_as_it_will_be_read(sender: Client, patient: str):
    body = json.loads(PHQ9.read_text())
    body = {name: value for name, value in body.items() if name not in {"author", "source"}}
    body |= {"subject": {"reference": f"Patient/{patient}"}}
    other = sender.patient()
    writer = sender.limited(f"system/QuestionnaireResponse.cu?patient={patient}")
    made = writer.post(body, Prefer="return=representation")
    assert made.status_code == 201, made.text
    refused(writer.post({**body, "subject": {"reference": f"Patient/{other}"}}), 403, "forbidden")
    assert len(sender.ids("QuestionnaireResponse")) == 1


def test_who_may_write_and_not_read_is_not_shown_what_is_there(sender: Client, patient: str):
    made = sender.made(of(patient, LABORATORY))["id"]
    for scope in ("system/Observation.u", "system/Observation.write"):
        writer = sender.limited(scope)
        patched = writer.patch(f"Observation/{made}", {"op": "test", "path": "/id", "value": made})
        assert (patched.status_code, patched.content) == (200, b"")
        change = entry("PUT", f"Observation/{made}", of(patient, LABORATORY, id=made))
        answer = writer.post(bundle("batch", change), BASE, Prefer="return=representation")
        (answer,) = answer.json()["entry"]
        assert answer["response"]["status"].startswith("200")
        assert "resource" not in answer
    reader = sender.limited("system/Observation.ru")
    assert reader.patch(f"Observation/{made}", replaced("/status", "amended")).json()["id"] == made
    narrow = sender.limited(f"system/Observation.u system/Observation.r?category={VITAL}")
    assert narrow.patch(f"Observation/{made}", replaced("/status", "final")).content == b""


def test_what_was_deleted_outside_the_scope_is_as_if_it_never_was(sender: Client, patient: str):
    gone = sender.made(of(patient, VITAL))["id"]
    assert sender.delete(f"Observation/{gone}").status_code == 204
    writer = limited(sender, "ru")
    answers = [
        writer.put(of(patient, LABORATORY, id=each), f"Observation/{each}")
        for each in (gone, "0" * 32)
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].text == answers[1].text
