"""Sessions and their attendance."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlmodel import col, select

from service.models.documents import PROGRAMME, Document
from tests import world
from tests.api.v1.programme import everything, rules

HOUR = timedelta(hours=1)


@pytest.fixture
def people(api):
    return [world.patient(api.database) for _ in range(3)]


@pytest.fixture
def held(api, people):
    group = world.group(api.database)
    for person in people:
        world.enroll(api.database, person, group)
    return world.session(api.database, group)


def encounters(api) -> list[int]:
    """Versions of the programme's Encounters that are current."""
    found = select(Document.version).where(
        Document.type == "Encounter",
        Document.audience == PROGRAMME,
        col(Document.deleted).is_(False),
    )
    return sorted(api.database.read(lambda session: session.exec(found).all()))


def marks(*people, mark="present"):
    return {"marks": [{"patient_id": str(person.id), "mark": mark} for person in people]}


def test_a_session_is_planned_moved_and_cancelled(api):
    group = world.group(api.database)
    body = {"start": "2031-01-06T18:00:00-05:00", "end": "2031-01-06T19:30:00-05:00"}
    planned = api.post(f"/v1/groups/{group.id}/sessions", body)
    assert planned.status_code == 201
    assert planned.json()["start"] == "2031-01-06T23:00:00Z"
    address = f"/v1/sessions/{planned.json()['id']}"
    moved = api.patch(address, {"end": "2031-01-06T20:00:00-05:00"})
    assert moved.json()["end"] == "2031-01-07T01:00:00Z"
    assert list(rules(api.patch(address, {"status": "cancelled"}))) == ["cancel_reason"]
    off = api.patch(address, {"status": "cancelled", "cancel_reason": "Snow"})
    assert off.json()["cancel_reason"] == "Snow"
    listed = f"/v1/groups/{group.id}/sessions"
    assert everything(api, listed) == everything(api, f"{listed}?status=cancelled") == [off.json()]


def test_times_need_an_offset_and_a_calendar(sqlite_api):
    group = world.group(sqlite_api.database)
    good = {"start": "2031-01-06T18:00:00Z", "end": "2031-01-06T19:00:00Z"}
    for wrong, rule in (
        ("2031-01-06T18:00:00", "offset"),
        (1_925_000_000, "text"),
        ("1925000000", "text"),
        ("2031-02-30T18:00:00Z", "day"),
        ("9999-12-31T23:59:59-01:00", "years"),
        ("9999-12-31T23:59:59.999999Z", "years"),
        ("0001-01-01T00:00:00+01:00", "years"),
        (None, "date"),
    ):
        answer = sqlite_api.post(f"/v1/groups/{group.id}/sessions", good | {"end": wrong})
        assert answer.status_code == 422
        assert rule in rules(answer)["end"]
        assert not rules(answer)["end"].startswith("Value error")
    answer = sqlite_api.post(f"/v1/groups/{group.id}/sessions", good | {"end": good["start"]})
    assert rules(answer) == {"end": "must lie after the start"}


def test_sessions_of_no_group_are_not_found(sqlite_api):
    assert sqlite_api.get(f"/v1/groups/{uuid4()}/sessions").status_code == 404
    assert sqlite_api.get(f"/v1/sessions/{uuid4()}/attendance").status_code == 404


def test_a_whole_session_is_recorded_and_its_encounters_follow(api, held, people):
    address = f"/v1/sessions/{held.id}/attendance"
    empty = api.get(address)
    assert (empty.json()["marks"], empty.headers["etag"]) == ([], 'W/"0"')
    done = api.put(address, marks(*people))
    assert done.status_code == 200
    assert done.headers["etag"] == 'W/"3"'
    assert {mark["recorded_by"] for mark in done.json()["marks"]} == {"programme"}
    assert api.get(address).json() == done.json()
    assert api.get(f"/v1/sessions/{held.id}").json()["status"] == "held"
    assert encounters(api) == [1, 1, 1]


def test_the_same_attendance_again_changes_nothing(api, held, people):
    address = f"/v1/sessions/{held.id}/attendance"
    first = api.put(address, marks(*people))
    again = api.put(address, marks(*people), headers={"If-Match": first.headers["etag"]})
    assert again.status_code == 200
    assert again.json() == first.json()


def test_a_correction_keeps_what_was_there(api, held, people):
    address = f"/v1/sessions/{held.id}/attendance"
    api.put(address, marks(*people))
    one = f"{address}/{people[0].id}"
    late = {"mark": "late", "arrived_at": (held.start + HOUR / 4).isoformat(), "recorded_by": "Sam"}
    answer = api.put(one, late)
    assert answer.status_code == 200
    assert answer.headers["etag"] == 'W/"4"'
    assert answer.json()["corrections"] == 1
    (was,) = everything(api, f"{one}/history")
    assert (was["mark"], was["recorded_by"], was["replaced_by"]) == ("present", "programme", "Sam")
    assert encounters(api) == [1, 1, 2]
    listed = api.get(address).json()["marks"]
    assert sorted(mark["corrections"] for mark in listed) == [0, 0, 1]


def test_attendance_that_changed_meanwhile_is_not_overwritten(api, held, people):
    address = f"/v1/sessions/{held.id}/attendance"
    first = api.put(address, marks(people[0])).headers["etag"]
    api.put(address, marks(people[1]))
    stale = api.put(address, marks(people[2]), headers={"If-Match": first})
    assert stale.status_code == 412
    one = api.put(f"{address}/{people[2].id}", {"mark": "late"}, headers={"If-Match": first})
    assert one.status_code == 412
    assert len(api.get(address).json()["marks"]) == 2


def test_one_wrong_mark_keeps_all_from_being_recorded(api, held, people):
    stranger = world.patient(api.database)
    body = marks(people[0], people[0], stranger)
    body["marks"].append({"patient_id": str(people[1].id), "mark": "present"})
    body["marks"][3]["arrived_at"] = held.start.isoformat()
    answer = api.put(f"/v1/sessions/{held.id}/attendance", body)
    assert rules(answer) == {
        "marks[1].patient_id": "stands twice",
        "marks[2].patient_id": "must be a member of the group when the session began",
        "marks[3].arrived_at": "is given with the mark `late` only",
    }
    assert api.get(f"/v1/sessions/{held.id}/attendance").json()["marks"] == []


def test_the_rule_that_one_mark_breaks_is_named_as_its_body_has_it(api, held, people):
    one = f"/v1/sessions/{held.id}/attendance/{people[0].id}"
    outside = {"mark": "late", "arrived_at": (held.start - HOUR).isoformat()}
    assert rules(api.put(one, outside)) == {"arrived_at": "must lie within the session"}
    stranger = f"/v1/sessions/{held.id}/attendance/{uuid4()}"
    assert list(rules(api.put(stranger, {"mark": "present"}))) == ["patient_id"]
    assert list(rules(api.put(one, {"mark": "asleep"}))) == ["mark"]
    assert api.get(f"{one}/history").status_code == 404


def test_the_audit_row_names_whoever_was_read_or_marked(sqlite_api):
    api = sqlite_api
    group, people = world.group(api.database), [world.patient(api.database) for _ in range(2)]
    for person in people:
        world.enroll(api.database, person, group)
    held = world.session(api.database, group)
    api.put(f"/v1/sessions/{held.id}/attendance", marks(*people))
    api.get(f"/v1/sessions/{held.id}/attendance")
    api.get(f"/v1/groups/{group.id}/enrollments?limit=1")
    api.get(f"/v1/patients/{uuid4()}")
    both = sorted(person.id.hex for person in people)
    *_, put, read, listed, missed = api.audited()
    assert put == read == both
    assert listed == [people[0].id.hex]
    assert missed == []  # an unknown id is nobody's
