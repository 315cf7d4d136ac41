"""Series over `/v1`: planned, changed, excepted, ended; what a session says of its series."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.models.groups import GroupStatus
from tests import world
from tests.api.v1.programme import Api, everything, open_api, rules
from tests.series import Time

WEEKLY = {
    "rrule": "FREQ=WEEKLY;BYDAY=TU",
    "start": "2026-02-03T18:00:00",
    "time_zone": "America/New_York",
    "minutes": 90,
}


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def api(database_url: str, tmp_path: Path, time: Time) -> Iterator[Api]:
    with open_api(database_url, tmp_path, time) as opened:
        yield opened


@pytest.fixture
def sqlite_api(sqlite_url: str, tmp_path: Path, time: Time) -> Iterator[Api]:
    with open_api(sqlite_url, tmp_path, time) as opened:
        yield opened


def begun(api: Api, **more: Any) -> tuple[str, dict[str, Any]]:
    """The address of a new series, and what was answered."""
    group = world.group(api.database)
    answer = api.post(f"/v1/groups/{group.id}/series", {**WEEKLY, **more})
    assert answer.status_code == 201, answer.text
    path = f"/v1/series/{answer.json()['id']}"
    assert answer.headers["location"].endswith(path)
    return path, answer.json()


def dates(api: Api, path: str) -> list[tuple[str, str]]:
    rows = everything(api, f"{path}/sessions")
    ordered = sorted(rows, key=lambda row: str(row["start"]))
    return [(row["start"], row["status"]) for row in ordered]


def test_a_series_is_begun_read_changed_and_ended(api: Api, time: Time) -> None:
    path, made = begun(api, minimum_size=4)
    assert made["start"] == "2026-02-03T18:00:00"
    assert (made["rrule"], made["format"]) == ("FREQ=WEEKLY;BYDAY=TU", "open")
    assert made["below_minimum"] is True
    assert api.get(path).json() == made
    assert everything(api, f"/v1/groups/{made['group_id']}/series") == [made]
    rows = everything(api, f"{path}/sessions")
    assert len(rows) == 12
    assert {row["series_id"] for row in rows} == {made["id"]}
    assert (rows[0]["start"], rows[0]["occurrence"]) == (
        "2026-02-03T23:00:00Z",
        "2026-02-03T18:00:00",
    )
    assert (rows[5]["start"], rows[5]["recurrence"]) == ("2026-03-10T22:00:00Z", "rule")
    assert everything(api, f"/v1/groups/{made['group_id']}/sessions") == rows

    tag = api.get(path).headers["etag"]
    change = {
        "rrule": "FREQ=WEEKLY;BYDAY=WE",
        "start": "2026-03-04T18:30",
        "from_date": "2026-03-01",
    }
    changed = api.patch(path, change, headers={"If-Match": tag})
    assert changed.status_code == 200, changed.text
    assert (changed.json()["start"], changed.json()["version"]) == ("2026-03-04T18:30:00", 2)
    assert api.patch(path, change, headers={"If-Match": tag}).status_code == 412
    assert api.patch(path, change).json() == changed.json()
    assert [row["id"] for row in everything(api, f"{path}/sessions")] == [row["id"] for row in rows]

    time.pass_by(weeks=2)
    assert api.post(f"{path}/plan").json() == {"made": 2, "complete": True}
    again = api.post(f"{path}/plan")
    assert (again.json(), again.headers["etag"]) == ({"made": 0, "complete": True}, 'W/"2"')

    ended = api.post(f"{path}/end", {"reason": "The room is gone", "from_date": "2026-04-01"})
    assert (ended.status_code, ended.json()["ended_from"]) == (200, "2026-04-01")
    states = [status for _, status in dates(api, path)]
    assert states == ["scheduled"] * 8 + ["cancelled"] * 6
    assert api.patch(path, {"minutes": 60}).status_code == 422


def test_an_occurrence_is_moved_cancelled_and_added(api: Api) -> None:
    path, made = begun(api)
    at = {"occurrence": "2026-02-10T18:00:00"}
    moved = api.post(f"{path}/exceptions", {**at, "moved_to": "2026-02-11T19:00"})
    assert moved.status_code == 200, moved.text
    assert moved.json()["start"] == "2026-02-12T00:00:00Z"
    assert moved.json()["occurrence"] == "2026-02-10T18:00:00"
    off = api.post(f"{path}/exceptions", {**at, "reason": "Snow"}).json()
    assert (off["id"], off["status"], off["cancel_reason"]) == (
        moved.json()["id"], "cancelled", "Snow",
    )  # fmt: skip
    extra = api.post(f"{path}/extras", {"start": "2026-02-19T18:00:00", "minutes": 30})
    assert extra.status_code == 201
    where = f"/v1/sessions/{extra.json()['id']}"
    assert extra.headers["location"].endswith(where)
    shown = api.get(where).json()
    assert (shown["recurrence"], shown["series_id"]) == ("extra", made["id"])
    assert api.post(f"{path}/extras", {"start": "2026-02-19T18:00:00"}).status_code == 409
    assert len(everything(api, f"{path}/sessions")) == 13


def test_what_is_moved_by_the_sessions_own_address_stays_of_its_series(sqlite_api: Api) -> None:
    path, _ = begun(sqlite_api)
    (first, *_) = everything(sqlite_api, f"{path}/sessions")
    body = {"start": "2026-02-04T18:00:00-05:00", "end": "2026-02-04T19:00:00-05:00"}
    moved = sqlite_api.patch(f"/v1/sessions/{first['id']}", body).json()
    assert (moved["occurrence"], moved["series_id"]) == (first["occurrence"], first["series_id"])
    assert sqlite_api.post(f"{path}/plan").json()["made"] == 0


def test_a_series_tells_whether_its_group_is_below_the_minimum(sqlite_api: Api) -> None:
    path, made = begun(sqlite_api, minimum_size=1)
    before = sqlite_api.get(path)
    body = {"patient_id": str(world.patient(sqlite_api.database).id)}
    joined = sqlite_api.post(f"/v1/groups/{made['group_id']}/enrollments", body)
    assert joined.status_code == 201
    after = sqlite_api.get(path, headers={"If-None-Match": before.headers["etag"]})
    assert after.status_code == 200  # who joins does not raise the version, so it is always told
    assert (before.json()["below_minimum"], after.json()["below_minimum"]) == (True, False)
    _, other = begun(sqlite_api)
    assert (other["minimum_size"], other["below_minimum"]) == (None, False)


def test_a_closed_series_takes_nobody_once_it_has_begun(sqlite_api: Api, time: Time) -> None:
    path, made = begun(sqlite_api, format="closed")
    time.pass_by(days=4)
    body = {"patient_id": str(world.patient(sqlite_api.database).id)}
    refused = sqlite_api.post(f"/v1/groups/{made['group_id']}/enrollments", body)
    assert refused.status_code == 422
    assert "closed series" in refused.json()["detail"]
    assert sqlite_api.patch(path, {"format": "open"}).status_code == 200
    assert sqlite_api.post(f"/v1/groups/{made['group_id']}/enrollments", body).status_code == 201


@pytest.mark.parametrize(
    ("more", "status", "field"),
    [
        ({"rrule": "FREQ=HOURLY"}, 400, "rrule"),
        ({"rrule": ""}, 422, "rrule"),
        ({"start": "2026-02-03T18:00:00Z"}, 422, "start"),
        ({"start": "2026-02-03T18:00:00-05:00"}, 422, "start"),
        ({"start": "2026-02-30T18:00:00"}, 422, "start"),
        ({"start": 1770000000}, 422, "start"),
        ({"start": "9999-12-31T23:00:00"}, 422, "start"),
        ({"start": "1970-01-06T18:00:00"}, 400, "start"),
        ({"start": "2026-02-04T18:00:00"}, 400, "start"),
        ({"time_zone": "Mars/Olympus"}, 400, "time_zone"),
        ({"time_zone": "../../etc/passwd"}, 400, "time_zone"),
        ({"minutes": 0}, 422, "minutes"),
        ({"minutes": 2000}, 400, "minutes"),
        ({"minimum_size": 0}, 422, "minimum_size"),
        ({"format": "ajar"}, 422, "format"),
        ({"colour": "red"}, 422, "colour"),
        ({"place_id": "0199b7c2-7d10-7c11-8a9f-1f4be2a9c001"}, 400, "place_id"),
    ],
)
def test_what_is_wrong_with_a_series_is_named(
    sqlite_api: Api, more: dict[str, Any], status: int, field: str
) -> None:
    group = world.group(sqlite_api.database)
    answer = sqlite_api.post(f"/v1/groups/{group.id}/series", {**WEEKLY, **more})
    assert answer.status_code == status, answer.text
    assert field in rules(answer)
    assert everything(sqlite_api, f"/v1/groups/{group.id}/series") == []


@pytest.mark.parametrize("year", ["2026", "8999"])
def test_a_start_in_a_far_year_fails_nowhere(sqlite_api: Api, year: str) -> None:
    path, _ = begun(sqlite_api, start=f"{year}-02-03T18:00:00", rrule="FREQ=DAILY")
    for way, body in (
        ("plan", None),
        ("exceptions", {"occurrence": f"{year}-12-31T18:00:00", "reason": "x"}),
        ("extras", {"start": f"{year}-12-31T23:59:00"}),
        ("end", {"reason": "x", "from_date": "9999-12-31"}),
    ):
        assert sqlite_api.post(f"{path}/{way}", body).status_code < 500


def test_dates_at_the_end_of_the_calendar_fail_nowhere(sqlite_api: Api) -> None:
    path, _ = begun(sqlite_api)
    change = {"from_date": "9999-12-31", "start": "8999-12-31T18:00"}
    assert rules(sqlite_api.patch(path, change)).keys() == {"start"}
    assert rules(sqlite_api.patch(path, {"from_date": "9999-12-31"})).keys() == {"from_date"}
    until = sqlite_api.patch(path, {"rrule": "FREQ=WEEKLY;BYDAY=TU;UNTIL=99991231T235959Z"})
    assert until.status_code == 200


def test_a_closed_group_begins_no_series(sqlite_api: Api) -> None:
    group = world.group(sqlite_api.database, status=GroupStatus.CLOSED)
    assert sqlite_api.post(f"/v1/groups/{group.id}/series", WEEKLY).status_code == 422
