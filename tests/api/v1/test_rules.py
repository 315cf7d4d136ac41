"""The rules that members agree to, through `/v1`."""

from uuid import uuid4

from tests import world
from tests.api.v1.programme import BASE, everything, rules

TEXT = "What is said in the circle stays in the circle."


def publish(api, **more):
    answer = api.post("/v1/rules", {"text": TEXT, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_versions_are_published_listed_and_in_force(api):
    group = world.group(api.database)
    address = f"/v1/groups/{group.id}/rules"
    assert api.get(address).status_code == 404
    first = publish(api, published_by="Sam Ortiz")
    assert (first["number"], first["group_id"], first["published_by"]) == (1, None, "Sam Ortiz")
    own = publish(api, group_id=str(group.id))
    later = publish(api, in_force_from="2999-01-01T00:00:00Z")
    assert later["published_by"] == "programme"
    assert api.get(f"/v1/rules/{first['id']}").json() == first
    assert everything(api, "/v1/rules?limit=2") == [first, own, later]
    assert everything(api, f"/v1/rules?group_id={group.id}") == [own]
    assert api.get(address).json() == own
    other = world.group(api.database)
    assert api.get(f"/v1/groups/{other.id}/rules").json() == first


def test_the_version_in_force_is_sent_again_when_it_is_another(sqlite_api):
    address = f"/v1/groups/{world.group(sqlite_api.database).id}/rules"
    publish(sqlite_api)
    known = {"If-None-Match": sqlite_api.get(address).headers["etag"]}
    assert sqlite_api.get(address, headers=known).status_code == 304
    second = publish(sqlite_api)
    assert sqlite_api.get(address, headers=known).json() == second


def test_a_version_cannot_be_changed_and_does_not_begin_in_the_past(sqlite_api):
    made = publish(sqlite_api)
    for method in ("PATCH", "PUT", "DELETE"):
        assert sqlite_api.call(method, f"/v1/rules/{made['id']}").status_code == 405
    early = sqlite_api.post("/v1/rules", {"text": TEXT, "in_force_from": "2026-01-01T00:00:00Z"})
    assert rules(early) == {"in_force_from": "must not lie in the past"}
    assert list(rules(sqlite_api.post("/v1/rules", {"text": " "}))) == ["text"]
    nobodys = sqlite_api.post("/v1/rules", {"text": TEXT, "group_id": str(uuid4())})
    assert list(rules(nobodys)) == ["group_id"]


def test_an_agreement_is_recorded_read_and_opens_the_group(api):
    made = world.group(api.database)
    group = api.patch(f"/v1/groups/{made.id}", {"rules_required": True}).json()
    assert group["rules_required"] is True
    person = world.patient(api.database)
    version = publish(api)
    enroll = f"/v1/groups/{made.id}/enrollments", {"patient_id": str(person.id)}
    refused = api.post(*enroll)
    assert refused.status_code == 422
    assert version["id"] in rules(refused)["status"]
    pending = api.post(enroll[0], enroll[1] | {"status": "proposed"}).json()
    waited = f"/v1/rules/{version['id']}/yet-to-agree"
    assert everything(api, waited) == [
        {
            "enrollment_id": pending["id"],
            "patient_id": str(person.id),
            "group_id": str(made.id),
            "status": "proposed",
        }
    ]
    assert api.audited()[-1] == [person.id.hex]
    listed = f"/v1/patients/{person.id}/agreements"
    body = {"rules_id": version["id"], "method": "verbal", "enrollment_id": pending["id"]}
    assert list(rules(api.post(listed, body))) == ["witness"]
    agreed = api.post(listed, body | {"witness": "Ngozi Okafor"})
    assert agreed.status_code == 201, agreed.text
    assert agreed.headers["location"] == f"{BASE}/v1/agreements/{agreed.json()['id']}"
    assert agreed.json()["recorded_by"] == "programme"
    assert api.get(agreed.headers["location"]).json() == agreed.json()
    assert everything(api, listed) == [agreed.json()]
    assert api.post(listed, body | {"witness": "Ngozi Okafor"}).status_code == 409
    assert everything(api, waited) == []
    entered = api.patch(f"/v1/enrollments/{pending['id']}", {"status": "active"})
    assert entered.json()["status"] == "active"


def test_who_has_yet_to_agree_is_told_page_by_page(api):
    group = world.group(api.database)
    rows = [world.enroll(api.database, world.patient(api.database), group) for _ in range(5)]
    version = publish(api)
    found = everything(api, f"/v1/rules/{version['id']}/yet-to-agree?limit=2")
    assert [each["enrollment_id"] for each in found] == [str(row.id) for row in rows]


def test_rules_and_agreements_that_are_not_there(sqlite_api):
    person = world.patient(sqlite_api.database)
    for path in ("rules", "agreements"):
        assert sqlite_api.get(f"/v1/{path}/{uuid4()}").status_code == 404
    assert sqlite_api.get(f"/v1/rules/{uuid4()}/yet-to-agree").status_code == 404
    body = {"rules_id": str(uuid4()), "method": "paper"}
    unknown = sqlite_api.post(f"/v1/patients/{person.id}/agreements", body)
    assert list(rules(unknown)) == ["rules_id"]
    assert sqlite_api.post(f"/v1/patients/{uuid4()}/agreements", body).status_code == 404
