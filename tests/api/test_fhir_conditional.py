"""Writes by a condition: one resource is meant, or none, and never several.

https://hl7.org/fhir/R4/http.html#cond-update
"""

from urllib.parse import quote

import pytest

from tests.api.clients import Client, condition, observation, refused, replaced
from tests.api.fhir_endpoint import BASE

SYSTEM = "urn:x:orders"


def order(patient: str, number: str, **more: object) -> dict[str, object]:
    return observation(patient, identifier=[{"system": SYSTEM, "value": number}], **more)


def where(number: str) -> str:
    return f"Observation?identifier={quote(f'{SYSTEM}|{number}')}"


def test_a_conditional_create_makes_one(sender: Client):
    body, asked = order(sender.patient(), "1"), f"identifier={SYSTEM}|1"
    first = sender.post(body, If_None_Exist=asked)
    second = sender.post({**body, "status": "amended"}, If_None_Exist=asked)
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.content == first.content
    assert second.headers["etag"] == 'W/"1"'
    assert second.headers["location"] == first.headers["location"]
    assert sender.post(body, If_None_Exist=f"?{asked}").status_code == 200
    minimal = sender.post(body, If_None_Exist=asked, Prefer="return=minimal")
    assert (minimal.status_code, minimal.content) == (200, b"")
    told = sender.post(body, If_None_Exist=asked, Prefer="return=OperationOutcome").json()
    assert "nothing was recorded" in told["issue"][0]["details"]["text"]
    sender.made(body)
    refused(sender.post(body, If_None_Exist=asked), 412, "multiple-matches")


def test_a_condition_does_not_see_what_is_anothers(sender: Client, stranger: Client):
    sender.made(order(sender.patient(), "2"))
    body = order(stranger.patient(), "2")
    assert stranger.post(body, If_None_Exist=f"identifier={SYSTEM}|2").status_code == 201
    assert stranger.delete(where("2")).status_code == 204
    assert len(sender.ids(where("2"))) == 1


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ("", ""),
        ("_count=1", ""),
        ("_sort=date", ""),
        ("_format=json", ""),
        ("colour=red", "not-supported"),
        ("identifier:text-advanced=x", "not-supported"),
        ("date=tomorrow", ""),
        ("&".join(["code=x"] * 200), ""),
    ],
)
def test_a_condition_says_which_resource(sender: Client, asked: str, code: str):
    body = observation(sender.patient(), status="amended")
    refused(sender.post(body, If_None_Exist=asked), 400, code)
    path = f"Observation?{asked}" if asked else "Observation"
    for answer in (sender.put(body, path), sender.patch(path), sender.delete(path)):
        refused(answer, 400)
    assert sender.ids("Observation") == []


def test_a_condition_takes_the_scope_to_search(sender: Client):
    body = order(sender.patient(), "3")
    blind = sender.limited("system/Observation.crud")
    refused(blind.post(body, If_None_Exist=f"identifier={SYSTEM}|3"), 403, "forbidden")
    for answer in (blind.put(body, where("3")), blind.patch(where("3")), blind.delete(where("3"))):
        refused(answer, 403, "forbidden")


def test_a_conditional_update_makes_replaces_or_refuses(sender: Client):
    body = order(sender.patient(), "4")
    made = sender.put(body, where("4"))
    assert (made.status_code, made.headers["etag"]) == (201, 'W/"1"')
    amended = sender.put({**body, "status": "amended"}, where("4"))
    assert (amended.status_code, amended.headers["etag"]) == (200, 'W/"2"')
    shown = made.json()["id"]
    assert amended.json()["id"] == shown
    assert sender.put({**body, "id": shown}, where("4")).status_code == 200
    refused(sender.put({**body, "id": "other"}, where("4")), 400, "invalid", "Observation.id")
    refused(sender.put(body, where("4"), If_Match='W/"1"'), 412, "conflict")
    sender.made(body)
    refused(sender.put(body, where("4")), 412, "multiple-matches")


def test_a_conditional_update_that_finds_nothing_makes_it_under_the_id_that_it_says(
    sender: Client,
):
    body = {**order(sender.patient(), "42"), "id": "own-42"}
    made = sender.put(body, where("42"))
    assert (made.status_code, made.json()["id"]) == (201, "own-42")
    assert made.headers["location"].endswith("/Observation/own-42/_history/1")
    assert sender.put(body, where("42")).status_code == 200
    other = {**order(sender.patient(), "43"), "id": "own-42"}
    refused(sender.put(other, where("43")), 409, "duplicate", "Observation.id")
    asked = {"method": "PUT", "url": where("43")}
    bundle = {"resourceType": "Bundle", "type": "transaction"}
    entry = [{"resource": {**other, "id": "own-43"}, "request": asked}]
    assert sender.post({**bundle, "entry": entry}, BASE).status_code == 200
    assert sender.get("Observation/own-43").status_code == 200
    entry = [{"resource": {**order(sender.patient(), "44"), "id": "own-43"},
              "request": {**asked, "url": where("44")}}]  # fmt: skip
    refused(sender.post({**bundle, "entry": entry}, BASE), 409, "duplicate")
    assert sender.ids(where("44")) == []


def test_a_conditional_update_under_an_id_of_its_own_may_refer_to_its_bundle(sender: Client):
    patient = sender.patient()
    full_url = "urn:uuid:6f2b7d1e-4a8c-4d0e-9b7a-0c5d1e2f3a4b"
    nurse = {"resourceType": "Practitioner", "name": [{"family": "Nurse"}]}
    body = {**order(patient, "46"), "id": "own-46", "performer": [{"reference": full_url}]}
    entry = [
        {"fullUrl": full_url, "resource": nurse,
         "request": {"method": "POST", "url": "Practitioner"}},
        {"resource": body, "request": {"method": "PUT", "url": where("46")}},
    ]  # fmt: skip
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entry}
    for status in ("201 Created", "200 OK"):
        answer = sender.post(bundle, BASE)
        assert answer.status_code == 200, answer.text
        assert answer.json()["entry"][1]["response"]["status"] == status
    found = sender.get("Observation/own-46").json()
    assert found["performer"][0]["reference"].startswith("Practitioner/")


@pytest.mark.parametrize("said", [5, "", "a b", "x" * 65, None, {}])
def test_an_id_that_is_none_is_named_in_a_conditional_update(sender: Client, said: object):
    body = {**order(sender.patient(), "47"), "id": said}
    refused(sender.put(body, where("47")), 400)
    entry = [{"resource": body, "request": {"method": "PUT", "url": where("47")}}]
    answer = sender.post({"resourceType": "Bundle", "type": "transaction", "entry": entry}, BASE)
    issue = refused(answer, 400)
    assert issue["expression"] == ["Bundle.entry[0].resource.id"]


def test_an_id_of_our_own_form_is_not_chosen_by_a_conditional_update(sender: Client):
    body = {**order(sender.patient(), "45"), "id": "0" * 32}
    made = sender.put(body, where("45"))
    assert made.status_code == 201
    assert made.json()["id"] != "0" * 32


def test_a_conditional_update_of_a_version_makes_nothing(sender: Client):
    body = order(sender.patient(), "41")
    seen = 'W/"1"'
    refused(sender.put(body, where("41"), If_Match=seen), 412, "conflict")
    asked = {"method": "PUT", "url": where("41"), "ifMatch": seen}
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [{"resource": body, "request": asked}],
    }
    refused(sender.post(bundle, BASE), 412, "conflict")
    assert sender.ids(where("41")) == []


def test_a_conditional_update_finds_what_its_client_named(sender: Client):
    patient = sender.patient()
    number = [{"system": SYSTEM, "value": "5"}]
    assert sender.put(condition(patient, id="own-id", identifier=number)).status_code == 201
    changed = condition(patient, identifier=number, recordedDate="2026-01-02")
    answer = sender.put(changed, f"Condition?identifier={SYSTEM}|5")
    assert (answer.status_code, answer.json()["id"]) == (200, "own-id")
    assert answer.headers["location"].endswith("Condition/own-id/_history/2")


def test_a_conditional_patch_changes_the_one(sender: Client):
    body = order(sender.patient(), "6")
    change = replaced("/status", "amended")
    refused(sender.patch(where("6"), change), 404, "not-found")
    made = sender.made(body)
    answer = sender.patch(where("6"), change, If_Match='W/"1"')
    assert (answer.status_code, answer.json()["id"]) == (200, made["id"])
    assert answer.json()["status"] == "amended"
    refused(sender.patch(where("6"), change, If_Match='W/"1"'), 412, "conflict")
    sender.made(body)
    refused(sender.patch(where("6"), change), 412, "multiple-matches")


def test_a_conditional_delete_deletes_the_one(sender: Client):
    body = order(sender.patient(), "7")
    assert sender.delete(where("7")).status_code == 204
    made = sender.made(body)
    refused(sender.delete(where("7"), If_Match='W/"9"'), 412, "conflict")
    assert sender.delete(where("7"), If_Match='W/"1"').status_code == 204
    refused(sender.get(f"Observation/{made['id']}"), 410, "deleted")
    sender.made(body), sender.made(body)
    refused(sender.delete(where("7")), 412, "multiple-matches")
    assert len(sender.ids(where("7"))) == 2


def test_a_condition_may_join_and_hold_labels_of_all_kinds(sender: Client):
    number = [{"system": "urn:x:mrn", "value": "8"}]
    patient = sender.patient(identifier=number)
    tagged = order(patient, "8", meta={"tag": [{"system": SYSTEM, "code": "t"}]})
    made = sender.made(tagged)
    for asked in (
        f"_tag={SYSTEM}|t",
        f"_id={made['id']}",
        f"patient={patient}&status=final",
        f"subject=Patient/{patient}",
    ):
        assert sender.post(tagged, If_None_Exist=asked).status_code == 200, asked


def test_what_the_programme_owns_is_not_written_by_a_condition(sender: Client):
    for answer in (
        sender.put({"resourceType": "Organization", "name": "x"}, "Organization?name=Programme"),
        sender.patch("Organization?name=Programme"),
        sender.delete("Organization?name=Programme"),
    ):
        assert answer.status_code in {403, 404, 412}, answer.text
