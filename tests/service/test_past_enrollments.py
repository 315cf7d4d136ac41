"""Memberships that are over: no seat, no gate, and still none twice at once."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from service.commands import RecordPastEnrollment
from service.database import Database
from service.errors import AlongsideError, BusinessRuleError, DuplicateError, InvalidError
from service.handlers import execute
from service.models.enrollments import Enrollment, EnrollmentStatus
from service.models.groups import GroupStatus
from service.models.patients import Patient
from tests import world
from tests.fresh import wrong_documents

START, END = datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 6, 1, tzinfo=UTC)


def record(database: Database, person: Patient, group_id: UUID, **more: object) -> Enrollment:
    values = {"start": START, "end": END, "reason": "moved away", **more}
    command = RecordPastEnrollment(patient_id=person.id, group_id=group_id, **values)
    row: Enrollment = execute(database, command)
    return row


def test_who_was_in_a_full_or_closed_group_is_recorded_with_documents(database: Database) -> None:
    hospital = world.hospital(database)
    full = world.group(database, capacity=1)
    world.enroll(database, world.patient(database), full)
    closed = world.group(database, status=GroupStatus.CLOSED)
    person = world.linked(database, hospital)
    for each in (full, closed):
        row = record(database, person, each.id)
        assert (row.status, row.end) == (EnrollmentStatus.FINISHED, END)
    assert not wrong_documents(database)


@pytest.mark.parametrize(
    ("more", "error", "element"),
    [
        ({"reason": " "}, InvalidError, "reason"),
        ({"end": START}, InvalidError, "end"),
        ({"end": datetime(2999, 1, 1, tzinfo=UTC)}, InvalidError, "end"),
        ({"start": datetime(2025, 1, 1)}, InvalidError, "start"),  # noqa: DTZ001 - that is the fault
    ],
)
def test_it_began_and_ended_and_says_why(
    sqlite_database: Database,
    more: dict[str, object],
    error: type[AlongsideError],
    element: str,
) -> None:
    person, into = world.patient(sqlite_database), world.group(sqlite_database)
    with pytest.raises(error) as raised:
        record(sqlite_database, person, into.id, **more)
    assert raised.value.element == element


def test_nobody_was_in_one_group_twice_at_once(sqlite_database: Database) -> None:
    person, into = world.patient(sqlite_database), world.group(sqlite_database)
    record(sqlite_database, person, into.id)
    with pytest.raises(DuplicateError):
        record(sqlite_database, person, into.id, start=datetime(2025, 5, 31, tzinfo=UTC), end=END)
    record(sqlite_database, person, into.id, start=END, end=datetime(2025, 7, 1, tzinfo=UTC))
    world.enroll(sqlite_database, person, into, start=datetime(2025, 8, 1, tzinfo=UTC))
    last = {"start": datetime(2025, 7, 1, tzinfo=UTC), "end": datetime(2025, 9, 1, tzinfo=UTC)}
    with pytest.raises(DuplicateError):
        record(sqlite_database, person, into.id, **last)


def test_nobody_was_in_a_draft_or_is_nobody(sqlite_database: Database) -> None:
    draft = world.group(sqlite_database, status=GroupStatus.DRAFT)
    with pytest.raises(BusinessRuleError):
        record(sqlite_database, world.patient(sqlite_database), draft.id)
    stranger = Patient(family="No", given="Body")
    with pytest.raises(InvalidError) as raised:
        record(sqlite_database, stranger, draft.id)
    assert raised.value.element == "patient_id"
