"""Attendance from a file: sessions by their group and time, marks by the person."""

from datetime import UTC, datetime

import pytest

from service.commands import CreateSession, UpdateSession
from service.handlers import execute
from service.imports.attendance import ATTENDANCE
from service.imports.roster import ROSTER
from service.models.enrollments import Attendance, AttendanceChange
from service.models.groups import Session, SessionStatus
from tests.fresh import wrong_documents
from tests.service.imports.files import imported, place, rows, stored, table

START, END = "2026-01-20T18:00:00+00:00", "2026-01-20T19:30:00+00:00"


@pytest.fixture
def database(sqlite_database):
    return sqlite_database


@pytest.fixture
def here(database, tmp_path):
    found = place(database, 3, tmp_path)
    members = [found.row(number, start="2026-01-01T00:00Z") for number in (0, 1)]
    imported(database, table(tmp_path / "roster.csv", ROSTER, members))
    return found


@pytest.fixture
def put(here, tmp_path):
    def call(*marks):
        return imported(here.database, table(tmp_path / "marks.csv", ATTENDANCE, marks))

    return call


def mark(here, number, what="present", **more):
    return here.row(number, **{"session_start": START, "session_end": END, "mark": what, **more})


def test_a_session_that_is_not_known_is_added_once(here, put):
    late = mark(here, 1, "late", arrived_at="2026-01-20T18:10:00Z", session_end="")
    assert put(mark(here, 0), late).counts == (2, 0, 0, 0)
    (held,) = rows(here.database, Session)
    assert (held.status, held.end) == (
        SessionStatus.HELD,
        datetime(2026, 1, 20, 19, 30, tzinfo=UTC),
    )
    assert not wrong_documents(here.database)
    before = stored(here.database)
    assert put(mark(here, 0), late).counts == (0, 0, 2, 0)
    assert stored(here.database) == before


def test_another_mark_corrects_and_keeps_the_one_before(here, put):
    put(mark(here, 0))
    assert put(mark(here, 0, "excused")).counts == (0, 1, 0, 0)
    assert [row.mark.value for row in rows(here.database, Attendance)] == ["excused"]
    (before,) = rows(here.database, AttendanceChange)
    assert (before.mark.value, before.replaced_by) == ("present", "tester")


WRONG = [
    (2, {}, "mrn"),
    (0, {"session_end": ""}, "session_end"),
    (0, {"session_end": "2026-01-20T17:00Z"}, "session_end"),
    (0, {"arrived_at": START}, "arrived_at"),
    (0, {"mark": "there"}, "mark"),
    (0, {"mark": "late", "arrived_at": "2026-01-20T20:00Z"}, "arrived_at"),
]


def test_what_a_row_cannot_say_is_named_by_its_column(here, put):
    found = put(*(mark(here, number, **row) for number, row, _ in WRONG))
    named = [(row, column) for row, (_, _, column) in enumerate(WRONG, start=2)]
    assert [(each.row, each.column) for each in found.rejections] == named
    assert rows(here.database, Session) == []


def test_a_session_that_is_known_ends_when_it_ends(here, put):
    put(mark(here, 0))
    found = put(mark(here, 1, session_end="2026-01-20T19:00Z"))
    assert [each.column for each in found.rejections] == ["session_end"]


def test_a_cancelled_session_is_named_by_its_start(here, put):
    at = "2026-02-10T18:00Z"
    row = execute(
        here.database,
        CreateSession(
            group_id=here.group.id,
            start=datetime.fromisoformat(at),
            end=datetime(2026, 2, 10, 19, tzinfo=UTC),
        ),
    )
    off = UpdateSession(session_id=row.id, status=SessionStatus.CANCELLED, cancel_reason="snow")
    execute(here.database, off)
    found = put(mark(here, 0, session_start=at, session_end=""))
    assert [each.column for each in found.rejections] == ["session_start"]
