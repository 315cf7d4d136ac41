"""Rosters from a file: who is in a group, who waits, and who has left."""

from datetime import UTC, datetime, timedelta

import pytest

from service.commands import ChangeEnrollment, SettleGroup
from service.handlers import execute
from service.imports.roster import ROSTER
from service.imports.running import Mode
from service.models.enrollments import Enrollment, EnrollmentStatus, EnrollmentStatusChange
from service.models.groups import GroupStatus
from tests import world
from tests.fresh import wrong_documents
from tests.service.imports.files import imported, place, rows, stored, table

START, END = "2026-01-15T18:00:00+01:00", "2026-06-30T18:00:00+02:00"
STARTED = datetime(2026, 1, 15, 17, tzinfo=UTC)
LEFT = {"start": START, "end": END, "reason": "moved away"}


@pytest.fixture
def database(sqlite_database):
    return sqlite_database


@pytest.fixture
def here(database, tmp_path):
    return place(database, 4, tmp_path, capacity=2)


@pytest.fixture
def put(here, tmp_path):
    def call(*of_people, mode=Mode.WHOLE):
        return imported(here.database, table(tmp_path / "roster.csv", ROSTER, of_people), mode)

    return call


def statuses(database):
    return sorted((row.status.value, row.end is not None) for row in rows(database, Enrollment))


def test_members_waiting_and_held_are_as_the_file_says(here, put):
    found = put(
        here.row(0, start=START),
        here.row(1, start=START, status="on-hold", reason="ill"),
        here.row(2, start=START, status="waitlisted"),
        here.row(3, start=START, status="proposed"),
    )
    assert found.counts == (4, 0, 0, 0)
    assert [status for status, _ in statuses(here.database)] == [
        "active", "on-hold", "proposed", "waitlisted",
    ]  # fmt: skip
    assert not wrong_documents(here.database)


def test_those_who_left_take_no_seat_and_keep_their_history(here, put):
    found = put(
        here.row(0, start=START),
        here.row(1, start=START),
        here.row(2, **LEFT),
        here.row(3, status="finished", **LEFT),
    )
    assert found.counts == (4, 0, 0, 0)
    left = [row for row in rows(here.database, Enrollment) if row.end]
    assert {row.finish_reason for row in left} == {"moved away"}
    history = [
        (each.status, each.start, each.end)
        for each in rows(here.database, EnrollmentStatusChange)
        if each.enrollment_id == left[0].id
    ]
    ended = datetime(2026, 6, 30, 16, tzinfo=UTC)
    assert sorted(history) == [
        (EnrollmentStatus.ACTIVE, STARTED, ended),
        (EnrollmentStatus.FINISHED, ended, ended),
    ]


def test_a_full_group_takes_no_more_active_members(here, put):
    found = put(*(here.row(number, start=START) for number in range(3)))
    assert [(each.row, each.column) for each in found.rejections] == [(4, "status")]
    assert rows(here.database, Enrollment) == []


def test_a_group_that_is_closed_still_takes_who_was_in_it(database, tmp_path):
    here = place(database, 2, tmp_path, status=GroupStatus.CLOSED)
    source = table(tmp_path / "r.csv", ROSTER, [here.row(0, **LEFT), here.row(1, start=START)])
    found = imported(database, source, Mode.PARTIAL)
    assert found.counts == (1, 0, 0, 1)
    assert statuses(database) == [("finished", True)]


def test_a_later_file_moves_people_on_and_the_same_again_changes_nothing(here, put):
    put(here.row(0, start=START), here.row(1, start=START, status="waitlisted"))
    again = (here.row(0, **LEFT), here.row(1, start=START, status="active"))
    assert put(*again).counts == (0, 2, 0, 0)
    assert statuses(here.database) == [("active", False), ("finished", True)]
    before = stored(here.database)
    assert put(*again).counts == (0, 0, 2, 0)
    assert stored(here.database) == before


def test_who_waited_is_found_by_the_day_they_began(here, put):
    put(here.row(0, start=START, status="waitlisted"))
    joined = here.row(0, start="2026-02-01T18:00:00Z")
    assert put(joined).counts == (0, 1, 0, 0)
    assert put(joined).counts == (0, 0, 1, 0)
    (row,) = rows(here.database, Enrollment)
    assert row.start == datetime(2026, 2, 1, 18, tzinfo=UTC)


def test_without_a_start_it_is_today_and_the_same_again(here, put):
    assert put(here.row(0)).counts == (1, 0, 0, 0)
    assert put(here.row(0)).counts == (0, 0, 1, 0)


def test_who_left_and_comes_back_has_two_enrolments(here, put):
    both = (here.row(0, **LEFT), here.row(0, start="2026-09-01T18:00:00Z"))
    assert put(*both).counts == (2, 0, 0, 0)
    assert put(*both).counts == (0, 0, 2, 0)


def test_on_hold_by_a_later_file(here, put):
    put(here.row(0, start=START))
    assert put(here.row(0, start=START, status="on-hold", reason="ill")).counts == (0, 1, 0, 0)
    assert put(here.row(0, start=START, status="active")).counts == (0, 1, 0, 0)


NOBODY = {"patient_id": "00000000-0000-0000-0000-000000000001"}
WRONG = [
    ({"status": "active", **LEFT}, "status"),
    ({"status": "finished", "start": START}, "end"),
    ({**LEFT, "start": ""}, "start"),
    ({**LEFT, "reason": ""}, "reason"),
    ({**LEFT, "end": START}, "end"),
    ({**LEFT, "end": "2999-01-01T00:00Z"}, "end"),
    ({"group": "nobody knows it"}, "group"),
    ({"group": NOBODY["patient_id"]}, "group"),
    ({"mrn": "none"}, "mrn"),
    ({"mrn": "", "connection": ""}, "mrn"),
    ({"connection": ""}, "connection"),
    ({"connection": "none"}, "connection"),
    (NOBODY, "patient_id"),
    ({**NOBODY, "connection": "", "mrn": ""}, "patient_id"),
]


def test_what_a_row_cannot_say_is_named_by_its_column(here, put):
    found = put(*(here.row(0, **row) for row, _ in WRONG))
    named = [(row, column) for row, (_, column) in enumerate(WRONG, start=2)]
    assert [(each.row, each.column) for each in found.rejections] == named


def test_what_is_finished_does_not_end_at_another_time(here, put):
    put(here.row(0, **LEFT))
    later = {**LEFT, "end": "2026-07-01T00:00Z"}
    assert [each.column for each in put(here.row(0, **later)).rejections] == ["end"]


def test_nobody_was_in_a_group_twice_at_once(here, put):
    put(here.row(0, **LEFT))
    found = put(here.row(0, **{**LEFT, "start": "2026-02-01T00:00Z"}))
    assert [each.column for each in found.rejections] == ["start"]


def test_nobody_was_in_a_draft(database, tmp_path):
    here = place(database, 1, tmp_path, status=GroupStatus.DRAFT)
    found = imported(database, table(tmp_path / "r.csv", ROSTER, [here.row(0, **LEFT)]))
    assert [each.column for each in found.rejections] == ["group"]


def test_people_and_groups_may_be_named_by_our_own_ids(database, tmp_path):
    person, into = world.patient(database), world.group(database)
    row = {"patient_id": str(person.id), "group": str(into.id), "start": START}
    assert imported(database, table(tmp_path / "r.csv", ROSTER, [row])).counts == (1, 0, 0, 0)


def test_an_enrolment_that_was_moved_elsewhere_is_known_by_its_start(here, put):
    put(here.row(0, start=START))
    (row,) = rows(here.database, Enrollment)
    command = ChangeEnrollment(
        enrollment_id=row.id,
        status=EnrollmentStatus.FINISHED,
        at=STARTED + timedelta(days=9),
        reason="moved",
    )
    execute(here.database, command)
    found = put(here.row(0, start=START))
    assert [each.column for each in found.rejections] == ["end"]


def test_who_was_offered_a_seat_since_still_waits_for_the_same_file(here, put):
    waiting = here.row(0, start=START, status="waitlisted")
    assert put(waiting).counts == (1, 0, 0, 0)
    (row,) = rows(here.database, Enrollment)
    execute(here.database, SettleGroup(group_id=row.group_id))
    (row,) = rows(here.database, Enrollment)
    assert row.status is EnrollmentStatus.OFFERED
    before = stored(here.database)
    assert put(waiting).counts == (0, 0, 1, 0)
    assert stored(here.database) == before


def test_an_end_without_a_start_is_the_same_again(here, put):
    put(here.row(0, start=START))
    left = here.row(0, end=END, reason="moved away")
    assert put(left).counts == (0, 1, 0, 0)
    assert put(left).counts == (0, 0, 1, 0)
