"""Concerns through `/v1`: who raises them gets an id, who coordinates reads what was said."""

import logging
from uuid import uuid4

import pytest

from service.settings import CRISIS_TEXT
from tests import staff, world
from tests.api.v1.programme import BASE, everything, open_api, rules
from tests.staff import Clock

SAID = "Lucia Rivera was told to stop her medication"
CONCERN = {"kind": "misinformation", "severity": "high", "statement": SAID}


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def timed(database_url, tmp_path, clock):
    with open_api(database_url, tmp_path, clock, concern_acknowledge_hours=8) as opened:
        yield opened


def raised(api, group, **more):
    answer = api.post(f"/v1/groups/{group.id}/concerns", CONCERN | more)
    assert answer.status_code == 201, answer.text
    return answer


def test_whoever_raises_a_concern_gets_its_id_and_nothing_else(api):
    writer = api.new_token("writer", "v1.read v1.write")
    group = world.group(api.database)
    answer = api.post(f"/v1/groups/{group.id}/concerns", CONCERN, token=writer)
    assert answer.status_code == 201
    assert answer.json() == {"id": answer.json()["id"], "crisis_text": None}
    address = answer.headers["location"]
    assert address == f"{BASE}/v1/concerns/{answer.json()['id']}"
    assert api.get(address, token=writer).status_code == 403
    assert api.get("/v1/concerns", token=writer).status_code == 403


def test_a_safeguarding_concern_is_answered_with_the_crisis_text(api):
    group = world.group(api.database)
    answer = raised(api, group, kind="safeguarding").json()
    assert answer == {"id": answer["id"], "crisis_text": CRISIS_TEXT}
    for kind in ("facilitator-wellbeing", "other"):
        assert raised(api, group, kind=kind).json()["crisis_text"] is None


def test_the_notice_says_kind_group_session_and_when_and_quotes_nobody(timed):
    person, supervisor = world.facilitator(timed.database), world.facilitator(timed.database)
    group = staff.led(timed.database, person)
    staff.supervise(timed.database, person, supervisor_id=supervisor.id)
    held = world.session(timed.database, group)
    made = raised(timed, group, session_id=str(held.id)).json()
    (notice,) = everything(timed, "/v1/concerns")
    assert notice == {
        "id": made["id"],
        "version": 1,
        "created_at": notice["created_at"],
        "group_id": str(group.id),
        "session_id": str(held.id),
        "kind": "misinformation",
        "severity": "high",
        "state": "open",
        "raised_at": "2026-03-02T09:00:00Z",
        "supervisor_id": str(supervisor.id),
        "contact": None,
        "acknowledge_by": "2026-03-02T17:00:00Z",
        "acknowledged_at": None,
        "acknowledged_by": None,
        "closed_at": None,
        "closed_by": None,
        "address": f"/v1/concerns/{made['id']}",
    }
    whole = timed.get(notice["address"]).json()
    assert whole == notice | {"raised_by": "programme", "statement": SAID}


def test_notices_are_listed_by_supervisor_state_and_whether_they_wait(timed, clock):
    person, supervisor = world.facilitator(timed.database), world.facilitator(timed.database)
    led = staff.led(timed.database, person)
    staff.supervise(timed.database, person, supervisor_id=supervisor.id)
    first = raised(timed, led).json()["id"]
    second = raised(timed, world.group(timed.database)).json()["id"]

    def ids(query=""):
        return [each["id"] for each in everything(timed, f"/v1/concerns?limit=1{query}")]

    assert ids() == [first, second]
    assert ids(f"&supervisor_id={supervisor.id}") == [first]
    assert ids("&overdue=true") == []
    clock.wait(1)
    assert ids("&overdue=true") == [first, second]
    timed.post(f"/v1/concerns/{second}/acknowledge", {"by": "Sam Ortiz"})
    assert ids("&overdue=true") == [first]
    assert ids("&state=acknowledged") == [second]
    assert ids("&state=closed") == []


def test_a_concern_is_taken_up_and_closed_with_the_group_on_hold(api):
    group = world.group(api.database)
    address = f"/v1/concerns/{raised(api, group).json()['id']}"
    taken = api.post(f"{address}/acknowledge", headers={"If-Match": '"1"'})
    assert taken.status_code == 200, taken.text
    assert (taken.json()["state"], taken.json()["acknowledged_by"]) == (
        "acknowledged", "programme",
    )  # fmt: skip
    assert taken.json()["acknowledge_by"] is None
    assert api.post(f"{address}/close", headers={"If-Match": '"1"'}).status_code == 412
    closed = api.post(f"{address}/close", {"by": "Sam Ortiz", "hold_group": True})
    assert (closed.json()["state"], closed.json()["closed_by"]) == ("closed", "Sam Ortiz")
    assert "statement" not in closed.json()
    assert api.get(f"/v1/groups/{group.id}").json()["status"] == "on-hold"
    body = {"patient_id": str(world.patient(api.database).id)}
    refused = api.post(f"/v1/groups/{group.id}/enrollments", body)
    assert "on-hold" in refused.json()["detail"]
    assert api.post(f"{address}/close").status_code == 422


def test_what_a_concern_may_not_be_is_named_and_not_repeated(sqlite_api, caplog):
    group = world.group(sqlite_api.database)
    with caplog.at_level(logging.DEBUG):
        for more, field in (
            ({"kind": "gossip"}, "kind"),
            ({"severity": "9"}, "severity"),
            ({"session_id": str(uuid4())}, "session_id"),
            ({"statement": SAID * 20}, "statement"),
            ({"statement": f"{SAID}\x00"}, "statement"),
            ({"about": SAID}, "about"),
        ):
            answer = sqlite_api.post(f"/v1/groups/{group.id}/concerns", CONCERN | more)
            assert list(rules(answer)) == [field]
            assert "Rivera" not in answer.text
        raised(sqlite_api, group)
    assert "Rivera" not in caplog.text
    assert b"Rivera" not in sqlite_api.audit_file.read_bytes()
    assert sqlite_api.post(f"/v1/groups/{uuid4()}/concerns", CONCERN).status_code == 404
    assert sqlite_api.post(f"/v1/concerns/{uuid4()}/close").status_code == 404


def test_hospitals_see_nothing_of_concerns_rules_or_staff_data(api):
    database = api.database
    hospital = world.hospital(database)
    person = world.facilitator(database, name_is_public=True)
    group = staff.led(database, person)
    world.enroll(database, world.linked(database, hospital), group)
    token = api.new_token("hospital", "system/*.rs", hospital)

    def world_of(audience):
        paths = ("", "/Practitioner", "/PractitionerRole", "/HealthcareService")
        found = [api.get(f"/fhir{path}/_history", token=audience).json() for path in paths]
        return [each["entry"] for each in found]

    before = world_of(token)
    assert before[0]
    raised(api, group)
    credential = {"kind": "Licence", "issuer": "Board", "expires": "2026-01-01"}
    api.post(f"/v1/facilitators/{person.id}/credentials", credential)
    api.put(f"/v1/facilitators/{person.id}/supervision", {"contact": "Dr. Lee"})
    api.post("/v1/rules", {"text": "Be kind.", "group_id": str(group.id)})
    api.patch(f"/v1/groups/{group.id}", {"rules_required": True})
    api.get("/v1/facilitators/load")
    assert world_of(token) == before
