"""Alerts and contacts at `/v1`: worked by people, version by version; each move in the story."""

import pytest
from sqlmodel import select

from service.encryption import new_key
from service.models.safety import Contact
from tests import world
from tests.api.v1.programme import everything, open_api

RESPONSE = {"instrument": "phq-9", "authored": "2026-01-06T23:10:00Z"}


@pytest.fixture
def person(api):
    return world.patient(api.database)


@pytest.fixture
def alert(api, person):
    body = {**RESPONSE, "answers": {"/44260-8": 2}}
    made = api.post(f"/v1/patients/{person.id}/responses", body).json()
    assert made["safety_unknown"] == []
    return api.get(f"/v1/alerts/{made['alert']['id']}").json()


def test_an_alert_is_taken_up_and_closed_by_a_person(api, alert):
    address = f"/v1/alerts/{alert['id']}"
    assert (alert["state"], alert["tier"]) == ("open", "red")
    assert alert["allowed"] == ["acknowledge", "escalate"]
    early = api.post(f"{address}/resolve", {"disposition": "person-reached-safe"})
    assert early.status_code == 422
    assert "acknowledge, escalate" in early.json()["errors"][0]["rule"]
    stale = api.post(f"{address}/acknowledge", {}, headers={"If-Match": 'W/"99"'})
    assert stale.status_code == 412
    seen = {"If-Match": f'W/"{alert["version"]}"'}
    taken = api.post(f"{address}/acknowledge", {"by": "Sam Ortiz"}, headers=seen)
    assert taken.json()["acknowledged_by"] == "Sam Ortiz"
    wrong = api.post(f"{address}/resolve", {"disposition": "whatever"})
    assert "person-reached-safe" in wrong.json()["errors"][0]["rule"]
    assert api.post(f"{address}/resolve", {"disposition": "crisis-line"}).status_code == 200
    assert everything(api, "/v1/alerts") == []
    (closed,) = everything(api, "/v1/alerts?state=resolved")
    assert (closed["disposition"], closed["allowed"]) == ("crisis-line", [])
    story = api.get(f"{address}/events").json()["items"]
    kinds = [each["kind"] for each in story]
    assert kinds == ["raised", "stepped-up", "nobody-left", "acknowledged", "resolved"]
    assert story[3]["by"] == "Sam Ortiz"


def test_alerts_are_found_by_tier_and_by_what_is_wrong(api, alert):
    for query, number in (
        ("tier=red", 1), ("tier=amber", 0), ("due=true", 1), ("unreached=true", 1),
        ("state=notified", 0),
    ):  # fmt: skip
        assert len(everything(api, f"/v1/alerts?{query}")) == number, query
    assert alert["nobody_left_at"]


def test_the_reply_names_crisis_resources_and_what_is_not_known(api, person):
    path = f"/v1/patients/{person.id}/responses"
    found = api.post(path, {**RESPONSE, "answers": {"/44250-9": 1}}).json()
    assert (found["alert"], found["safety_unknown"]) == (None, ["/44260-8"])
    found = api.post(path, {**RESPONSE, "answers": {"/44260-8": 1}}).json()
    assert [each["how"] for each in found["alert"]["resources"]] == [
        "call or text 988", "text 741741",
    ]  # fmt: skip


def test_a_danger_is_reported_and_the_answer_says_what_to_do(api, person):
    made = api.post(f"/v1/patients/{person.id}/danger-reports", {"reported_by": "Ngozi Okafor"})
    found = made.json()
    assert made.status_code == 201
    assert found["instruction"].startswith("Contact on-call now.")
    assert found["crisis_text"] == api.context.settings.crisis_text
    shown = api.get(made.headers["location"]).json()
    assert (shown["response_id"], shown["rule"]) == (None, "report imminent-danger")
    wrong = api.post(f"/v1/patients/{person.id}/danger-reports", {"kind": "weather"})
    assert "imminent-danger" in wrong.json()["errors"][0]["rule"]


def test_what_repeats_a_response_carries_the_alert_too(api, person, alert):
    body = {**RESPONSE, "answers": {"/44260-8": 2}}
    again = api.post(f"/v1/patients/{person.id}/responses", body).json()
    assert again["alert"]["id"] == alert["id"]
    assert len(everything(api, "/v1/alerts")) == 1
    listed = everything(api, f"/v1/patients/{person.id}/responses")
    assert [each["alert"]["id"] for each in listed] == [alert["id"]] * 2


CONTACT = {"name": "Crisis team", "role": "on-call", "channel": "email", "address": "a@b.example"}


def test_contacts_are_the_coordinators(sqlite_api):
    coordinator = sqlite_api
    other = coordinator.new_token("platform", "v1.read v1.write")
    assert coordinator.post("/v1/contacts", CONTACT, token=other).status_code == 403
    hours = [{"days": [0, 1], "from": "09:00", "until": "17:00"}]
    made = coordinator.post("/v1/contacts", {**CONTACT, "hours": hours, "time_zone": "Asia/Tokyo"})
    assert made.status_code == 201
    address = made.headers["location"]
    assert coordinator.get(address).json()["hours"] == hours
    changed = coordinator.patch(address, {"active": False, "hours": None})
    assert (changed.json()["active"], changed.json()["hours"]) == (False, None)
    assert coordinator.post(f"{address}/test", None).status_code == 202
    assert len(everything(coordinator, "/v1/contacts")) == 1


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"address": "nowhere"}, "address"),
        ({"channel": "webhook"}, "address"),
        ({"channel": "webhook", "address": "https://x.example/"}, "secret"),
        ({"channel": "webhook", "address": "https://x.example/", "secret": "s" * 16}, "secret"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"hours": []}, "hours"),
        ({"hours": [{"days": [0], "from": "17:00", "until": "09:00"}]}, "hours[0].until"),
        ({"connection_id": "0199b7c2-5a01-7c90-8f6e-2d4b6a8c0e12"}, "connection_id"),
    ],
)
def test_a_contact_that_could_not_be_told_is_refused(sqlite_api, more, field):
    answer = sqlite_api.post("/v1/contacts", {**CONTACT, **more})
    assert answer.status_code in {400, 422}
    assert [each["field"] for each in answer.json()["errors"]] == [field]


def test_a_webhooks_secret_is_encrypted_and_never_shown(sqlite_url, tmp_path):
    with open_api(sqlite_url, tmp_path, secrets_keys=new_key()) as api:
        given = {"channel": "webhook", "address": "https://x.example/a", "secret": "s" * 20}
        made = api.post("/v1/contacts", {**CONTACT, **given})
        assert made.json()["has_secret"] is True
        assert "ssss" not in made.text
        kept = api.database.read(lambda session: session.exec(select(Contact.secret)).one())
        assert api.context.cipher.decrypt(kept) == b"s" * 20
