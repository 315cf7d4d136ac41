"""Merges: made, listed, undone, and refused with what stands in the way."""

from uuid import uuid4

import pytest

from tests import world
from tests.api.v1.programme import Api, everything, rules


@pytest.fixture
def two(api: Api):
    return [world.patient(api.database) for _ in range(2)]


def merge(api: Api, source, target, **more):
    body = {"source_id": str(source.id), "reason": "One person", **more}
    return api.post(f"/v1/patients/{target.id}/merges", body)


def test_a_merge_is_made_listed_and_undone(api, two):
    source, target = two
    made = merge(api, source, target, merged_by="Sam", source_version=1, target_version=1)
    assert made.status_code == 201
    assert (made.json()["merged_by"], made.json()["undone_at"]) == ("Sam", None)
    address = made.headers["location"].removeprefix("https://alongside.test")
    assert api.get(address).json() == made.json()
    retired = api.get(f"/v1/patients/{source.id}").json()
    assert (retired["merged_into_id"], retired["version"]) == (str(target.id), 2)
    undone = api.post(f"{address}/undo", {"reason": "Two people"}, headers={"If-Match": '"1"'})
    assert undone.status_code == 200
    assert (undone.json()["undone_by"], undone.json()["version"]) == ("programme", 2)
    assert api.get(f"/v1/patients/{source.id}").json()["merged_into_id"] is None
    for query in ("", f"?patient_id={source.id}", f"?patient_id={target.id}"):
        assert everything(api, f"/v1/merges{query}") == [undone.json()]
    assert everything(api, f"/v1/merges?patient_id={uuid4()}") == []


def test_both_people_stand_in_the_audit_row_of_each_call(sqlite_api):
    source, target = (world.patient(sqlite_api.database) for _ in range(2))
    address = f"/v1/merges/{merge(sqlite_api, source, target).json()['id']}"
    for path in (address, "/v1/merges"):
        assert sqlite_api.get(path).status_code == 200
    assert sqlite_api.post(f"{address}/undo", {"reason": "Two"}).status_code == 200
    assert sqlite_api.post(f"{address}/undo", {"reason": "Two"}).status_code == 422
    both = {source.id.hex, target.id.hex}
    assert [set(people) for people in sqlite_api.audited()[-5:]] == [both] * 5


def test_what_stands_in_the_way_is_named(api, two):
    source, target = two
    hospital, group = world.hospital(api.database), world.group(api.database)
    for each in two:
        world.link(api.database, each, hospital)
        world.enroll(api.database, each, group)
    refused = merge(api, source, target)
    assert refused.status_code == 409
    assert list(rules(refused)) == [f"connections[{hospital.id}]", f"groups[{group.id}]"]


def test_a_version_that_is_not_the_current_one_is_refused(sqlite_api):
    source, target = (world.patient(sqlite_api.database) for _ in range(2))
    for name in ("source_version", "target_version"):
        stale = merge(sqlite_api, source, target, **{name: 2})
        assert stale.status_code == 412
        assert list(rules(stale)) == [name]
    address = f"/v1/merges/{merge(sqlite_api, source, target).json()['id']}/undo"
    stale = sqlite_api.post(address, {"reason": "Two"}, headers={"If-Match": '"7"'})
    assert stale.status_code == 412


def test_what_is_no_merge_is_named(sqlite_api):
    source, target = (world.patient(sqlite_api.database) for _ in range(2))
    for body, status, field in (
        ({"source_id": str(target.id)}, 422, "source_id"),
        ({"source_id": str(uuid4())}, 400, "source_id"),
        ({"source_id": "x"}, 422, "source_id"),
        ({"reason": " "}, 422, "reason"),
        ({"source_version": 0}, 422, "source_version"),
        ({"target_version": "1"}, 422, "target_version"),
        ({"other": 1}, 422, "other"),
    ):
        answer = merge(sqlite_api, source, target, **body)
        assert (answer.status_code, list(rules(answer))) == (status, [field])
    assert merge(sqlite_api, source, target).status_code == 201
    again = merge(sqlite_api, source, target)
    assert again.status_code == 409
    assert str(target.id) in rules(again)["source_id"]


def test_what_is_written_of_a_retired_record_is_refused_and_names_the_other(sqlite_api):
    source, target = (world.patient(sqlite_api.database) for _ in range(2))
    merge(sqlite_api, source, target)
    answer = sqlite_api.patch(f"/v1/patients/{source.id}", {"family": "Other"})
    assert answer.status_code == 409
    assert answer.json()["title"] == "The patient was merged into another"
    assert str(target.id) in answer.json()["detail"]
