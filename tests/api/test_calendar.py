"""A facilitator's calendar: what a phone is told, who may read it, where its key never stands."""

import json
import logging
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar

from api import logs
from api.audit_rows import redacted
from service.calendars import TOKEN, hashed
from service.commands import (
    AddExtraSession,
    CreateFacilitator,
    CreatePlace,
    ExceptOccurrence,
    PostalAddress,
    UpdateGroup,
    UpdateSeries,
)
from service.handlers import execute
from service.models.groups import Facilitation
from tests import world
from tests.api.v1.programme import BASE, Api, open_api
from tests.audited import opened_rows
from tests.series import NEW_YORK, Time, series, sessions, wall
from tests.test_docs import ROOT

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def api(database_url: str, tmp_path: Path, time: Time) -> Iterator[Api]:
    with open_api(database_url, tmp_path, time) as opened:
        yield opened


@pytest.fixture
def sqlite_api(sqlite_url: str, tmp_path: Path, time: Time) -> Iterator[Api]:
    """For what does not depend on the kind of database."""
    with open_api(sqlite_url, tmp_path, time) as opened:
        yield opened


def rows_of(api: Api) -> list[Any]:
    """The audit rows, oldest first."""
    with closing(sqlite3.connect(api.audit_file)) as connection:
        connection.row_factory = sqlite3.Row
        rows = connection.execute("SELECT * FROM audit_entries ORDER BY at, request_id").fetchall()
    return [dict(row) for row in rows]


def leader(api: Api) -> Any:
    command = CreateFacilitator(family="Okafor", given="Ngozi", kind=Facilitation.PEER)
    return execute(api.database, command)


def opened(api: Api, whose: Any) -> str:
    """The path of a new calendar."""
    answer = api.post(f"/v1/facilitators/{whose.id}/calendar")
    assert answer.status_code == 201, answer.text
    address: str = answer.json()["address"]
    assert address.startswith(f"{BASE}/calendar/cal_")
    return address.removeprefix(BASE)


def led(api: Api, whose: Any, **more: Any) -> Any:
    return world.group(api.database, facilitator_id=whose.id, **more)


def read(api: Api, path: str) -> list[Any]:
    """The events of a calendar, as the parser of icalendar reads them."""
    answer = api.client.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/calendar")
    calendar = Calendar.from_ical(answer.content)
    assert calendar.errors == []
    assert (calendar["version"], str(calendar["x-wr-calname"])) == ("2.0", "Sessions")
    found = calendar.walk("VEVENT")
    assert [each.errors for each in found] == [[]] * len(found)
    return found


def key_of(event: Any) -> tuple[str, datetime | None]:
    recurrence = event.get("recurrence-id")
    return str(event["uid"]), recurrence.dt if recurrence else None


def test_each_session_stands_for_itself_in_utc(api: Api) -> None:
    database, whose = api.database, leader(api)
    place = execute(
        database, CreatePlace(name="Library", address=PostalAddress(line="1 High St", city="Oban"))
    )
    group = led(api, whose, place_id=place.id, neutral_name="Tuesday; circle, two")
    row = series(database, group, weeks=8)
    single = world.session(database, group, datetime(2026, 2, 7, 15, tzinfo=UTC))
    world.session(database, world.group(database), single.start)  # somebody else's
    events = read(api, opened(api, whose))
    assert len(events) == 9
    assert len({key_of(event) for event in events}) == 9
    of_series = [event for event in events if str(event["uid"]) == str(row.id)]
    for event, each in zip(of_series, sessions(database, row), strict=True):
        assert event["dtstart"].dt == event["recurrence-id"].dt == each.start
        assert event["dtstart"].dt.tzinfo is UTC or event["dtstart"].dt.utcoffset() == timedelta(0)
        assert event["dtend"].dt == each.end
        assert (event["status"], event["sequence"], event["class"]) == ("CONFIRMED", 0, "PRIVATE")
        assert str(event["summary"]) == "Tuesday; circle, two"
        assert str(event["location"]) == "Library, 1 High St, Oban"
    (alone,) = [event for event in events if str(event["uid"]) == str(single.id)]
    assert "recurrence-id" not in alone
    hours = [event["dtstart"].dt.hour for event in of_series]
    assert hours == [23] * 5 + [22] * 3  # New York's clocks change on 8 March


def test_what_is_moved_or_cancelled_stays_the_same_event(api: Api, time: Time) -> None:
    database, whose = api.database, leader(api)
    row = series(database, led(api, whose), weeks=4)
    path = opened(api, whose)
    before = {key_of(event): event for event in read(api, path)}
    first, second, *_ = sessions(database, row)
    time.pass_by(hours=1)
    at = {"series_id": row.id}
    to = wall("2026-02-04T10:00")
    execute(database, ExceptOccurrence(**at, occurrence=first.occurrence, moved_to=to))
    execute(database, ExceptOccurrence(**at, occurrence=second.occurrence, reason="Leader is ill"))
    execute(database, AddExtraSession(**at, start=wall("2026-02-20T18:00")))
    after = {key_of(event): event for event in read(api, path)}
    assert len(after.keys() - before.keys()) == 1
    assert before.keys() < after.keys()
    moved, cancelled, *same = (after[key] for key in before)
    assert moved["dtstart"].dt == datetime(2026, 2, 4, 15, tzinfo=UTC)
    assert (moved["status"], moved["sequence"]) == ("CONFIRMED", 1)
    assert moved["dtstamp"].dt == time.now
    assert (cancelled["status"], cancelled["sequence"]) == ("CANCELLED", 1)
    assert cancelled["dtstart"].dt == second.start
    assert all(event["sequence"] == 0 for event in same)
    assert b"ill" not in api.client.get(path).content


def test_a_changed_rule_moves_events_of_one_uid(sqlite_api: Api) -> None:
    database, whose = sqlite_api.database, leader(sqlite_api)
    row = series(database, led(sqlite_api, whose), weeks=4)
    path = opened(sqlite_api, whose)
    command = UpdateSeries(
        series_id=row.id, rrule="FREQ=WEEKLY;BYDAY=WE", start=wall("2026-02-11T18:00"), weeks=4
    )
    execute(database, command)
    events = read(sqlite_api, path)
    assert {str(event["uid"]) for event in events} == {str(row.id)}
    assert len({key_of(event) for event in events}) == len(events)
    assert [event["sequence"] for event in events] == [1, 1, 1, 1]
    assert [event["status"] for event in events].count("CANCELLED") == 1


def test_nobody_is_named_or_counted(sqlite_api: Api) -> None:
    database, whose = sqlite_api.database, leader(sqlite_api)
    group = led(
        sqlite_api, whose, public_name="Living with bipolar disorder", topic="bipolar disorder"
    )
    person = world.patient(database, family="Featherstone", given="Quentin")
    world.enroll(database, person, group, start=LONG_AGO)
    held = series(database, group, minimum_size=5, weeks=2)
    path = opened(sqlite_api, whose)
    content = sqlite_api.client.get(path).text
    for secret in ("Featherstone", "Quentin", "bipolar", "Okafor", "Support", str(person.id)):
        assert secret not in content
    world.attend(database, sessions(database, held)[0], person)
    named = set(re.findall(r"^([A-Z-]+)[:;]", sqlite_api.client.get(path).text, re.MULTILINE))
    assert named == {
        "BEGIN", "END", "VERSION", "PRODID", "X-WR-CALNAME", "REFRESH-INTERVAL", "UID",
        "RECURRENCE-ID", "DTSTAMP", "SEQUENCE", "STATUS", "CLASS", "DTSTART", "DTEND", "SUMMARY",
    }  # fmt: skip


def test_it_has_twelve_weeks_back_and_all_that_is_planned(sqlite_api: Api, time: Time) -> None:
    database, whose = sqlite_api.database, leader(sqlite_api)
    row = series(database, led(sqlite_api, whose), weeks=20)
    path = opened(sqlite_api, whose)
    time.pass_by(weeks=15)
    assert len(read(sqlite_api, path)) == 20 - 3
    assert len(sessions(database, row)) == 20


def test_a_group_that_another_leads_leaves_the_calendar(sqlite_api: Api) -> None:
    database, whose = sqlite_api.database, leader(sqlite_api)
    group = led(sqlite_api, whose)
    series(database, group, weeks=2)
    path = opened(sqlite_api, whose)
    assert len(read(sqlite_api, path)) == 2
    execute(database, UpdateGroup(group_id=group.id, facilitator_id=leader(sqlite_api).id))
    assert read(sqlite_api, path) == []


def test_the_same_content_is_not_sent_twice(sqlite_api: Api, time: Time) -> None:
    database, whose = sqlite_api.database, leader(sqlite_api)
    series(database, led(sqlite_api, whose), weeks=2)
    path = opened(sqlite_api, whose)
    first = sqlite_api.client.get(path)
    assert first.headers["cache-control"] == "private, no-cache"
    time.pass_by(minutes=5)
    again = sqlite_api.client.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    world.session(database, led(sqlite_api, whose), datetime(2026, 2, 7, 15, tzinfo=UTC))
    changed = sqlite_api.client.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert changed.status_code == 200
    assert changed.headers["etag"] != first.headers["etag"]


def test_a_new_address_ends_the_one_before_and_an_end_is_an_end(sqlite_api: Api) -> None:
    whose = leader(sqlite_api)
    where = f"/v1/facilitators/{whose.id}/calendar"
    assert sqlite_api.get(where).status_code == 404
    assert sqlite_api.call("DELETE", where).status_code == 404
    first = sqlite_api.post(where)
    assert first.headers["location"] == BASE + where
    assert first.headers["cache-control"] == "no-store"
    shown = sqlite_api.get(where)
    assert shown.json()["is_open"]
    assert "address" not in shown.json()
    second = sqlite_api.post(where).json()["address"].removeprefix(BASE)
    before = first.json()["address"].removeprefix(BASE)
    assert before != second
    assert sqlite_api.client.get(before).status_code == 404
    assert sqlite_api.client.get(second).status_code == 200
    ended = sqlite_api.call("DELETE", where)
    assert (ended.status_code, ended.json()["is_open"]) == (200, False)
    assert sqlite_api.client.get(second).status_code == 404
    assert sqlite_api.call("DELETE", where).json()["version"] == ended.json()["version"]


def test_only_the_hash_of_a_key_is_kept(api: Api) -> None:
    path = opened(api, leader(api))
    token = path.removeprefix("/calendar/").removesuffix(".ics")
    assert TOKEN.fullmatch(token)
    rows = api.database.read(
        lambda session: (
            session.connection().exec_driver_sql("SELECT token_hash FROM calendars").all()
        )
    )
    assert [*map(tuple, rows)] == [(hashed(token),)]
    assert token not in str(rows)


@pytest.mark.parametrize(
    "path",
    [
        "/calendar/cal_" + "A" * 43 + ".ics",
        "/calendar/x.ics",
        "/calendar/.ics",
        "/calendar/%00.ics",
        "/calendar/" + "x" * 5000 + ".ics",
    ],
)
def test_an_address_that_opens_nothing_says_so_and_no_more(sqlite_api: Api, path: str) -> None:
    answer = sqlite_api.client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert "instance" not in answer.json() or path == "/calendar/.ics"


def test_an_unknown_key_costs_the_same_statements(sqlite_api: Api, caplog: Any) -> None:
    path = opened(sqlite_api, leader(sqlite_api))
    asked = []
    for each in (path, "/calendar/cal_" + "A" * 43 + ".ics"):
        caplog.clear()
        with caplog.at_level(logging.INFO, "sqlalchemy.engine"):
            sqlite_api.client.get(each)
        asked.append([r.getMessage() for r in caplog.records if "SELECT" in r.getMessage()])
    assert len(asked[0]) >= 4
    assert [re.sub(r"\s+", " ", one) for one in asked[0]] == [
        re.sub(r"\s+", " ", one) for one in asked[1]
    ]


def test_no_other_method_is_taken(sqlite_api: Api) -> None:
    path = opened(sqlite_api, leader(sqlite_api))
    for method in ("POST", "PUT", "DELETE"):
        assert sqlite_api.client.request(method, path).status_code == 405
    assert sqlite_api.client.head(path).status_code == 200


def test_the_key_stands_in_no_log_no_audit_row_and_no_metric(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "httpx2")  # the test's own client, which logs what it asks
    with caplog.at_level(logging.DEBUG):
        whose = leader(api)
        path = opened(api, whose)
        token = path.removeprefix("/calendar/").removesuffix(".ics")
        spellings = [
            path,
            path.upper().replace(token.upper(), token),
            path.replace("cal_", "%63al_"),
            f"/x{path}",
            f"/{token}",
            f"//calendar/{token}",
            f"/calendar/{token}",
            f"{path}/more",
            f"{path}?key={token}",
            f"/v1/groups?token={token}&x={token}",
            f"/livez?x=%63al_{token[4:]}",
            f"/fhir/Patient/{token}",
        ]
        for spelling in spellings:
            api.client.get(spelling)
            api.client.post(spelling)
    rows = rows_of(api)
    assert token not in str(rows)
    assert token[4:] not in str(rows)
    assert token not in caplog.text
    assert token not in api.context.metrics.text().decode()
    assert token[4:] not in str(opened_rows(api.context))  # what is encrypted in them, too
    read = [r for r in rows if r["status"] == 200 and r["path"].startswith("/calendar/")]
    assert {row["client"] for row in read} == {f"calendar of facilitator {whose.id}"}


def test_a_line_of_the_log_at_debug_has_no_key(
    sqlite_api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    root = logging.getLogger()
    level, handlers = root.level, [*root.handlers]
    root.handlers.clear()
    logs.configure(sqlite_api.context.settings.model_copy(
        update={"log_format": "json", "log_level": "debug"}
    ))  # fmt: skip
    try:
        path = opened(sqlite_api, leader(sqlite_api))
        sqlite_api.client.get(path)
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    ours = [each for each in lines if each["logger"].startswith("alongside")]
    assert [each["event"] for each in ours].count("request.answered") == 2
    assert path not in str(ours)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("/calendar/secret.ics", "/calendar/..."),
        ("/Calendar/se/cret", "/Calendar/..."),
        ("/x/calendar/secret", "/x/calendar/..."),
        ("/calendar/", "/calendar/"),
        ("/v1/facilitators/1/calendar", "/v1/facilitators/1/calendar"),
        ("/fhir/Patient/cal_1", "/fhir/Patient/cal_1"),
        ("/a/cal_" + "x" * 43 + "/b", "/a/.../b"),
    ],
)
def test_an_address_is_recorded_without_its_key(text: str, kept: str) -> None:
    assert redacted(text) == kept


def test_the_example_of_a_proxy_logs_no_key() -> None:
    proxy = (ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8")
    (fields,) = re.findall(r"log_format alongside (.*?);", proxy, re.DOTALL)
    assert "$uri" not in fields
    assert re.search(r"map \$uri \$alongside_path \{\s+~\*/calendar/ ", proxy)


def test_a_zone_with_a_name_of_its_own_needs_no_definition_in_the_file(
    sqlite_api: Api,
) -> None:
    database, whose = sqlite_api.database, leader(sqlite_api)
    series(database, led(sqlite_api, whose), weeks=2, time_zone=NEW_YORK)
    content = sqlite_api.client.get(opened(sqlite_api, whose)).text
    assert "TZID" not in content
    assert "VTIMEZONE" not in content


def test_lines_are_as_short_as_rfc_5545_asks(sqlite_api: Api) -> None:
    database, whose = sqlite_api.database, leader(sqlite_api)
    series(database, led(sqlite_api, whose, neutral_name="Kreis \u00e4" * 40), weeks=2)
    content = sqlite_api.client.get(opened(sqlite_api, whose)).content
    assert content.endswith(b"END:VCALENDAR\r\n")
    assert all(len(line) <= 75 for line in content.split(b"\r\n"))
