"""The waitlist, offers, holds, transfers and walk-ins as the programme's software meets them."""

from datetime import timedelta
from uuid import uuid4

import pytest

from service.fhir.refresh import refresh_due
from tests import world
from tests.api.v1.programme import everything, rules

HOUR = timedelta(hours=1)


@pytest.fixture
def group(api):
    return world.group(api.database, capacity=1)


def enrol(api, group, **more):
    person = world.patient(api.database)
    body = {"patient_id": str(person.id), **more}
    return api.post(f"/v1/groups/{group.id}/enrollments", body)


def waiting(api, group, count):
    return [enrol(api, group, status="waitlisted").json() for _ in range(count)]


def finish(api, row):
    body = {"status": "finished", "reason": "Moved away"}
    assert api.patch(f"/v1/enrollments/{row['id']}", body).status_code == 200


def answer(api, row, body, **more):
    return api.post(f"/v1/enrollments/{row['id']}/offer-answer", body, **more)


def test_the_list_says_who_has_an_offer_and_who_is_next(api, group):
    holder = enrol(api, group).json()
    rows = waiting(api, group, 3)
    finish(api, holder)
    address = f"/v1/groups/{group.id}/waitlist"
    listed = api.get(address).json()["items"]
    assert [each["enrollment_id"] for each in listed] == [row["id"] for row in rows]
    assert [(each["status"], each["position"]) for each in listed] == [
        ("offered", None),
        ("waitlisted", 1),
        ("waitlisted", 2),
    ]
    assert [each["until"] is None for each in listed] == [False, True, True]
    assert everything(api, f"{address}?limit=1") == listed
    for wrong in ("x", "YXxi"):
        assert list(rules(api.get(f"{address}?cursor={wrong}"))) == ["cursor"]
    assert api.get(f"/v1/groups/{uuid4()}/waitlist").status_code == 404


def test_an_offer_is_accepted_with_the_version_that_was_seen(api, group):
    holder = enrol(api, group).json()
    (first, second) = waiting(api, group, 2)
    stale = {"If-Match": f'W/"{first["version"]}"'}
    finish(api, holder)
    assert answer(api, first, {"answer": "accept"}, headers=stale).status_code == 412
    seen = api.get(f"/v1/enrollments/{first['id']}")
    assert seen.json()["status"] == "offered"
    done = answer(api, first, {"answer": "accept"}, headers={"If-Match": seen.headers["etag"]})
    assert (done.status_code, done.json()["status"], done.json()["until"]) == (200, "active", None)
    refused = answer(api, second, {"answer": "accept"})
    assert refused.status_code == 422
    assert "no offer stands" in refused.json()["detail"]


def test_a_declined_offer_goes_to_the_next(api, group):
    holder = enrol(api, group).json()
    first, second = waiting(api, group, 2)
    finish(api, holder)
    later = (world.now() + 48 * HOUR).isoformat()
    done = answer(api, first, {"answer": "decline", "not_before": later, "reason": "In May"})
    assert done.json()["status"] == "waitlisted"
    assert done.json()["history"][-1]["reason"] == "In May"
    assert answer(api, second, {"answer": "decline"}).json()["status"] == "finished"
    (left,) = api.get(f"/v1/groups/{group.id}/waitlist").json()["items"]
    assert left["until"] == done.json()["until"]
    assert list(rules(answer(api, second, {"answer": "perhaps"}))) == ["answer"]


def test_a_group_that_offers_by_hand(sqlite_api):
    api = sqlite_api
    made = world.group(api.database, capacity=1)
    address = f"/v1/groups/{made.id}"
    changed = api.patch(address, {"promotion": "manual", "offer_hours": 5}).json()
    assert (changed["promotion"], changed["offer_hours"]) == ("manual", 5)
    (row,) = waiting(api, made, 1)
    assert row["status"] == "waitlisted"
    offered = api.post(f"{address}/offers")
    assert (offered.status_code, offered.json()["id"]) == (200, row["id"])
    assert api.post(f"{address}/offers").status_code == 422
    assert list(rules(api.patch(address, {"offer_hours": 0}))) == ["offer_hours"]
    assert list(rules(api.patch(address, {"promotion": "never"}))) == ["promotion"]


def test_nobody_goes_past_who_waits(sqlite_api):
    api = sqlite_api
    made = world.group(api.database, capacity=1)
    api.patch(f"/v1/groups/{made.id}", {"promotion": "manual"})
    waiting(api, made, 1)
    refused = enrol(api, made)
    assert (refused.status_code, list(rules(refused))) == (422, ["status"])
    assert list(rules(enrol(api, made, ahead_of_waitlist=True))) == ["reason"]
    urgent = enrol(api, made, ahead_of_waitlist=True, reason="Discharged today")
    assert urgent.status_code == 201
    assert urgent.json()["history"][0]["reason"] == "Discharged today"


def test_a_hold_has_a_reason_and_may_have_an_end(api, group):
    row = enrol(api, group, start="2026-01-05T17:00:00Z").json()
    address = f"/v1/enrollments/{row['id']}"
    assert list(rules(api.patch(address, {"status": "on-hold"}))) == ["reason"]
    until = (world.now() + 48 * HOUR).isoformat()
    body = {"status": "on-hold", "reason": "Travelling", "until": until}
    held = api.patch(address, body)
    assert held.json()["status"] == "on-hold"
    assert held.json()["until"] is not None
    assert enrol(api, group).status_code == 422  # the seat is kept


def test_what_the_clock_ended_is_ended_before_anything_is_answered(api, group):
    """No request settles what another has read: it is done before the first byte."""
    row = enrol(api, group, start="2026-01-05T17:00:00Z").json()
    address = f"/v1/enrollments/{row['id']}"
    past = {"at": "2026-02-01T00:00:00Z", "until": "2026-02-08T00:00:00Z"}
    api.patch(address, {"status": "on-hold", "reason": "Travelled", **past})
    seen = api.get(address).json()
    assert (seen["status"], seen["until"]) == ("active", None)
    assert seen["history"][-1]["start"] == past["until"]
    assert refresh_due(api.database, api.context.clock) == 0


def test_a_transfer_answers_with_the_new_enrolment(api, group):
    other = world.group(api.database, capacity=1)
    row = enrol(api, group).json()
    body = {"group_id": str(other.id), "reason": "Closer to home"}
    address = f"/v1/enrollments/{row['id']}/transfer"
    assert api.post(address, body, headers={"If-Match": 'W/"9"'}).status_code == 412
    moved = api.post(address, body, headers={"If-Match": 'W/"1"'})
    assert moved.status_code == 201
    assert moved.headers["location"].endswith(moved.json()["id"])
    new, old = moved.json(), api.get(f"/v1/enrollments/{row['id']}").json()
    assert new["transferred_from_id"] == old["id"]
    assert old["transferred_to_id"] == new["id"]
    assert old["finish_reason"] == "transferred"
    full = enrol(api, group).json()
    refused = api.post(f"/v1/enrollments/{full['id']}/transfer", body)
    assert list(rules(refused)) == ["status"]
    unknown = api.post(f"/v1/enrollments/{full['id']}/transfer", {"group_id": str(uuid4())})
    assert list(rules(unknown)) == ["group_id"]


def test_a_walk_in_is_a_guest_of_the_session(api, group):
    person = world.patient(api.database)
    held = world.session(api.database, group)
    address = f"/v1/sessions/{held.id}/walk-ins"
    came = api.post(address, {"patient_id": str(person.id), "recorded_by": "Sam"})
    assert came.status_code == 200
    assert came.headers["etag"] == 'W/"1"'
    assert (came.json()["guest"], came.json()["recorded_by"]) == (True, "Sam")
    (mark,) = api.get(f"/v1/sessions/{held.id}/attendance").json()["marks"]
    assert mark["guest"]
    row = api.get(f"/v1/enrollments/{mark['enrollment_id']}").json()
    assert (row["guest"], row["status"]) == (True, "finished")
    late = {"patient_id": str(person.id), "arrived_at": held.start.isoformat()}
    assert list(rules(api.post(address, late))) == ["arrived_at"]
    nobody = api.post(address, {"patient_id": str(uuid4())})
    assert list(rules(nobody)) == ["patient_id"]
    stale = api.post(address, {"patient_id": str(person.id)}, headers={"If-Match": 'W/"0"'})
    assert stale.status_code == 412


def test_the_audit_row_names_who_is_on_the_list(sqlite_api):
    api = sqlite_api
    made = world.group(api.database, capacity=1)
    rows = [enrol(api, made).json(), *waiting(api, made, 2)]
    api.get(f"/v1/groups/{made.id}/waitlist")
    assert api.audited()[-1] == sorted(row["patient_id"].replace("-", "") for row in rows[1:])
