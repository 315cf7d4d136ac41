"""Patients, their links, consents, enrolments and timelines."""

import base64
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from tests import world
from tests.api.v1.programme import BASE, everything, rules

PERSON = {"family": "Rivera", "given": "Lucia", "birth_date": "1988-04-17", "phone": "555-0142"}


def test_a_patient_is_created_changed_and_emptied_by_null(api):
    made = api.post("/v1/patients", PERSON)
    assert made.status_code == 201
    address = made.headers["location"]
    changed = api.patch(address, {"phone": None, "language": "es"}, headers={"If-Match": '"1"'})
    expected = made.json() | {"phone": None, "language": "es", "version": 2}
    assert changed.json() == api.get(address).json() == expected


def test_what_a_patient_may_not_be_is_named(sqlite_api):
    def broken(**more):
        answer = sqlite_api.post("/v1/patients", PERSON | more)
        assert answer.status_code in {400, 422}
        return rules(answer)

    assert broken(birth_date="2999-01-01") == {"birth_date": "must not lie in the future"}
    for wrong in ("1988", 576_547_200, "1988-04-31", "17.4.1988", True):
        assert list(broken(birth_date=wrong)) == ["birth_date"]
    assert list(broken(family="")) == ["family"]
    assert list(broken(gender="f")) == ["gender"]
    assert list(broken(phone="5" * 501)) == ["phone"]
    assert list(rules(sqlite_api.post("/v1/patients", {}))) == ["family", "given"]


def test_every_patient_is_on_exactly_one_page(api):
    made = [str(world.patient(api.database).id) for _ in range(7)]
    for limit in (1, 3, 7, 200):
        assert [item["id"] for item in everything(api, f"/v1/patients?limit={limit}")] == made


def test_the_link_header_names_the_next_page(sqlite_api):
    for _ in range(2):
        world.patient(sqlite_api.database)
    page = sqlite_api.get("/v1/patients?limit=1")
    following = page.json()["next"]
    assert following.startswith(f"{BASE}/v1/patients?limit=1&cursor=")
    assert page.headers["link"] == f'<{following}>; rel="next"'
    last = sqlite_api.get(following)
    assert last.json()["next"] is None
    assert "link" not in last.headers


@pytest.mark.parametrize("path", ["/v1/patients", "/v1/instruments", "/v1/patients/{}/timeline"])
def test_a_cursor_that_is_not_ours_is_named(sqlite_api, path):
    address = path.format(world.patient(sqlite_api.database).id)
    made_up = [base64.urlsafe_b64encode(text).decode() for text in (b"x", b"a|b|c", b"\xff", b"|")]
    for cursor in ("!", "é", "a", *made_up, base64.b64encode(b"2026-01-01|x|zz").decode()):
        answer = sqlite_api.get(address, params={"cursor": cursor})
        if path == "/v1/instruments" and cursor == made_up[0]:
            continue  # any name is a place in the order of names
        assert answer.status_code == 400, cursor
        assert list(rules(answer)) == ["cursor"]


def test_a_limit_out_of_range_is_named(sqlite_api):
    for limit in ("0", "201", "-1", "many"):
        answer = sqlite_api.get(f"/v1/patients?limit={limit}")
        assert answer.status_code == 422
        assert list(rules(answer)) == ["limit"]


def test_a_link_is_made_once_and_undone_with_a_reason(api):
    hospital, person = world.hospital(api.database), world.patient(api.database)
    body = {"connection_id": str(hospital.id), "ehr_patient_id": "e1", "mrn": "M1"}
    made = api.post(f"/v1/patients/{person.id}/links", body)
    assert made.status_code == 201
    link = made.json()
    assert (link["mrn_system"], link["confirmed_by"]) == (hospital.mrn_system, "programme")
    again = api.post(f"/v1/patients/{person.id}/links", body)
    assert again.status_code == 409
    undo = f"/v1/links/{link['id']}/undo"
    assert list(rules(api.post(undo, {}))) == ["reason"]
    stale = api.post(undo, {"reason": "A namesake"}, headers={"If-Match": 'W/"9"'})
    assert stale.status_code == 412
    undone = api.post(undo, {"reason": "A namesake", "undone_by": "Sam"})
    assert undone.json()["undone_by"] == "Sam"
    assert api.get(f"/v1/links/{link['id']}").json() == undone.json()
    assert api.post(undo, {"reason": "Again"}).status_code == 422
    assert everything(api, f"/v1/patients/{person.id}/links") == [undone.json()]


def test_a_link_to_no_hospital_or_with_no_fhir_id_is_named(sqlite_api):
    person = world.patient(sqlite_api.database)
    body = {"connection_id": str(uuid4()), "ehr_patient_id": "e1", "mrn": "M1"}
    address = f"/v1/patients/{person.id}/links"
    assert list(rules(sqlite_api.post(address, body))) == ["connection_id"]
    wrong = sqlite_api.post(address, body | {"ehr_patient_id": "a/b"})
    assert list(rules(wrong)) == ["ehr_patient_id"]


def test_a_consent_is_recorded_and_withdrawn(api):
    hospital, person = world.hospital(api.database), world.patient(api.database)
    body = {"connection_id": str(hospital.id), "category": "scores", "recorded_by": "Sam"}
    made = api.post(f"/v1/patients/{person.id}/consents", body)
    assert made.status_code == 201
    assert made.json()["recorded_by"] == "Sam"
    withdraw = f"/v1/consents/{made.json()['id']}/withdraw"
    assert api.post(withdraw, headers={"If-Match": '"2"'}).status_code == 412
    gone = api.post(withdraw)
    assert gone.status_code == 200
    assert (gone.json()["withdrawn_by"], gone.headers["etag"]) == ("programme", 'W/"2"')
    assert api.post(withdraw, {"withdrawn_by": "Sam"}).status_code == 422
    assert api.get(f"/v1/consents/{made.json()['id']}").json() == gone.json()
    assert everything(api, f"/v1/patients/{person.id}/consents") == [gone.json()]


def test_an_enrolment_keeps_the_history_of_its_status(api):
    group, person = world.group(api.database), world.patient(api.database)
    address = f"/v1/groups/{group.id}/enrollments"
    made = api.post(address, {"patient_id": str(person.id), "status": "waitlisted"})
    assert made.status_code == 201
    one = made.headers["location"]
    assert list(rules(api.post(address, {"patient_id": str(person.id)}))) == ["patient_id"]
    assert api.patch(one, {"status": "active"}).status_code == 200
    assert list(rules(api.patch(one, {"status": "finished"}))) == ["reason"]
    done = api.patch(one, {"status": "finished", "reason": "Moved away"})
    history = [(each["status"], each["reason"]) for each in done.json()["history"]]
    assert history == [
        ("waitlisted", None),
        ("offered", "A seat is free"),
        ("active", None),
        ("finished", "Moved away"),
    ]
    assert list(rules(api.patch(one, {"status": "active"}))) == ["status"]
    assert everything(api, f"{address}?status=finished") == [done.json()]
    assert api.get(one).json() == done.json()


def test_an_enrolment_of_nobody_is_named_and_a_full_group_says_so(api):
    group = world.group(api.database, capacity=1)
    address = f"/v1/groups/{group.id}/enrollments"
    assert list(rules(api.post(address, {"patient_id": str(uuid4())}))) == ["patient_id"]
    world.enroll(api.database, world.patient(api.database), group)
    full = api.post(address, {"patient_id": str(world.patient(api.database).id)})
    assert full.status_code == 422
    assert "full" in rules(full)["status"]


def test_a_timeline_tells_everything_in_order_and_nothing_of_others(api):
    hospital, group = world.hospital(api.database), world.group(api.database)
    person, other = (world.linked(api.database, hospital) for _ in range(2))
    for each in (person, other):
        world.enroll(api.database, each, group)
        world.respond(api.database, each, world.phq9(2), group_id=group.id)
    world.attend(api.database, world.session(api.database, group), person, other)
    consent = everything(api, f"/v1/patients/{person.id}/consents")[0]
    api.post(f"/v1/consents/{consent['id']}/withdraw")
    address = f"/v1/patients/{person.id}/timeline"
    items = everything(api, address)
    assert [item["at"] for item in items] == sorted(item["at"] for item in items)
    kinds = [item["kind"] for item in items]
    assert kinds[:2] == ["enrollment", "attendance"]
    assert sorted(set(kinds)) == sorted(
        ["attendance", "consent", "consent-withdrawal", "enrollment", "response"]
    )
    assert len(kinds) == 1 + 1 + 1 + 6 + 1
    (score,) = (item for item in items if item["kind"] == "response")
    assert (score["total"], score["band"]) == (16, "moderately severe")
    for limit in (1, 2, 5):
        assert everything(api, f"{address}?limit={limit}") == items


def test_a_timeline_pages_through_entries_of_one_moment(api):
    hospital, person = world.hospital(api.database), world.patient(api.database)
    at = datetime(2026, 1, 5, 12, tzinfo=UTC)
    world.consent(api.database, person, hospital, start=at, end=at + timedelta(days=9))
    group = world.group(api.database)
    world.enroll(api.database, person, group, start=at)
    address = f"/v1/patients/{person.id}/timeline"
    whole = everything(api, address)
    assert len(whole) == 7
    assert everything(api, f"{address}?limit=1") == everything(api, f"{address}?limit=4") == whole


def test_the_timeline_of_nobody_is_not_found(sqlite_api):
    assert sqlite_api.get(f"/v1/patients/{uuid4()}/timeline").status_code == 404
