"""Series keep their time on the wall, and their sessions keep their identity."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from service.attendance import attendance_of
from service.commands import (
    ExceptOccurrence,
)
from service.database import Database
from service.handlers import execute
from service.models.enrollments import AttendanceMark
from service.models.groups import SessionStatus
from service.models.patients import Patient
from service.planning import Planned
from service.recurrence import wall_time, zone
from tests import world
from tests.fresh import wrong_documents
from tests.series import TUESDAY, Time, change, documents, plan, series, sessions, versions, wall

WEEK = timedelta(weeks=1)
SCHEDULED, HELD, CANCELLED = SessionStatus
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def member(database: Database, group: Any, *, hospital: bool = False) -> Patient:
    """A member of the group; a hospital's, where it may know everything."""
    person = world.patient(database)
    if hospital:
        connection = world.hospital(database)
        world.link(database, person, connection)
        world.consent(database, person, connection, start=LONG_AGO)
    world.enroll(database, person, group, start=LONG_AGO)
    return person


@pytest.mark.parametrize(
    ("where", "before", "changes"),
    [
        # Hours in UTC of 18:00, and the Sundays from which on they are others, in 2026.
        ("America/New_York", 23, {date(2026, 3, 8): 22, date(2026, 11, 1): 23}),
        ("Europe/London", 18, {date(2026, 3, 29): 17, date(2026, 10, 25): 18}),
        ("Australia/Sydney", 7, {date(2026, 4, 5): 8, date(2026, 10, 4): 7}),
    ],
)
def test_a_weekly_series_keeps_its_time_on_the_wall_over_both_changes(
    timed: Database, where: str, before: int, changes: dict[date, int]
) -> None:
    group = world.group(timed)
    row = series(timed, group, time_zone=where, weeks=52)
    found = sessions(timed, row)
    assert len(found) == 52
    for number, each in enumerate(found):
        shown = TUESDAY + number * WEEK
        hour = [before, *(h for day, h in changes.items() if day <= shown.date())][-1]
        assert each.occurrence == shown
        assert each.start == datetime(shown.year, shown.month, shown.day, hour, tzinfo=UTC)
        assert wall_time(each.start, zone(where)) == shown
        assert each.end - each.start == timedelta(minutes=90)
    assert {each.start.hour for each in found} == {before, *changes.values()}


def test_planning_again_changes_nothing_and_time_brings_more(timed: Database, time: Time) -> None:
    row = series(timed, world.group(timed), weeks=4)
    before = versions(timed, row)
    assert len(before) == 4
    assert plan(timed, row, weeks=4) == Planned(0, is_complete=True)
    assert versions(timed, row) == before
    time.pass_by(weeks=2)
    assert plan(timed, row, weeks=4).made == 2
    assert versions(timed, row)[:4] == before


def test_moved_and_cancelled_occurrences_keep_identity_and_attendance(
    timed: Database, time: Time
) -> None:
    group = world.group(timed)
    person = member(timed, group, hospital=True)
    row = series(timed, group, weeks=6)
    first, second, third, *rest = sessions(timed, row)
    known = {each.id: documents(timed, each.id) for each in (first, second, third, *rest)}
    assert all(kinds.keys() for kinds in known.values())

    time.now = first.end
    world.attend(timed, first, person, mark=AttendanceMark.PRESENT)
    moved = wall("2026-02-12T19:00")
    execute(timed, ExceptOccurrence(series_id=row.id, occurrence=second.occurrence, moved_to=moved))
    execute(timed, ExceptOccurrence(series_id=row.id, occurrence=third.occurrence, reason="Snow"))
    time.now = datetime(2026, 2, 13, 1, tzinfo=UTC)
    world.attend(timed, second, person)
    change(timed, row, rrule="FREQ=WEEKLY;BYDAY=TH", start=wall("2026-02-19T17:00"))
    plan(timed, row, weeks=6)

    kept = {each.id: each for each in sessions(timed, row)}
    assert kept.keys() > known.keys()
    assert (kept[first.id].start, kept[first.id].status) == (first.start, HELD)
    assert kept[second.id].start == datetime(2026, 2, 13, 0, tzinfo=UTC)
    assert kept[second.id].occurrence == second.occurrence
    assert (kept[third.id].status, kept[third.id].cancel_reason) == (CANCELLED, "Snow")
    assert kept[third.id].occurrence == wall("2026-02-19T17:00")
    for each in rest:
        assert kept[each.id].occurrence == each.occurrence + timedelta(days=2, hours=-1)
        assert kept[each.id].status is SCHEDULED
    for each in (first, second):
        (mark,) = timed.read(lambda session, one=each: attendance_of(session, one.id))
        assert (mark.patient_id, mark.mark) == (person.id, AttendanceMark.PRESENT)
    for session_id, before in known.items():
        after = documents(timed, session_id)
        assert before.keys() <= after.keys()  # an Encounter comes with attendance
    assert wrong_documents(timed) == []
