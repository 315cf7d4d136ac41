"""Sixteen people, one seat, at once: never over capacity, nobody lost, promotion in order.

`make nightly` runs 200 rounds on each kind of database.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlmodel import col, select

from service.commands import (
    AnswerOffer,
    ChangeEnrollment,
    Enroll,
    OfferAnswer,
    SettleGroup,
    TransferEnrollment,
    UpdateGroup,
)
from service.database import Database
from service.errors import BusinessRuleError, BusyError
from service.fhir.refresh import refresh_due
from service.fhir.sources import Sources
from service.handlers import execute
from service.models.enrollments import Enrollment, EnrollmentStatus, EnrollmentStatusChange
from service.models.groups import SupportGroup
from service.models.patients import Patient
from tests import world
from tests.conftest import open_database
from tests.races.conftest import Arena

WAYS = 16
ROUNDS = 200 if os.environ.get("ALONGSIDE_NIGHTLY") else 4
PROPOSED, WAITLISTED, OFFERED, ACTIVE, ON_HOLD, FINISHED = EnrollmentStatus
SEATED = {ACTIVE, ON_HOLD, OFFERED}
BEGIN = datetime(2026, 3, 2, 9, tzinfo=UTC)
OFFER = timedelta(hours=72)


@pytest.fixture
def crowd(arena: Arena) -> Any:
    """The arena with as many threads as people."""
    with ThreadPoolExecutor(WAYS) as pool:
        yield Arena(arena.database, ROUNDS, pool)


def asked(database: Database, command: Any) -> Any:
    """What a caller does: ask again where the answer is to try again."""
    for _ in range(10):
        try:
            return execute(database, command)
        except BusyError:  # 503 with Retry-After; nothing was kept
            continue
    raise AssertionError("still busy")


def seat_or_wait(database: Database, person: Patient, group: SupportGroup) -> Enrollment:
    """What a coordinator does: enrol, and where the group is full, on the list."""
    try:
        row = asked(database, Enroll(patient_id=person.id, group_id=group.id))
    except BusinessRuleError:
        later = Enroll(patient_id=person.id, group_id=group.id, status=WAITLISTED)
        row = asked(database, later)
    found: Enrollment = row
    return found


def enrollments(database: Database, group: SupportGroup) -> list[Enrollment]:
    """All of the group, those who wait in order."""
    statement = select(Enrollment).where(Enrollment.group_id == group.id)
    order = statement.order_by(col(Enrollment.queue_number))
    return database.read(lambda session: list(session.exec(order)))


def with_status(rows: list[Enrollment], *statuses: EnrollmentStatus) -> list[Enrollment]:
    return [row for row in rows if row.status in statuses]


def sources(*groups: SupportGroup, people: list[Patient]) -> Sources:
    found = Sources()
    found.add("group", {group.id for group in groups})
    found.add("roster", {group.id for group in groups})
    found.add("patient", {person.id for person in people})
    return found


def no_error(results: list[Any]) -> None:
    assert not [one for one in results if isinstance(one, Exception)], results


def test_sixteen_people_for_the_last_seat(crowd: Arena) -> None:
    database = crowd.database
    hospital = world.hospital(database)
    people = [world.linked(database, hospital) for _ in range(WAYS)]
    for _ in range(crowd.rounds):
        group = world.group(database, capacity=1)
        no_error(crowd.release(*(partial(seat_or_wait, database, one, group) for one in people)))
        rows = enrollments(database, group)
        assert len(with_status(rows, *SEATED)) == 1
        line = with_status(rows, WAITLISTED)
        assert len({row.queue_number for row in line}) == len(line) == WAYS - 1
        crowd.check(sources(group, people=people))
        promoted(crowd, group, rows)
    crowd.check()


def promoted(crowd: Arena, group: SupportGroup, rows: list[Enrollment]) -> None:
    """Three leave or decline, one after another, while others join: the line moves in order."""
    (holder,) = with_status(rows, *SEATED)
    line = [row.id for row in with_status(rows, WAITLISTED)]
    gone = ChangeEnrollment(enrollment_id=holder.id, status=FINISHED, reason="left")
    for place in range(3):
        settle = SettleGroup(group_id=group.id)
        calls = [partial(asked, crowd.database, each) for each in (gone, settle, settle)]
        no_error(crowd.release(*calls))
        now = enrollments(crowd.database, group)
        assert [row.id for row in with_status(now, OFFERED)] == [line[place]]
        assert [row.id for row in with_status(now, WAITLISTED)] == line[place + 1 :]
        gone = ChangeEnrollment(enrollment_id=line[place], status=FINISHED, reason="no")


def test_seats_that_are_added_and_left_at_once_are_offered_once_each(crowd: Arena) -> None:
    database = crowd.database
    people = [world.patient(database) for _ in range(WAYS)]
    for _ in range(crowd.rounds // 6 + 1):
        group = world.group(database, capacity=4)
        rows = [seat_or_wait(database, one, group) for one in people]
        leave = [
            ChangeEnrollment(enrollment_id=row.id, status=FINISHED, reason="left")
            for row in rows[:3]
        ]
        more = UpdateGroup(group_id=group.id, capacity=6)
        calls = [partial(asked, database, each) for each in (*leave, more)]
        no_error(crowd.release(*calls))
        now = enrollments(database, group)
        assert [row.id for row in with_status(now, OFFERED)] == [row.id for row in rows[4:9]]
        assert len(with_status(now, ACTIVE)) == 1
    crowd.check()


class Clock:
    """One process's clock."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def processes(database_url: str) -> Any:
    """Two processes on one database; the second one's clock is at the end of the offer."""
    clocks = Clock(BEGIN), Clock(BEGIN)
    databases = [open_database(database_url, clock) for clock in clocks]
    with ThreadPoolExecutor(4) as pool:
        yield [Arena(each, ROUNDS // 4 + 2, pool) for each in databases], clocks
    for each in databases:
        each.close()


def offered(database: Database) -> tuple[SupportGroup, list[Enrollment]]:
    """A group of one seat, which is offered to the first of three; since when is now."""
    group = world.group(database, capacity=1)
    people = [world.patient(database) for _ in range(4)]
    holder, *line = [seat_or_wait(database, one, group) for one in people]
    gone = ChangeEnrollment(enrollment_id=holder.id, status=FINISHED, reason="left")
    execute(database, gone)
    return group, line


def changes(database: Database, row: Enrollment) -> list[EnrollmentStatus]:
    change = EnrollmentStatusChange
    statement = select(change.status).where(change.enrollment_id == row.id)
    return database.read(lambda session: list(session.exec(statement.order_by(col(change.id)))))


def test_an_offer_expires_once_in_however_many_processes(processes: Any) -> None:
    (first, second), clocks = processes
    for _ in range(first.rounds):
        group, line = offered(first.database)
        for clock in clocks:
            clock.now += OFFER
        calls = [partial(refresh_due, each.database, clocks[0]) for each in (first, second)]
        no_error(first.release(*calls, *calls))
        now = enrollments(first.database, group)
        assert [row.id for row in with_status(now, OFFERED)] == [line[1].id]
        assert [row.id for row in with_status(now, WAITLISTED)] == [line[2].id, line[0].id]
        assert changes(first.database, line[0]) == [WAITLISTED, OFFERED, WAITLISTED]
        assert refresh_due(second.database, clocks[1]) == 0
    first.check()


def test_an_answer_against_the_end_of_its_offer(processes: Any) -> None:
    """Whichever is first counts, and the other is told; the seat has one holder."""
    (first, second), (early, late) = processes
    for _ in range(first.rounds):
        group, line = offered(first.database)
        late.now = early.now + OFFER
        yes = AnswerOffer(enrollment_id=line[0].id, answer=OfferAnswer.ACCEPT)
        accepted, _ = first.release(
            partial(execute, first.database, yes),
            partial(refresh_due, second.database, late),
        )
        now = {row.id: row for row in enrollments(first.database, group)}
        assert sum(row.status in SEATED for row in now.values()) == 1
        if isinstance(accepted, Exception):
            assert isinstance(accepted, BusinessRuleError)
            assert now[line[0].id].status is WAITLISTED
            assert now[line[1].id].status is OFFERED
        else:
            assert now[line[0].id].status is ACTIVE
            assert now[line[1].id].status is WAITLISTED
        early.now = late.now
    first.check()


def test_a_transfer_against_leaving(arena: Arena) -> None:
    """One of the two happens; both groups keep their count, and the seat left is offered."""
    database = arena.database
    for _ in range(arena.rounds):
        left, entered = world.group(database, capacity=1), world.group(database, capacity=1)
        mover, waiter, other = (world.patient(database) for _ in range(3))
        row = seat_or_wait(database, mover, left)
        seat_or_wait(database, waiter, left)
        move = TransferEnrollment(enrollment_id=row.id, group_id=entered.id)
        leave = ChangeEnrollment(enrollment_id=row.id, status=FINISHED, reason="left")
        come = Enroll(patient_id=other.id, group_id=entered.id)
        results = arena.release(*(partial(execute, database, each) for each in (move, leave, come)))
        moved, _, came = (not isinstance(one, Exception) for one in results)
        assert moved + came == 1, results
        assert [r.patient_id for r in with_status(enrollments(database, left), *SEATED)] == [
            waiter.id
        ]
        inside = with_status(enrollments(database, entered), *SEATED)
        assert [r.patient_id for r in inside] == [mover.id if moved else other.id]
    arena.check()


def test_two_transfers_that_cross(arena: Arena) -> None:
    """Both groups are locked in one order: neither waits for the other for ever."""
    database = arena.database
    for _ in range(arena.rounds):
        groups = [world.group(database, capacity=2) for _ in range(2)]
        people = [world.patient(database) for _ in range(2)]
        rows = [
            seat_or_wait(database, one, group) for one, group in zip(people, groups, strict=True)
        ]
        crossing = [
            TransferEnrollment(enrollment_id=row.id, group_id=group.id)
            for row, group in zip(rows, reversed(groups), strict=True)
        ]
        no_error(arena.release(*(partial(execute, database, each) for each in crossing)))
        for person, group in zip(people, reversed(groups), strict=True):
            inside = with_status(enrollments(database, group), ACTIVE)
            assert [row.patient_id for row in inside] == [person.id]
    arena.check()
