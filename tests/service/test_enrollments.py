"""Enrolments and attendance: seats, moves, corrections."""

from datetime import timedelta
from itertools import pairwise

import pytest
from sqlmodel import col, select

from service.commands import ChangeEnrollment, Enroll, Mark, RecordAttendance
from service.database import Database
from service.errors import (
    AlongsideError,
    BusinessRuleError,
    DuplicateError,
    InvalidElementsError,
    InvalidError,
    VersionError,
)
from service.handlers import execute
from service.identifiers import new_id
from service.models.enrollments import (
    AttendanceChange,
    AttendanceMark,
    Enrollment,
    EnrollmentStatus,
    EnrollmentStatusChange,
)
from service.models.groups import GroupStatus
from tests import world
from tests.fresh import wrong_documents

PROPOSED, WAITLISTED, OFFERED, ACTIVE, ON_HOLD, FINISHED = EnrollmentStatus
PRESENT, LATE, ABSENT, _EXCUSED = AttendanceMark


def change(database: Database, row: Enrollment, status: EnrollmentStatus, **more: object) -> None:
    execute(database, ChangeEnrollment(enrollment_id=row.id, status=status, **more))  # type: ignore[arg-type]


def test_the_whole_way_is_kept_as_history(database: Database) -> None:
    group, person = world.group(database), world.patient(database)
    row = world.enroll(database, person, group, status=PROPOSED)
    way = (WAITLISTED, ACTIVE, ON_HOLD, ACTIVE, FINISHED)
    for status in way:
        change(database, row, status, reason="moved away")
    statement = select(EnrollmentStatusChange).order_by(col(EnrollmentStatusChange.id))
    kept = database.read(lambda session: list(session.exec(statement)))
    assert [one.status for one in kept] == [PROPOSED, WAITLISTED, OFFERED, *way[1:]]
    assert all(a.end == b.start for a, b in pairwise(kept))
    assert not wrong_documents(database)


@pytest.mark.parametrize(
    ("before", "after"), [(ACTIVE, PROPOSED), (ACTIVE, WAITLISTED), (WAITLISTED, ON_HOLD)]
)
def test_an_illegal_move_lists_the_legal_ones(
    sqlite_database: Database, before: EnrollmentStatus, after: EnrollmentStatus
) -> None:
    row = world.enroll(
        sqlite_database, world.patient(sqlite_database), world.group(sqlite_database), status=before
    )
    with pytest.raises(BusinessRuleError, match=r"can become .*finished"):
        change(sqlite_database, row, after)


def test_nothing_follows_the_end(sqlite_database: Database) -> None:
    row = world.enroll(
        sqlite_database, world.patient(sqlite_database), world.group(sqlite_database)
    )
    with pytest.raises(InvalidError) as caught:
        change(sqlite_database, row, FINISHED)
    assert caught.value.element == "reason"
    change(sqlite_database, row, FINISHED, reason="done")
    with pytest.raises(BusinessRuleError):
        change(sqlite_database, row, ACTIVE)


def test_a_change_does_not_lie_before_the_last(sqlite_database: Database) -> None:
    row = world.enroll(
        sqlite_database, world.patient(sqlite_database), world.group(sqlite_database)
    )
    with pytest.raises(BusinessRuleError) as caught:
        change(sqlite_database, row, ON_HOLD, at=row.start - timedelta(days=1))
    assert caught.value.element == "at"


def test_the_last_seat_is_the_last(database: Database) -> None:
    group = world.group(database, capacity=1)
    first = world.enroll(database, world.patient(database), group)
    second = world.patient(database)
    with pytest.raises(BusinessRuleError, match="full"):
        world.enroll(database, second, group)
    waiting = world.enroll(database, second, group, status=WAITLISTED)
    with pytest.raises(BusinessRuleError, match="full"):
        change(database, waiting, ACTIVE)
    change(database, first, FINISHED, reason="done")
    change(database, waiting, ACTIVE)


def test_nobody_is_enrolled_twice_at_once_but_may_return(sqlite_database: Database) -> None:
    group, person = world.group(sqlite_database), world.patient(sqlite_database)
    row = world.enroll(sqlite_database, person, group)
    with pytest.raises(DuplicateError):
        world.enroll(sqlite_database, person, group)
    change(sqlite_database, row, FINISHED, reason="done")
    world.enroll(sqlite_database, person, group, start=world.now())
    assert not wrong_documents(sqlite_database)


@pytest.mark.parametrize("status", [GroupStatus.DRAFT, GroupStatus.ON_HOLD, GroupStatus.CLOSED])
def test_only_an_active_group_enrols(sqlite_database: Database, status: GroupStatus) -> None:
    group = world.group(sqlite_database, status=status)
    with pytest.raises(BusinessRuleError):
        world.enroll(sqlite_database, world.patient(sqlite_database), group)


def test_an_unknown_person_is_named(sqlite_database: Database) -> None:
    group = world.group(sqlite_database)
    with pytest.raises(InvalidError) as caught:
        execute(sqlite_database, Enroll(patient_id=new_id(), group_id=group.id))
    assert caught.value.element == "patient_id"


def test_the_same_attendance_twice_changes_nothing(database: Database) -> None:
    group, person = world.group(database), world.linked(database, world.hospital(database))
    world.enroll(database, person, group)
    held = world.session(database, group)
    first = world.attend(database, held, person)
    before = events(database)
    again = world.attend(database, held, person)
    assert [row.row_version for row in again] == [row.row_version for row in first]
    assert events(database) == before


def events(database: Database) -> int:
    with database.engine.connect() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM events").scalar() or 0)


def test_a_correction_keeps_what_was_there(database: Database) -> None:
    group, person = world.group(database), world.patient(database)
    world.enroll(database, person, group)
    held = world.session(database, group)
    world.attend(database, held, person)
    row = world.attend(database, held, person, mark=ABSENT)[0]
    assert (row.mark, row.row_version) == (ABSENT, 2)
    kept = database.read(lambda session: session.exec(select(AttendanceChange)).one())
    assert kept.mark is PRESENT
    assert not wrong_documents(database)


def test_marks_that_cannot_be_are_named_and_none_is_kept(sqlite_database: Database) -> None:
    group, member = world.group(sqlite_database), world.patient(sqlite_database)
    world.enroll(sqlite_database, member, group)
    held, stranger = world.session(sqlite_database, group), world.patient(sqlite_database)
    marks = (
        Mark(patient_id=member.id, mark=PRESENT, arrived_at=held.start),
        Mark(patient_id=stranger.id, mark=PRESENT),
        Mark(patient_id=member.id, mark=LATE, arrived_at=held.end),
    )
    with pytest.raises(InvalidElementsError) as caught:
        execute(
            sqlite_database,
            RecordAttendance(session_id=held.id, marks=marks, recorded_by="tester"),
        )
    assert [problem.element for problem in caught.value.problems] == [
        "marks[0].arrived_at",
        "marks[1].patient_id",
        "marks[2].patient_id",
        "marks[2].arrived_at",
    ]
    assert world.attend(sqlite_database, held) == []


def test_a_stale_attendance_version_is_refused(sqlite_database: Database) -> None:
    group, person = world.group(sqlite_database), world.patient(sqlite_database)
    world.enroll(sqlite_database, person, group)
    held = world.session(sqlite_database, group)
    marks = (Mark(patient_id=person.id, mark=PRESENT),)
    command = RecordAttendance(session_id=held.id, marks=marks, recorded_by="t", if_match=0)
    execute(sqlite_database, command)
    with pytest.raises(VersionError):
        execute(sqlite_database, command)


def test_who_left_before_the_session_was_no_member(sqlite_database: Database) -> None:
    group, person = world.group(sqlite_database), world.patient(sqlite_database)
    row = world.enroll(sqlite_database, person, group)
    change(sqlite_database, row, FINISHED, reason="done", at=world.now() - timedelta(hours=2))
    with pytest.raises(AlongsideError):
        world.attend(sqlite_database, world.session(sqlite_database, group), person)
