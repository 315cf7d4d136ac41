"""Seats, waitlist, offers, holds and transfers are as a small model says, after any sequence."""

import copy
import os
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlmodel import col, select

from api.bootstrap import ensure_programme
from fhir_mappings.episode_of_care import STATUS
from service import commands as c
from service.errors import AlongsideError, BusyError
from service.fhir.refresh import refresh_due
from service.handlers import execute
from service.models.documents import FIRST_CONNECTION, Document
from service.models.enrollments import Enrollment, EnrollmentStatus
from service.models.groups import GroupStatus, Promotion
from tests import world
from tests.conftest import open_database
from tests.fresh import wrong_documents
from tests.properties.membership_model import Place, Room

NIGHTLY = bool(os.environ.get("ALONGSIDE_NIGHTLY"))
EXAMPLES, STEPS = (60, 60) if NIGHTLY else (6, 40)
BEGIN = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
PEOPLE = 6

people = st.integers(0, PEOPLE - 1)
rooms = st.integers(0, 1)
number = st.integers(0, 1000)
hours = st.none() | st.sampled_from([1, 71, 72, 73, 200])
seldom = st.sampled_from([False, False, False, True])


class Membership(RuleBasedStateMachine):
    """Two small groups whose seats six people want; the clock stands still unless it is moved."""

    template: Path

    @initialize(first=st.integers(1, 3), second=st.integers(1, 2))
    def found(self, first: int, second: int) -> None:
        self.now = BEGIN
        self.folder = Path(tempfile.mkdtemp(prefix="alongside-"))
        file = self.folder / "alongside.db"
        shutil.copy(self.template, file)
        self.database = open_database(f"sqlite:///{file}", lambda: self.now)
        ensure_programme(self.database, "Circles")
        hospital = world.hospital(self.database)
        self.people = [world.patient(self.database) for _ in range(PEOPLE)]
        for person in self.people:
            world.link(self.database, person, hospital)
            world.consent(self.database, person, hospital, start=BEGIN)
        self.groups = [world.group(self.database, capacity=each) for each in (first, second)]
        self.rooms = [Room(first), Room(second)]
        world.session(self.database, self.groups[0], BEGIN + 24 * HOUR)
        self.rows: list[tuple[Any, int, Place]] = []

    def run(self, command: Any, *, expected: bool) -> Any:
        """Run it; the domain is to refuse what the model refuses, and nothing else."""
        row, refused = None, None
        try:
            row = execute(self.database, command)
        except BusyError:  # a slow machine: nothing was kept
            return self.run(command, expected=expected)
        except AlongsideError as error:
            refused = error
        assert expected is (refused is None), f"{command}: {refused}"
        return row

    def guess(self, number: int) -> tuple[Any, int, Place] | None:
        return self.rows[number % len(self.rows)] if self.rows else None

    def later(self, passed: int | None) -> datetime | None:
        return None if passed is None else self.now + passed * HOUR

    @rule(
        person=people,
        room=rooms,
        status=st.sampled_from(["active", "active", "waitlisted", "waitlisted", "proposed"]),
        ahead=seldom,
    )
    def enroll(self, person: int, room: int, status: str, *, ahead: bool) -> None:
        model = copy.deepcopy(self.rooms[room])
        expected = model.enroll(person, status, self.now, ahead=ahead)
        row = self.run(
            c.Enroll(
                patient_id=self.people[person].id,
                group_id=self.groups[room].id,
                status=EnrollmentStatus(status),
                ahead_of_waitlist=ahead,
                reason="urgent" if ahead else None,
            ),
            expected=expected,
        )
        if expected:
            self.rooms[room].enroll(person, status, self.now, ahead=ahead)
            self.rows.append((row.id, room, self.rooms[room].places[-1]))

    @rule(
        which=number,
        status=st.sampled_from(["active", "on-hold", "finished", "finished", "waitlisted"]),
        until=hours,
    )
    def move(self, which: int, status: str, until: int | None) -> None:
        if (found := self.guess(which)) is None:
            return
        key, room, place = found
        ends = self.later(until) if status == "on-hold" else None
        command = c.ChangeEnrollment(
            enrollment_id=key, status=EnrollmentStatus(status), until=ends, reason="r"
        )
        self.settle()
        self.run(command, expected=self.rooms[room].move(place, status, self.now, ends))

    @rule(which=number, yes=st.booleans(), later=hours)
    def answer(self, which: int, later: int | None, *, yes: bool) -> None:
        offered = [each for each in self.rows if each[2].status == "offered"] or self.rows
        if not offered:
            return
        key, room, place = offered[which % len(offered)]
        not_before = None if yes else self.later(later)
        command = c.AnswerOffer(
            enrollment_id=key,
            answer=c.OfferAnswer.ACCEPT if yes else c.OfferAnswer.DECLINE,
            not_before=not_before,
        )
        self.settle()
        model = self.rooms[room]
        self.run(command, expected=model.answer(place, self.now, yes=yes, later=not_before))

    @rule(which=number, status=st.sampled_from(["active", "waitlisted"]), ahead=seldom)
    def transfer(self, which: int, status: str, *, ahead: bool) -> None:
        if (found := self.guess(which)) is None:
            return
        key, room, place = found
        self.settle()
        left, entered = self.rooms[room], self.rooms[1 - room]
        trial = copy.deepcopy(entered)
        expected = place.status != "finished" and trial.enroll(
            place.person, status, self.now, ahead=ahead
        )
        row = self.run(
            c.TransferEnrollment(
                enrollment_id=key,
                group_id=self.groups[1 - room].id,
                status=EnrollmentStatus(status),
                ahead_of_waitlist=ahead,
                reason="closer to home",
            ),
            expected=expected,
        )
        if expected:
            place.status, place.until = "finished", None
            entered.enroll(place.person, status, self.now, ahead=ahead)
            left.promote(self.now)
            self.rows.append((row.id, 1 - room, entered.places[-1]))

    @rule(room=rooms)
    def offer(self, room: int) -> None:
        model = self.rooms[room]
        self.settle()
        expected = model.open and model.offer(self.now)
        self.run(c.OfferSeat(group_id=self.groups[room].id), expected=expected)

    @rule(room=rooms, seats=st.integers(1, 4))
    def resize(self, room: int, seats: int) -> None:
        self.rooms[room].capacity = seats
        self.change(room, capacity=seats)

    @rule(room=rooms, automatic=st.sampled_from([True, True, False]))
    def set_promotion(self, room: int, *, automatic: bool) -> None:
        self.rooms[room].automatic = automatic
        self.change(room, promotion=Promotion.AUTOMATIC if automatic else Promotion.MANUAL)

    @rule(room=rooms, taking=st.sampled_from([True, True, False]))
    def open(self, room: int, *, taking: bool) -> None:
        self.rooms[room].open = taking
        self.change(room, status=GroupStatus.ACTIVE if taking else GroupStatus.ON_HOLD)

    def change(self, room: int, **values: Any) -> None:
        self.run(c.UpdateGroup(group_id=self.groups[room].id, **values), expected=True)
        self.rooms[room].settle(self.now)

    @rule(passed=st.sampled_from([1, 24, 71, 72, 73, 300]))
    def wait(self, passed: int) -> None:
        self.now += passed * HOUR

    def settle(self) -> None:
        for room in self.rooms:
            room.settle(self.now)

    @invariant()
    def all_is_well(self) -> None:
        self.everyone_is_where_the_model_says()
        self.nobody_is_lost_from_the_list_or_out_of_order()
        self.a_free_seat_is_offered_where_somebody_waits()
        self.documents_follow_and_hospitals_learn_of_no_offer()

    def everyone_is_where_the_model_says(self) -> None:
        refresh_due(self.database, lambda: self.now)  # as every request does first
        self.settle()
        rows = self.database.read(lambda session: list(session.exec(select(Enrollment))))
        by_id = {row.id: row for row in rows}
        assert len(by_id) == len(self.rows)
        for key, _, place in self.rows:
            row = by_id[key]
            seen = (row.status.value, row.until, row.missed_offers)
            assert seen == (place.status, place.until, place.missed), place

    def nobody_is_lost_from_the_list_or_out_of_order(self) -> None:
        people = {person.id: number for number, person in enumerate(self.people)}
        for group, room in zip(self.groups, self.rooms, strict=True):
            line = (
                select(Enrollment.patient_id)
                .where(Enrollment.group_id == group.id, Enrollment.status == "waitlisted")
                .order_by(col(Enrollment.queue_number))
            )
            found = self.database.read(lambda session, line=line: session.exec(line).all())
            assert [people[each] for each in found] == [place.person for place in room.line()]

    def a_free_seat_is_offered_where_somebody_waits(self) -> None:
        for room in self.rooms:
            if room.automatic and room.open and room.free() > 0:
                assert room.next() is None

    def documents_follow_and_hospitals_learn_of_no_offer(self) -> None:
        assert wrong_documents(self.database) == []
        statement = select(Document).where(
            Document.type == "EpisodeOfCare", Document.audience == FIRST_CONNECTION
        )
        stored = self.database.read(lambda session: list(session.exec(statement)))
        said = {each.source: each.content for each in stored}
        for key, _, place in self.rows:
            status = STATUS[EnrollmentStatus(place.status)]
            assert f'"status":"{status}","statusHistory"' in said[f"enrollment:{key.hex}"].decode()

    def teardown(self) -> None:
        if hasattr(self, "database"):
            self.database.close()
            shutil.rmtree(self.folder)


def test_seats_and_waitlists_are_as_the_model_says(sqlite_template: Path):
    Membership.template = sqlite_template
    chosen = settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        deadline=None,
        derandomize=not NIGHTLY,
        phases=[Phase.generate],  # to shrink sequences of this cost takes minutes
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Membership, settings=chosen)
