"""Transfers between groups, guests of one session, and what stays when somebody has left."""

from datetime import timedelta
from typing import Any

import orjson
import pytest
from sqlmodel import col, select

from service.commands import (
    ChangeEnrollment,
    Enroll,
    Mark,
    RecordAttendance,
    RecordWalkIn,
    TransferEnrollment,
    UpdateSession,
)
from service.database import Database
from service.errors import (
    BusinessRuleError,
    DuplicateError,
    InvalidElementsError,
    InvalidError,
    VersionError,
)
from service.handlers import execute
from service.identifiers import new_id
from service.models.consents import Category
from service.models.documents import Document
from service.models.enrollments import Attendance, AttendanceMark, Enrollment, EnrollmentStatus
from service.models.groups import GroupStatus, Session, SessionStatus, SupportGroup
from service.models.patients import Patient
from tests import world
from tests.fresh import wrong_documents

PROPOSED, WAITLISTED, OFFERED, ACTIVE, ON_HOLD, FINISHED = EnrollmentStatus
PRESENT, LATE, ABSENT, EXCUSED = AttendanceMark
DAY = timedelta(days=1)


def transfer(database: Database, row: Enrollment, group: SupportGroup, **more: Any) -> Enrollment:
    command = TransferEnrollment(enrollment_id=row.id, group_id=group.id, **more)
    found: Enrollment = execute(database, command)
    return found


def change(database: Database, row: Enrollment, status: EnrollmentStatus, **more: Any) -> None:
    execute(
        database, ChangeEnrollment(enrollment_id=row.id, status=status, **{"reason": "r", **more})
    )


def stored(database: Database, row: Enrollment) -> Enrollment:
    found = database.read(lambda session: session.get(Enrollment, row.id))
    assert found is not None
    return found


def walk_in(
    database: Database, held: Session, person: Patient, mark: AttendanceMark = PRESENT, **more: Any
) -> list[Attendance]:
    came = Mark(patient_id=person.id, mark=mark, arrived_at=more.pop("arrived_at", None))
    command = RecordWalkIn(session_id=held.id, mark=came, recorded_by="tester", **more)
    rows: list[Attendance] = execute(database, command)
    return rows


def documents(database: Database, audience: int, *types: str) -> list[dict[str, Any]]:
    statement = select(Document.content).where(
        Document.audience == audience, col(Document.type).in_(types), ~col(Document.deleted)
    )
    found = database.read(lambda session: session.exec(statement.order_by(Document.type)).all())
    return [orjson.loads(one) for one in found]


def test_a_transfer_ends_one_enrolment_and_begins_the_other(database: Database):
    left, entered = world.group(database, capacity=1), world.group(database, capacity=1)
    row = world.enroll(database, world.patient(database), left)
    waits = world.enroll(database, world.patient(database), left, status=WAITLISTED)
    new = transfer(database, row, entered, reason="Closer to home")
    old = stored(database, row)
    assert (old.status, old.finish_reason) == (FINISHED, "transferred")
    assert (new.status, new.start, new.transferred_from_id) == (ACTIVE, old.end, row.id)
    assert stored(database, waits).status is OFFERED
    assert not wrong_documents(database)


def test_a_transfer_keeps_the_rules_of_the_group_or_does_nothing(sqlite_database: Database):
    database = sqlite_database
    left, full = world.group(database), world.group(database, capacity=1)
    world.enroll(database, world.patient(database), full)
    closed = world.group(database, status=GroupStatus.CLOSED)
    person = world.patient(database)
    row = world.enroll(database, person, left)
    there = world.group(database)
    world.enroll(database, person, there)
    for group, more, error in (
        (full, {}, BusinessRuleError),
        (closed, {}, BusinessRuleError),
        (there, {}, DuplicateError),
        (left, {}, InvalidError),
        (full, {"status": PROPOSED}, BusinessRuleError),
        (full, {"if_match": 7}, VersionError),
        (full, {"at": row.start - DAY}, BusinessRuleError),
    ):
        with pytest.raises(error):
            transfer(database, row, group, **more)
    assert stored(database, row).status is ACTIVE
    waits = transfer(database, row, full, status=WAITLISTED)
    assert waits.status is WAITLISTED
    with pytest.raises(BusinessRuleError, match="enrol again"):
        transfer(database, row, closed)
    with pytest.raises(InvalidError) as caught:
        execute(database, TransferEnrollment(enrollment_id=waits.id, group_id=new_id()))
    assert caught.value.element == "group_id"
    assert not wrong_documents(database)


def test_attendance_survives_leaving_and_coming_back(database: Database):
    hospital = world.hospital(database)
    group, person = world.group(database), world.linked(database, hospital)
    row = world.enroll(database, person, group)
    held = world.session(database, group, world.now() - 10 * DAY)
    world.attend(database, held, person)
    change(database, row, FINISHED, at=world.now() - 5 * DAY)
    again = world.enroll(database, person, group, start=world.now() - 2 * DAY)
    later = world.session(database, group, world.now() - DAY)
    world.attend(database, later, person)
    visits = documents(database, hospital.number, "Encounter")
    episodes = {each["episodeOfCare"][0]["reference"] for each in visits}
    assert len(visits) == len(episodes) == 2
    served = documents(database, hospital.number, "EpisodeOfCare")
    assert {f"EpisodeOfCare/{each['id']}" for each in served} == episodes
    assert {each["status"] for each in served} == {"finished", "active"}
    assert again.id != row.id
    assert not wrong_documents(database)


def test_who_only_waited_was_never_expected(database: Database):
    """A wait that ended is no membership: its sessions were nobody's to attend."""
    hospital = world.hospital(database)
    group, person = world.group(database, capacity=1), world.linked(database, hospital)
    world.enroll(database, world.patient(database), group)
    row = world.enroll(database, person, group, status=WAITLISTED)
    held = world.session(database, group, world.now() - 10 * DAY)
    change(database, row, FINISHED, at=world.now() - DAY)
    assert documents(database, hospital.number, "Appointment") == []
    with pytest.raises(InvalidElementsError):
        world.attend(database, held, person)
    assert not wrong_documents(database)


def test_a_hold_takes_its_sessions_from_the_book_and_no_others(database: Database):
    hospital = world.hospital(database)
    group, person = world.group(database), world.linked(database, hospital)
    row = world.enroll(database, person, group)
    starts = [world.now() - days * DAY for days in (20, 10, 2)]
    for start in starts:
        world.session(database, group, start)
    change(database, row, ON_HOLD, at=world.now() - 15 * DAY)
    change(database, row, ACTIVE, at=world.now() - 5 * DAY)
    booked = documents(database, hospital.number, "Appointment")
    assert [each["status"] for each in booked] == ["booked", "booked"]
    assert not any(each["start"].startswith(f"{starts[1]:%Y-%m-%d}") for each in booked)
    assert not wrong_documents(database)


def test_who_walks_in_is_a_guest_of_that_session_and_takes_no_seat(database: Database):
    hospital = world.hospital(database)
    group, person = world.group(database, capacity=1), world.linked(database, hospital)
    world.enroll(database, world.patient(database), group)
    held, other = world.session(database, group), world.session(database, group)
    (row,) = walk_in(database, held, person)
    again = walk_in(database, held, person)
    assert [one.row_version for one in again] == [1]
    guest = database.read(lambda session: session.get(Enrollment, row.enrollment_id))
    assert guest is not None
    assert (guest.guest, guest.status, guest.start, guest.end) == (
        True, FINISHED, held.start, held.end,
    )  # fmt: skip
    appointment, encounter, episode = documents(
        database, hospital.number, "Appointment", "Encounter", "EpisodeOfCare"
    )
    assert appointment["status"] == "fulfilled"
    assert encounter["episodeOfCare"] == [{"reference": f"EpisodeOfCare/{episode['id']}"}]
    assert [each["status"] for each in episode["statusHistory"]] == ["active", "finished"]
    assert documents(database, hospital.number, "Group") == []
    assert world.attend(database, other) == []
    with pytest.raises(InvalidElementsError):  # of another session they were no guest
        world.attend(database, other, person)
    assert not wrong_documents(database)


def test_consents_hold_for_guests(database: Database):
    hospital = world.hospital(database)
    person = world.patient(database)
    world.link(database, person, hospital)
    world.consent(database, person, hospital, [Category.ATTENDANCE])
    held = world.session(database, world.group(database))
    walk_in(database, held, person)
    assert documents(database, hospital.number, "EpisodeOfCare") == []
    (encounter,) = documents(database, hospital.number, "Encounter")
    assert "episodeOfCare" not in encounter
    assert not wrong_documents(database)


def test_a_member_who_walks_in_is_marked_as_a_member(sqlite_database: Database):
    database = sqlite_database
    group, person = world.group(database), world.patient(database)
    member = world.enroll(database, person, group)
    held = world.session(database, group)
    (row,) = walk_in(database, held, person, LATE, arrived_at=held.start)
    assert (row.enrollment_id, row.mark) == (member.id, LATE)


def test_who_waits_may_walk_in_and_keeps_the_place(sqlite_database: Database):
    database = sqlite_database
    group, person = world.group(database, capacity=1), world.patient(database)
    world.enroll(database, world.patient(database), group)
    waits = world.enroll(database, person, group, status=WAITLISTED)
    walk_in(database, world.session(database, group), person)
    assert stored(database, waits).status is WAITLISTED
    assert not wrong_documents(database)


def test_a_guests_mark_can_be_corrected(sqlite_database: Database):
    database = sqlite_database
    group, person = world.group(database), world.patient(database)
    held = world.session(database, group)
    walk_in(database, held, person)
    assert world.attend(database, held, person, mark=ABSENT)[0].mark is ABSENT
    assert walk_in(database, held, person)[0].mark is PRESENT
    assert not wrong_documents(database)


def test_the_guests_of_a_session_move_with_it(database: Database):
    group, person = world.group(database), world.patient(database)
    held = world.session(database, group)
    (row,) = walk_in(database, held, person)
    start = held.start - 7 * DAY
    execute(
        database, UpdateSession(session_id=held.id, start=start, end=start + timedelta(hours=2))
    )
    guest = database.read(lambda session: session.get(Enrollment, row.enrollment_id))
    assert guest is not None
    assert (guest.start, guest.end) == (start, start + timedelta(hours=2))
    assert not wrong_documents(database)


def test_a_walk_in_that_cannot_be_is_refused_and_leaves_nothing(sqlite_database: Database):
    database = sqlite_database
    group, person = world.group(database), world.patient(database)
    held, off = world.session(database, group), world.session(database, group)
    execute(
        database,
        UpdateSession(session_id=off.id, status=SessionStatus.CANCELLED, cancel_reason="Snow"),
    )
    with pytest.raises(BusinessRuleError, match="cancelled"):
        walk_in(database, off, person)
    with pytest.raises(BusinessRuleError) as caught:
        walk_in(database, held, person, EXCUSED)
    assert caught.value.element == "mark"
    with pytest.raises(VersionError):
        walk_in(database, held, person, if_match=4)
    with pytest.raises(InvalidElementsError):
        walk_in(database, held, person, LATE, arrived_at=held.end)
    unknown = Mark(patient_id=new_id(), mark=PRESENT)
    with pytest.raises(InvalidError) as caught_too:
        execute(database, RecordWalkIn(session_id=held.id, mark=unknown, recorded_by="t"))
    assert caught_too.value.element == "patient_id"
    assert database.read(lambda session: session.exec(select(Enrollment)).all()) == []


def test_marks_and_walk_ins_use_the_same_attendance(sqlite_database: Database):
    database = sqlite_database
    group, guest, member = (
        world.group(database), world.patient(database), world.patient(database)
    )  # fmt: skip
    world.enroll(database, member, group)
    held = world.session(database, group)
    walk_in(database, held, guest)
    marks = tuple(Mark(patient_id=one.id, mark=PRESENT) for one in (guest, member))
    command = RecordAttendance(session_id=held.id, marks=marks, recorded_by="t", if_match=1)
    assert len(execute(database, command)) == 2


def test_a_second_enrolment_is_refused_while_one_has_not_finished(sqlite_database: Database):
    database = sqlite_database
    group, person = world.group(database, capacity=1), world.patient(database)
    world.enroll(database, person, group, status=WAITLISTED)
    with pytest.raises(DuplicateError):
        execute(database, Enroll(patient_id=person.id, group_id=group.id, status=WAITLISTED))
