"""What only the coordinator sees: credentials, supervision, load; and what the others are told."""

from uuid import uuid4

import pytest

from service.commands import UpdateSession
from service.handlers import execute
from service.models.groups import GroupStatus, SessionStatus
from service.standing import LAPSE
from tests import staff, world
from tests.api.v1.programme import BASE, everything, open_api, rules
from tests.staff import BEGIN, DAY, TODAY, Clock

CREDENTIAL = {"kind": "Peer support training", "issuer": "Circles", "expires": "2026-03-12"}


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def timed(database_url, tmp_path, clock):
    """The application at a time of ours, with supervision every four weeks."""
    with open_api(
        database_url, tmp_path, clock, supervision_interval_days=28, facilitator_lapse="stop",
        facilitator_lapse_grace_days=2,
    ) as opened:  # fmt: skip
        yield opened


def test_a_facilitator_is_changed_and_named_by_version(api):
    person = {"family": "Okafor", "given": "Ngozi", "kind": "peer"}
    made = api.post("/v1/facilitators", person)
    address = made.headers["location"]
    changed = api.patch(address, {"active": False}, headers={"If-Match": '"1"'})
    assert changed.json() == made.json() | {"active": False, "version": 2}
    assert api.patch(address, {"active": True}, headers={"If-Match": '"1"'}).status_code == 412
    assert rules(api.patch(address, {"kind": "co-led"})) == {
        "kind": "a person is a peer or a professional"
    }
    assert list(rules(api.patch(address, {"family": None}))) == ["family"]
    assert api.patch(f"/v1/facilitators/{uuid4()}", {}).status_code == 404
    given = {"facilitator_id": made.json()["id"]}
    answer = api.patch(f"/v1/groups/{world.group(api.database).id}", given)
    assert rules(answer) == {"facilitator_id": "the facilitator is not active"}


def test_credentials_are_added_corrected_and_listed(api):
    person = world.facilitator(api.database)
    listed = f"/v1/facilitators/{person.id}/credentials"
    made = api.post(listed, CREDENTIAL)
    assert made.status_code == 201, made.text
    address = made.headers["location"]
    assert address == f"{BASE}/v1/credentials/{made.json()['id']}"
    change = {"expires": None, "number": "PS-1", "counts": False}
    changed = api.patch(address, change, headers={"If-Match": '"1"'})
    assert changed.json() == made.json() | change | {"version": 2}
    assert api.get(address).json() == changed.json()
    assert everything(api, listed) == [changed.json()]
    assert api.patch(address, {}, headers={"If-Match": '"1"'}).status_code == 412
    assert list(rules(api.post(listed, CREDENTIAL | {"expires": "2026-02-30"}))) == ["expires"]
    wrong = api.post(listed, CREDENTIAL | {"issued": "2026-04-01", "expires": "2026-03-01"})
    assert list(rules(wrong)) == ["expires"]
    assert api.post(f"/v1/facilitators/{uuid4()}/credentials", CREDENTIAL).status_code == 404


def test_supervision_is_arranged_replaced_and_held(api):
    person, supervisor = world.facilitator(api.database), world.facilitator(api.database)
    address = f"/v1/facilitators/{person.id}/supervision"
    assert api.get(address).status_code == 404
    early = api.post(f"{address}-sessions", {"held_on": "2026-03-01"})
    assert (early.status_code, early.json()["detail"][:13]) == (422, "first say who")
    first = api.put(address, {"contact": "Dr. Lee"})
    assert (first.status_code, first.headers["etag"]) == (200, 'W/"1"')
    by = {"supervisor_id": str(supervisor.id), "next_due": "2026-04-01"}
    second = api.put(address, by, headers={"If-Match": '"1"'})
    assert by.items() <= second.json().items()
    assert second.json()["contact"] is None
    assert api.put(address, by, headers={"If-Match": '"1"'}).status_code == 412
    assert list(rules(api.put(address, {}))) == ["supervisor_id"]
    body = {"held_on": "2026-03-04", "recorded_by": "Sam Ortiz"}
    held = api.post(f"{address}-sessions", body)
    assert held.status_code == 201, held.text
    assert held.json()["supervisor_id"] == str(supervisor.id)
    assert api.get(held.headers["location"]).json() == held.json()
    assert everything(api, f"{address}-sessions") == [held.json()]
    assert api.get(address).json()["next_due"] is None
    assert list(rules(api.post(f"{address}-sessions", {"held_on": "2999-01-01"}))) == ["held_on"]


def test_the_load_has_groups_sessions_and_what_is_overdue(timed, clock):
    database = timed.database
    person, other = world.facilitator(database), world.facilitator(database)
    group = staff.led(database, person, capacity=5)
    staff.led(database, person, status=GroupStatus.CLOSED)
    for _ in range(2):
        world.enroll(database, world.patient(database), group, start=BEGIN)
    world.session(database, group, BEGIN - 40 * DAY)
    world.session(database, group, BEGIN - 5 * DAY)
    off = world.session(database, group, BEGIN - 4 * DAY)
    execute(database, UpdateSession(
        session_id=off.id, status=SessionStatus.CANCELLED, cancel_reason="Snow"
    ))  # fmt: skip
    staff.credential(database, person, expires=TODAY - 2 * DAY)
    staff.supervise(database, other, supervisor_id=person.id)
    staff.supervise(database, person, next_due=TODAY + DAY)
    found = timed.get(f"/v1/facilitators/{person.id}/load")
    assert found.status_code == 200, found.text
    load = found.json()
    (led,) = load["groups"]
    assert (led["members"], led["capacity"], led["sessions"]) == (2, 5, 1)
    assert (load["members"], load["sessions"], load["supervises"]) == (2, 1, 1)
    assert load["warnings"] == [
        {"kind": "credential-expired", "since": "2026-03-01", "credential": staff.KIND}
    ]
    assert load["credentials"][0]["state"] == "expired"
    assert (load["supervision_due"], load["contact"]) == ("2026-03-03", "Dr. Lee, 555-0101")
    assert load["stops_enrollment"] is False
    clock.wait(2)
    later = timed.get(f"/v1/facilitators/{person.id}/load").json()
    assert [each["kind"] for each in later["warnings"]] == [
        "credential-expired", "supervision-overdue",
    ]  # fmt: skip
    assert later["stops_enrollment"] is True
    listed = everything(timed, "/v1/facilitators/load?limit=1")
    assert [each["facilitator_id"] for each in listed] == [str(person.id), str(other.id)]


def test_the_load_counts_sessions_of_the_period_that_is_asked_for(timed):
    person = world.facilitator(timed.database)
    group = staff.led(timed.database, person)
    for days in (1, 2, 3):
        world.session(timed.database, group, BEGIN - days * DAY)
    address = f"/v1/facilitators/{person.id}/load"

    def sessions(query):
        answer = timed.get(f"{address}?{query}")
        assert answer.status_code == 200, answer.text
        return answer.json()["sessions"]

    assert sessions("since=2026-02-28T09:00:00Z&until=2026-03-01T09:00:00Z") == 1
    assert sessions("until=2026-03-01T09:00:00Z") == 2
    assert sessions("since=2026-02-27T10:00:00%2B01:00") == 3
    wrong = timed.get(f"{address}?since=2026-03-03T00:00:00Z")
    assert rules(wrong) == {"until": "must lie after `since`"}
    assert list(rules(timed.get(f"{address}?since=2026-03-03T00:00:00"))) == ["since"]
    assert timed.get(f"/v1/facilitators/{uuid4()}/load").status_code == 404


def test_a_load_that_is_known_is_not_sent_again_and_a_new_day_is_news(timed, clock):
    person = world.facilitator(timed.database)
    staff.credential(timed.database, person, expires=TODAY)
    period = "since=2026-03-01T00:00:00Z&until=2026-03-02T00:00:00Z"
    address = f"/v1/facilitators/{person.id}/load?{period}"
    known = {"If-None-Match": timed.get(address).headers["etag"]}
    assert timed.get(address, headers=known).status_code == 304
    clock.wait(1)
    assert timed.get(address, headers=known).status_code == 200


def test_a_load_names_no_member(timed):
    person = world.facilitator(timed.database)
    member = world.patient(timed.database, family="Hidden")
    world.enroll(timed.database, member, staff.led(timed.database, person), start=BEGIN)
    text = timed.get("/v1/facilitators/load").text
    assert "Hidden" not in text
    assert str(member.id) not in text
    assert timed.audited()[-1] == []


def test_whoever_enrols_is_warned_and_not_told_of_what(timed, clock):
    person = world.facilitator(timed.database, family="Unnamed")
    staff.credential(timed.database, person, expires=TODAY)
    group = staff.led(timed.database, person)
    writer = timed.new_token("writer", "v1.read v1.write")

    def enroll():
        body = {"patient_id": str(world.patient(timed.database).id)}
        return timed.post(f"/v1/groups/{group.id}/enrollments", body, token=writer)

    assert enroll().json()["warnings"] == []
    clock.wait(1)
    warned = enroll()
    assert (warned.status_code, warned.json()["warnings"]) == (201, [LAPSE])
    read = timed.get(warned.headers["location"]).json()
    assert read | {"warnings": [LAPSE]} == warned.json()
    clock.wait(2)
    stopped = enroll()
    assert stopped.status_code == 422
    for answer in (warned, stopped):
        assert "Unnamed" not in answer.text
        assert staff.KIND not in answer.text
    assert "coordinator" in stopped.json()["detail"]
    assert timed.get(f"/v1/groups/{group.id}").json()["status"] == "active"


def test_interval_and_due_day_are_those_of_the_operator(api):
    person = world.facilitator(api.database)
    load = api.get(f"/v1/facilitators/{person.id}/load").json()
    assert (load["supervision_due"], load["warnings"]) == (None, [])
