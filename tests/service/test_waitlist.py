"""The waitlist: order, offers, what the clock ends, holds, and who may go ahead of whom."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from service.commands import (
    AnswerOffer,
    ChangeEnrollment,
    Enroll,
    OfferAnswer,
    OfferSeat,
    SettleGroup,
    UpdateGroup,
)
from service.database import Database
from service.enrollments import waitlist
from service.enrollments.waitlist import OFFER_HOURS
from service.errors import BusinessRuleError, InvalidError, RequiredError, VersionError
from service.fhir.refresh import refresh_due
from service.handlers import execute
from service.identifiers import new_id
from service.models.documents import Document, DueKind, Event, ProjectionDue
from service.models.enrollments import Enrollment, EnrollmentStatus, EnrollmentStatusChange
from service.models.groups import GroupStatus, Promotion, SupportGroup
from tests import world
from tests.conftest import open_database
from tests.fresh import wrong_documents

PROPOSED, WAITLISTED, OFFERED, ACTIVE, ON_HOLD, FINISHED = EnrollmentStatus
ACCEPT, DECLINE = OfferAnswer
BEGIN = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass
class Programme:
    """A database whose clock the test moves."""

    database: Database
    now: datetime = BEGIN

    def run(self, command: Any) -> Any:
        return execute(self.database, command)

    def join(self, group: SupportGroup, status: EnrollmentStatus = ACTIVE, **more: Any) -> Any:
        person = world.patient(self.database)
        return self.run(Enroll(patient_id=person.id, group_id=group.id, status=status, **more))

    def full(self, waiting: int = 2, **more: Any) -> tuple[SupportGroup, list[Enrollment]]:
        """A group of one seat that is taken, and those who wait for it."""
        group = world.group(self.database, capacity=1, **more)
        self.holder = self.join(group)
        return group, [self.join(group, WAITLISTED) for _ in range(waiting)]

    def leave(self, row: Enrollment) -> None:
        self.run(ChangeEnrollment(enrollment_id=row.id, status=FINISHED, reason="left"))

    def answer(self, row: Enrollment, answer: OfferAnswer, **more: Any) -> None:
        self.run(AnswerOffer(enrollment_id=row.id, answer=answer, **more))

    def row(self, row: Enrollment) -> Enrollment:
        found = self.database.read(lambda session: session.get(Enrollment, row.id))
        assert found is not None
        return found

    def statuses(self, *rows: Enrollment) -> list[EnrollmentStatus]:
        return [self.row(row).status for row in rows]

    def line(self, group: SupportGroup) -> list[Any]:
        statement = (
            select(Enrollment.id)
            .where(Enrollment.group_id == group.id, Enrollment.status == WAITLISTED)
            .order_by(col(Enrollment.queue_number))
        )
        return self.database.read(lambda session: list(session.exec(statement)))

    def history(self, row: Enrollment) -> list[tuple[EnrollmentStatus, str | None]]:
        change: Any = EnrollmentStatusChange
        statement = select(change.status, change.reason).where(change.enrollment_id == row.id)
        found = self.database.read(lambda session: session.exec(statement.order_by(change.id)))
        return [tuple(one) for one in found]

    def settle(self) -> int:
        return refresh_due(self.database, lambda: self.now)

    def due(self) -> int:
        return len(self.database.read(lambda s: s.exec(select(ProjectionDue.key)).all()))


def opened(url: str, **more: Any) -> Iterator[Programme]:
    programme: Programme = None  # type: ignore[assignment]
    database = open_database(url, lambda: programme.now)
    database.info.update(more)
    programme = Programme(database)
    yield programme
    assert wrong_documents(database) == []
    database.close()


@pytest.fixture
def programme(database_url: str) -> Iterator[Programme]:
    yield from opened(database_url)


@pytest.fixture
def here(sqlite_url: str) -> Iterator[Programme]:
    """For what does not depend on the kind of database."""
    yield from opened(sqlite_url)


def test_a_seat_that_is_left_is_offered_to_the_first_and_held_for_them(programme: Programme):
    group, (first, second) = programme.full()
    programme.leave(programme.holder)
    assert programme.statuses(first, second) == [OFFERED, WAITLISTED]
    assert programme.row(first).until == BEGIN + 72 * HOUR
    with pytest.raises(BusinessRuleError, match="full"):
        programme.join(group)
    with pytest.raises(BusinessRuleError, match="full"):
        programme.run(ChangeEnrollment(enrollment_id=second.id, status=ACTIVE))
    programme.now += HOUR
    programme.answer(first, ACCEPT)
    row = programme.row(first)
    assert (row.status, row.start, row.until) == (ACTIVE, programme.now, None)
    assert programme.history(first)[1:] == [
        (OFFERED, "A seat is free"),
        (ACTIVE, "The offer was accepted"),
    ]
    assert programme.due() == 0


def test_who_is_put_on_the_list_of_a_group_with_a_seat_is_offered_it(here: Programme):
    row = here.join(world.group(here.database), WAITLISTED)
    assert here.statuses(row) == [OFFERED]


def test_seats_that_are_added_are_offered_in_order(programme: Programme):
    group, rows = programme.full(waiting=4)
    programme.run(UpdateGroup(group_id=group.id, capacity=3))
    assert programme.statuses(*rows) == [OFFERED, OFFERED, WAITLISTED, WAITLISTED]


def test_fewer_seats_than_members_put_nobody_out_and_offer_nothing(here: Programme):
    group = world.group(here.database, capacity=3)
    members = [here.join(group) for _ in range(3)]
    waits = here.join(group, WAITLISTED)
    here.run(UpdateGroup(group_id=group.id, capacity=1))
    here.leave(members[0])
    here.leave(members[1])
    assert here.statuses(members[2], waits) == [ACTIVE, WAITLISTED]
    here.leave(members[2])
    assert here.statuses(waits) == [OFFERED]


def test_who_declines_leaves_and_the_next_is_offered_the_seat(programme: Programme):
    _, (first, second) = programme.full()
    programme.leave(programme.holder)
    programme.answer(first, DECLINE, reason="Works on Tuesdays now")
    assert programme.statuses(first, second) == [FINISHED, OFFERED]
    assert programme.row(first).finish_reason == "Works on Tuesdays now"


def test_who_declines_for_a_while_is_last_and_passed_over_until_then(programme: Programme):
    group, (first, second) = programme.full()
    programme.leave(programme.holder)
    programme.answer(first, DECLINE, not_before=BEGIN + 10 * DAY)
    programme.answer(second, DECLINE)
    assert programme.statuses(first, second) == [WAITLISTED, FINISHED]
    member = programme.join(group)  # nobody waits for it now
    third = programme.join(group, WAITLISTED)
    assert programme.line(group) == [first.id, third.id]
    programme.leave(member)
    assert programme.statuses(first, third) == [WAITLISTED, OFFERED]
    programme.answer(third, DECLINE)
    programme.now += 10 * DAY
    assert programme.settle() == 1
    assert programme.statuses(first) == [OFFERED]


def test_an_answer_that_cannot_be_is_refused(here: Programme):
    _, (first, second) = here.full()
    with pytest.raises(BusinessRuleError, match="no offer stands: the enrolment is waitlisted"):
        here.answer(first, ACCEPT)
    here.leave(here.holder)
    for answer, moment in ((DECLINE, BEGIN), (ACCEPT, BEGIN + DAY)):
        with pytest.raises(InvalidError) as caught:
            here.answer(first, answer, not_before=moment)
        assert caught.value.element == "not_before"
    with pytest.raises(VersionError):
        here.answer(first, ACCEPT, if_match=1)
    assert here.statuses(first, second) == [OFFERED, WAITLISTED]


def test_an_offer_that_is_not_answered_moves_the_person_to_the_end_once(programme: Programme):
    group, (first, second) = programme.full()
    programme.leave(programme.holder)
    programme.now += 72 * HOUR
    assert programme.settle() == 1
    assert programme.settle() == 0
    assert programme.statuses(first, second) == [WAITLISTED, OFFERED]
    assert programme.line(group) == [first.id]
    assert programme.row(second).until == programme.now + 72 * HOUR
    programme.now += 72 * HOUR
    programme.settle()
    assert programme.statuses(first, second) == [OFFERED, WAITLISTED]
    programme.now += 72 * HOUR
    programme.settle()
    assert programme.statuses(first, second) == [FINISHED, OFFERED]
    assert [reason for _, reason in programme.history(first)] == [
        None,
        "A seat is free",
        "The offer was not answered in time; now at the end of the waitlist",
        "A seat is free",
        "A second offer was not answered in time",
    ]
    row = programme.row(first)
    assert (row.end, row.missed_offers) == (programme.now, 2)


def test_an_offer_ends_before_the_next_command_though_nobody_settled_it(programme: Programme):
    _, (first, second) = programme.full()
    programme.leave(programme.holder)
    programme.now += 72 * HOUR
    with pytest.raises(BusinessRuleError, match="no offer stands"):
        programme.answer(first, ACCEPT)
    programme.leave(second)  # which had been offered the seat first
    assert programme.statuses(first, second) == [OFFERED, FINISHED]


def test_an_offer_that_ends_while_the_group_takes_nobody_keeps_the_place(here: Programme):
    group, (first, second) = here.full()
    here.leave(here.holder)
    here.run(UpdateGroup(group_id=group.id, status=GroupStatus.ON_HOLD))
    with pytest.raises(BusinessRuleError, match="on-hold"):
        here.answer(first, ACCEPT)
    here.now += 72 * HOUR
    here.settle()
    assert here.line(group) == [first.id, second.id]
    assert here.row(first).missed_offers == 0
    here.run(UpdateGroup(group_id=group.id, status=GroupStatus.ACTIVE))
    assert here.statuses(first, second) == [OFFERED, WAITLISTED]


def test_how_long_an_offer_stands_is_a_setting_and_a_groups_own(sqlite_url: str):
    for here in opened(sqlite_url, **{OFFER_HOURS: 5}):
        for hours, expected in ((None, 5), (48, 48)):
            row = here.join(world.group(here.database, offer_hours=hours), WAITLISTED)
            assert here.row(row).until == BEGIN + expected * HOUR
        with pytest.raises(InvalidError) as caught:
            world.group(here.database, offer_hours=0)
        assert caught.value.element == "offer_hours"


def test_more_than_one_transaction_takes_is_gone_on_with(
    here: Programme, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(waitlist, "AT_ONCE", 2)
    group, rows = here.full(waiting=5)
    here.run(UpdateGroup(group_id=group.id, capacity=4))
    assert here.statuses(*rows) == [OFFERED, OFFERED, WAITLISTED, WAITLISTED, WAITLISTED]
    here.run(SettleGroup(group_id=group.id))
    assert here.statuses(*rows) == [OFFERED, OFFERED, OFFERED, WAITLISTED, WAITLISTED]
    here.now += 72 * HOUR
    with pytest.raises(BusinessRuleError, match="no offer stands"):
        here.answer(rows[2], ACCEPT)
    assert here.settle() == 3
    assert here.statuses(*rows) == [OFFERED, WAITLISTED, WAITLISTED, OFFERED, OFFERED]
    assert [here.row(row).missed_offers for row in rows] == [1, 1, 1, 0, 0]


def test_what_is_noted_as_due_and_is_not_is_forgotten(here: Programme):
    _, (first, _) = here.full()

    def note(session: Any) -> None:
        for key in (first.id, new_id()):
            session.add(ProjectionDue(key=key.hex, kind=DueKind.ENROLLMENT, at=1))

    here.database.unit_of_work(note)
    assert here.settle() == 2
    assert here.due() == 0
    assert here.statuses(first) == [WAITLISTED]


def test_a_group_may_offer_by_hand(programme: Programme):
    group, (first, second) = programme.full(promotion=Promotion.MANUAL)
    with pytest.raises(BusinessRuleError, match="no seat is free"):
        programme.run(OfferSeat(group_id=group.id))
    programme.leave(programme.holder)
    assert programme.statuses(first, second) == [WAITLISTED, WAITLISTED]
    assert programme.run(OfferSeat(group_id=group.id)).id == first.id
    programme.answer(first, DECLINE)
    assert programme.statuses(second) == [WAITLISTED]
    programme.leave(second)
    with pytest.raises(BusinessRuleError, match="nobody waits"):
        programme.run(OfferSeat(group_id=group.id))


def test_nobody_goes_past_who_waits_without_a_reason(here: Programme):
    group, (first, second) = here.full(promotion=Promotion.MANUAL)
    proposed = here.join(group, PROPOSED)
    here.leave(here.holder)
    for row in (proposed, second):
        with pytest.raises(BusinessRuleError, match="others wait"):
            here.run(ChangeEnrollment(enrollment_id=row.id, status=ACTIVE))
    with pytest.raises(BusinessRuleError, match="others wait"):
        here.join(group)
    with pytest.raises(RequiredError) as caught:
        here.join(group, ahead_of_waitlist=True)
    assert caught.value.element == "reason"
    with pytest.raises(BusinessRuleError) as caught_too:
        here.join(group, PROPOSED, ahead_of_waitlist=True, reason="Discharged today")
    assert caught_too.value.element == "ahead_of_waitlist"
    urgent = here.join(group, ahead_of_waitlist=True, reason="Discharged today")
    assert here.history(urgent) == [(ACTIVE, "Discharged today")]
    here.leave(urgent)
    here.run(ChangeEnrollment(enrollment_id=first.id, status=ACTIVE))  # whose turn it is
    assert here.line(group) == [second.id]


def test_who_is_put_at_the_head_of_the_list_is_offered_the_next_seat(here: Programme):
    group, rows = here.full()
    urgent = here.join(group, WAITLISTED, ahead_of_waitlist=True, reason="Discharged today")
    more = here.join(group, PROPOSED)
    here.run(
        ChangeEnrollment(
            enrollment_id=more.id, status=WAITLISTED, ahead_of_waitlist=True, reason="Urgent too"
        )
    )
    assert here.line(group) == [more.id, urgent.id, *(row.id for row in rows)]
    here.leave(here.holder)
    assert here.statuses(more, urgent) == [OFFERED, WAITLISTED]


def test_the_order_is_that_of_joining_whatever_start_is_said(here: Programme):
    group, rows = here.full()
    early = here.join(group, WAITLISTED, start=BEGIN - 90 * DAY)
    ahead = here.join(group, WAITLISTED, start=BEGIN + 90 * DAY)
    assert here.line(group) == [*(row.id for row in rows), early.id, ahead.id]
    here.run(UpdateGroup(group_id=group.id, capacity=9))
    assert here.statuses(early, ahead) == [OFFERED, OFFERED]


def test_a_hold_keeps_the_seat_and_ends_by_the_clock(programme: Programme):
    group, (first, _) = programme.full()
    hold = ChangeEnrollment(
        enrollment_id=programme.holder.id, status=ON_HOLD, reason="Travels", until=BEGIN + 7 * DAY
    )
    programme.run(hold)
    assert programme.statuses(programme.holder, first) == [ON_HOLD, WAITLISTED]
    programme.run(hold)  # again: nothing
    longer = ChangeEnrollment(
        enrollment_id=programme.holder.id, status=ON_HOLD, reason="Ill", until=BEGIN + 9 * DAY
    )
    programme.now += DAY
    programme.run(longer)
    programme.now += 9 * DAY
    assert programme.settle() == 1
    assert programme.statuses(programme.holder, first) == [ACTIVE, WAITLISTED]
    assert programme.history(programme.holder)[1:] == [
        (ON_HOLD, "Travels"),
        (ON_HOLD, "Ill"),
        (ACTIVE, "The hold is over"),
    ]
    assert len(programme.line(group)) == 2


def test_a_hold_says_why_and_only_a_hold_has_an_end(here: Programme):
    here.full()
    for status, values, element in (
        (ON_HOLD, {}, "reason"),
        (ON_HOLD, {"reason": "r", "until": BEGIN}, "until"),
        (FINISHED, {"reason": "r", "until": BEGIN + DAY}, "until"),
    ):
        with pytest.raises(InvalidError) as caught:
            here.run(ChangeEnrollment(enrollment_id=here.holder.id, status=status, **values))
        assert caught.value.element == element
    assert here.statuses(here.holder) == [ACTIVE]


def test_a_hold_that_is_left_frees_the_seat(here: Programme):
    _, (first, _) = here.full()
    here.run(ChangeEnrollment(enrollment_id=here.holder.id, status=ON_HOLD, reason="Travels"))
    here.leave(here.holder)
    assert here.statuses(first) == [OFFERED]


def test_a_group_that_takes_people_again_is_settled_without_a_request(here: Programme):
    """What opens a group need not be a change of the group itself."""
    group, (first, _) = here.full(promotion=Promotion.MANUAL)
    here.leave(here.holder)

    def change(session: Any) -> None:
        session.get(SupportGroup, group.id).promotion = Promotion.AUTOMATIC

    here.database.unit_of_work(change)
    assert here.statuses(first) == [WAITLISTED]
    here.run(SettleGroup(group_id=group.id))
    assert here.statuses(first) == [OFFERED]


def test_a_hospital_reads_of_a_wait_and_learns_of_no_offer(programme: Programme):
    database = programme.database
    group = world.group(database, capacity=1)
    holder = programme.join(group)
    hospital = world.hospital(database)
    person = world.patient(database)
    world.link(database, person, hospital)
    world.consent(database, person, hospital, start=BEGIN - DAY)
    row = programme.run(Enroll(patient_id=person.id, group_id=group.id, status=WAITLISTED))
    before = events(database)
    programme.leave(holder)
    programme.now += 72 * HOUR
    programme.settle()
    assert programme.statuses(row) == [OFFERED]  # the second one
    told = [event for event in events(database) if event not in before]
    assert {event.audience for event in told if event.type != "Group"} <= {1}
    episode = select(Document.version, Document.content).where(
        Document.source == f"enrollment:{row.id.hex}", Document.audience == hospital.number
    )
    version, content = database.read(lambda session: session.exec(episode).one())
    assert version == 1
    assert b'"status":"waitlist"' in content


def events(database: Database) -> list[Event]:
    return database.read(lambda session: list(session.exec(select(Event))))
