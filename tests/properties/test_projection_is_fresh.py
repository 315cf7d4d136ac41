"""After any sequence of commands every document is right, whole, and its reader's to read."""

import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from api.bootstrap import ensure_programme, publish_instruments
from service import commands as c
from service.errors import AlongsideError
from service.fhir.refresh import refresh_due
from service.handlers import execute
from service.models.connections import Connection, ConsentPolicy
from service.models.consents import Category, Decision
from service.models.enrollments import AttendanceMark, EnrollmentStatus
from service.models.groups import (
    Facilitation,
    GroupStatus,
    Modality,
    Promotion,
    Sensitivity,
    SessionStatus,
)
from service.models.screening import ResponseStatus
from tests import world
from tests.conftest import open_database
from tests.fresh import wrong_documents
from tests.properties.oracle import faults, read_state
from tests.stored import current

NIGHTLY = bool(os.environ.get("ALONGSIDE_NIGHTLY"))
EXAMPLES, STEPS = (100, 80) if NIGHTLY else (12, 40)
BEGIN = datetime(2026, 3, 2, 9, tzinfo=UTC)
BEGINNINGS = (EnrollmentStatus.PROPOSED, EnrollmentStatus.WAITLISTED, EnrollmentStatus.ACTIVE)
HOUR = timedelta(hours=1)
WEEKLY = c.MeasurementPlan(instrument="phq-9", every_weeks=1)
CANONICAL = "http://loinc.org/q/44249-1"

index = st.integers(0, 1000)
hours = st.integers(-200, 200).map(lambda n: n * HOUR)
lengths = st.none() | st.integers(1, 200)
decisions = st.fixed_dictionaries(
    {
        "category": st.sampled_from(Category),
        "decision": st.sampled_from([Decision.PERMIT, Decision.PERMIT, Decision.DENY]),
        "covers_part2": st.booleans(),
        "shows_group_name": st.booleans(),
    }
)
plans = st.builds(
    c.MeasurementPlan,
    instrument=st.just("phq-9"),
    baseline=st.just(True),  # or it may measure never, which is refused
    end_after_weeks=st.sampled_from([None, None, 1, 3]),
) | st.one_of(
    st.builds(c.MeasurementPlan, instrument=st.just("phq-9"), every_weeks=st.integers(1, 2)),
    st.builds(
        c.MeasurementPlan,
        instrument=st.just("phq-9"),
        baseline=st.booleans(),
        every_sessions=st.integers(1, 2),
        end_after_sessions=st.sampled_from([None, 2, 3]),
    ),
)
answers = st.dictionaries(st.sampled_from(world.PHQ9), st.integers(0, 3), min_size=9, max_size=9)


class Clock:
    def __init__(self) -> None:
        self.now = BEGIN

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now


class Programme(RuleBasedStateMachine):
    """Two hospitals, one under each policy; four people; two groups, one under Part 2."""

    template: Path
    SIZE = 4

    @initialize()
    def found(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="alongside-"))
        shutil.copy(self.template, self.folder / "alongside.db")
        self.clock = Clock()
        self.database = open_database(f"sqlite:///{self.folder / 'alongside.db'}", self.clock)
        ensure_programme(self.database, "Circles")
        publish_instruments(self.database)
        self.hospitals = [self._hospital("A", ConsentPolicy.OPT_IN)]
        self.hospitals.append(self._hospital("B", ConsentPolicy.TREATMENT))
        names = [f"F{n}" for n in range(self.SIZE)]
        self.people = [self.run(c.CreatePatient(family=name, given="G")) for name in names]
        self.places = [self.run(c.CreatePlace(name="Library"))]
        self.facilitators = [self._facilitator("Reed", shown=False)]
        self.facilitators.append(self._facilitator("Lane", shown=True))
        self.groups = [self._group(Sensitivity.MENTAL_HEALTH, 2)]
        self.groups.append(self._group(Sensitivity.SUBSTANCE_USE, 9))
        self.rows: dict[str, list[Any]] = {
            "links": [], "consents": [], "sessions": [], "enrollments": [], "responses": [],
            "merges": [],
        }  # fmt: skip
        self._begin()

    def _begin(self) -> None:
        """Most sequences are dull without a link, a consent and a seat."""
        for person, hospital in ((0, 0), (0, 1), (1, 0), (2, 1)):
            self.link(person, hospital)
        for person in (0, 1):
            self.enroll(person, 0, EnrollmentStatus.ACTIVE, -100 * HOUR)
        self.plan(0, -50 * HOUR, at_place=True)
        self.measure(0, [WEEKLY])

    def _hospital(self, name: str, policy: ConsentPolicy) -> Connection:
        command = c.CreateConnection(name=name, mrn_system=f"urn:mrn:{name}", policy=policy)
        row: Connection = self.run(command)
        self.run(c.CreateFacility(connection_id=row.id, name=f"Hospital {name}"))
        return row

    def _facilitator(self, family: str, *, shown: bool) -> Any:
        return self.run(
            c.CreateFacilitator(
                family=family, given="K", kind=Facilitation.PEER, name_is_public=shown
            )
        )

    def _group(self, sensitivity: Sensitivity, capacity: int) -> Any:
        return self.run(
            c.CreateGroup(
                public_name=f"{sensitivity.value} circle",
                neutral_name="Circle",
                purpose="Support",
                topic=sensitivity.value,
                facilitation=Facilitation.PEER,
                modality=Modality.IN_PERSON,
                capacity=capacity,
                sensitivity=sensitivity,
                escalation_contact="on call",
                status=GroupStatus.ACTIVE,
                facilitator_id=self.facilitators[0].id,
                place_id=self.places[0].id,
            )
        )

    def run(self, command: Any) -> Any:
        return execute(self.database, command)

    def attempt(self, command: Any, kept: str | None = None) -> None:
        """Run a command that the domain may refuse."""
        try:
            row = self.run(command)
        except AlongsideError:
            return
        if kept:
            self.rows[kept].append(getattr(row, "response", row))

    def pick(self, rows: list[Any], number: int) -> Any:
        return rows[number % len(rows)].id

    def some(self, kind: str, number: int, make: Callable[[Any], Any]) -> None:
        if rows := self.rows[kind]:
            self.attempt(make(self.pick(rows, number)))

    @rule(person=index, hospital=index)
    def link(self, person: int, hospital: int) -> None:
        number = len(self.rows["links"])
        command = c.LinkPatient(
            patient_id=self.pick(self.people, person),
            connection_id=self.pick(self.hospitals, hospital),
            ehr_patient_id=f"e{number}",
            mrn=f"M{number}",
            confirmed_by="t",
        )
        self.attempt(command, "links")

    @rule(number=index)
    def undo_link(self, number: int) -> None:
        self.some("links", number, lambda k: c.UndoLink(link_id=k, undone_by="t", reason="wrong"))

    @rule(person=index, hospital=index, said=decisions, start=st.none() | hours, lasts=lengths)
    def consent(
        self,
        person: int,
        hospital: int,
        said: dict[str, Any],
        start: timedelta | None,
        lasts: int | None,
    ) -> None:
        begin = self.clock.now if start is None else self.clock.now + start
        command = c.RecordConsent(
            patient_id=self.pick(self.people, person),
            connection_id=self.pick(self.hospitals, hospital),
            start=begin,
            end=None if lasts is None else begin + lasts * HOUR,
            recorded_by="t",
            **said,
        )
        self.attempt(command, "consents")

    @rule(number=index)
    def withdraw(self, number: int) -> None:
        self.some("consents", number, lambda k: c.WithdrawConsent(consent_id=k, withdrawn_by="t"))

    @rule(
        person=index,
        group=index,
        status=st.sampled_from(BEGINNINGS),
        start=hours,
    )
    def enroll(self, person: int, group: int, status: EnrollmentStatus, start: timedelta) -> None:
        command = c.Enroll(
            patient_id=self.pick(self.people, person),
            group_id=self.pick(self.groups, group),
            status=status,
            start=self.clock.now + start,
        )
        self.attempt(command, "enrollments")

    @rule(
        number=index,
        status=st.sampled_from(EnrollmentStatus),
        at=st.none() | hours,
        lasts=st.none() | st.integers(1, 200),
    )
    def move(
        self, number: int, status: EnrollmentStatus, at: timedelta | None, lasts: int | None
    ) -> None:
        moment = None if at is None else self.clock.now + at
        held = status is EnrollmentStatus.ON_HOLD and lasts is not None
        until = (moment or self.clock.now) + (lasts or 0) * HOUR if held else None
        self.some(
            "enrollments",
            number,
            lambda k: c.ChangeEnrollment(
                enrollment_id=k, status=status, at=moment, reason="r", until=until
            ),
        )

    @rule(number=index, answer=st.sampled_from(c.OfferAnswer), later=lengths)
    def answer(self, number: int, answer: c.OfferAnswer, later: int | None) -> None:
        declined = answer is c.OfferAnswer.DECLINE and later is not None
        moment = self.clock.now + (later or 0) * HOUR if declined else None
        self.some(
            "enrollments",
            number,
            lambda k: c.AnswerOffer(enrollment_id=k, answer=answer, not_before=moment),
        )

    @rule(number=index, group=index, status=st.sampled_from(BEGINNINGS), at=st.none() | hours)
    def transfer(
        self, number: int, group: int, status: EnrollmentStatus, at: timedelta | None
    ) -> None:
        if rows := self.rows["enrollments"]:
            command = c.TransferEnrollment(
                enrollment_id=self.pick(rows, number),
                group_id=self.pick(self.groups, group),
                status=status,
                at=None if at is None else self.clock.now + at,
            )
            self.attempt(command, "enrollments")

    @rule(group=index, start=hours, at_place=st.booleans())
    def plan(self, group: int, start: timedelta, *, at_place: bool) -> None:
        begin = self.clock.now + start
        command = c.CreateSession(
            group_id=self.pick(self.groups, group),
            start=begin,
            end=begin + HOUR,
            place_id=self.places[0].id if at_place else None,
        )
        self.attempt(command, "sessions")

    @rule(number=index, status=st.sampled_from(SessionStatus), start=st.none() | hours)
    def replan(self, number: int, status: SessionStatus, start: timedelta | None) -> None:
        begin = self.clock.now + (start or timedelta())
        moved = {} if start is None else {"start": begin, "end": begin + HOUR}
        self.some(
            "sessions",
            number,
            lambda k: c.UpdateSession(session_id=k, status=status, cancel_reason="snow", **moved),
        )

    @rule(number=index, person=index, mark=st.sampled_from(AttendanceMark))
    def attend(self, number: int, person: int, mark: AttendanceMark) -> None:
        marks = (c.Mark(patient_id=self.pick(self.people, person), mark=mark),)
        self.some(
            "sessions",
            number,
            lambda k: c.RecordAttendance(session_id=k, marks=marks, recorded_by="t"),
        )

    @rule(number=index, person=index)
    def walk_in(self, number: int, person: int) -> None:
        mark = c.Mark(patient_id=self.pick(self.people, person), mark=AttendanceMark.PRESENT)
        self.some(
            "sessions", number, lambda k: c.RecordWalkIn(session_id=k, mark=mark, recorded_by="t")
        )

    @rule(person=index, group=st.none() | index, given=answers)
    def respond(self, person: int, group: int | None, given: dict[str, int]) -> None:
        command = c.RecordResponse(
            patient_id=self.pick(self.people, person),
            instrument="phq-9",
            answers=given,
            authored=self.clock.now,
            group_id=None if group is None else self.pick(self.groups, group),
        )
        self.attempt(command, "responses")

    @rule(number=index, hospital=index, given=answers)
    @precondition(lambda self: bool(self.rows["links"]))
    def send(self, number: int, hospital: int, given: dict[str, int]) -> None:
        """What a hospital sends, of a person whom it may know."""
        where = self.hospitals[hospital % 2]
        person = self.pick(self.people, number)
        state = self.database.read(lambda s: read_state(s, self.clock.now))
        known = {
            (each.audience, each.patient): each.name
            for each in state.live
            if each.type == "Patient"
        }
        if (where.number, person) not in known:
            return  # it is refused: tests/api/test_fhir_write.py
        subject = {"reference": known[where.number, person]}
        body = {
            "resourceType": "QuestionnaireResponse",
            "questionnaire": CANONICAL,
            "status": "completed",
            "subject": subject,
            "authored": self.clock.now.isoformat(),
        }
        command = c.RecordResponse(
            patient_id=person,
            instrument="phq-9",
            answers=given,
            authored=self.clock.now,
            connection_id=where.id,
            received=orjson.dumps(body),
        )
        self.attempt(command, "responses")

    @rule(number=index, given=answers, status=st.sampled_from(ResponseStatus))
    def correct(self, number: int, given: dict[str, int], status: ResponseStatus) -> None:
        self.some(
            "responses",
            number,
            lambda k: c.CorrectResponse(
                response_id=k, answers=given, status=status, corrected_by="t"
            ),
        )

    @rule(
        group=index,
        values=st.fixed_dictionaries(
            {},
            optional={
                "part2": st.booleans(),
                "sensitivity": st.sampled_from(Sensitivity),
                "modality": st.sampled_from(Modality),
                "facilitation": st.sampled_from(Facilitation),
                "status": st.sampled_from(GroupStatus),
                "neutral_name": st.sampled_from(["Circle", "Oak", "Elm"]),
                "public_name": st.sampled_from(["Mood", "Recovery"]),
                "capacity": st.integers(1, 5),
                "promotion": st.sampled_from(Promotion),
                "offer_hours": st.none() | st.integers(1, 300),
            },
        ),
        place=st.sampled_from(["same", "none", "new"]),
        facilitator=st.sampled_from(["same", "none", "new"]),
    )
    def change_group(
        self, group: int, values: dict[str, Any], place: str, facilitator: str
    ) -> None:
        if place != "same":
            new = self.run(c.CreatePlace(name="Hall")).id if place == "new" else None
            values = {**values, "place_id": new}
        if facilitator != "same":
            found = self._facilitator("Moss", shown=False).id if facilitator == "new" else None
            values = {**values, "facilitator_id": found}
        self.attempt(c.UpdateGroup(group_id=self.pick(self.groups, group), **values))

    @rule(group=index, plans=st.lists(plans, max_size=1))
    def measure(self, group: int, plans: list[c.MeasurementPlan]) -> None:
        key = self.pick(self.groups, group)
        self.attempt(c.UpdateGroup(group_id=key, measurement=tuple(plans)))

    @rule(
        who=index,
        values=st.fixed_dictionaries(
            {},
            optional={
                "name_is_public": st.booleans(),
                "active": st.booleans(),
                "kind": st.sampled_from(Facilitation),
            },
        ),
    )
    def change_facilitator(self, who: int, values: dict[str, Any]) -> None:
        key = self.pick(self.facilitators, who)
        self.attempt(c.UpdateFacilitator(facilitator_id=key, **values))

    @rule(person=index, name=st.sampled_from(["Ash", "Birch"]), phone=st.none() | st.just("555"))
    def rename(self, person: int, name: str, phone: str | None) -> None:
        key = self.pick(self.people, person)
        self.attempt(c.UpdatePatient(patient_id=key, family=name, phone=phone))

    @rule(one=index, into=index, stays=st.booleans())
    def merge(self, one: int, into: int, *, stays: bool) -> None:
        command = c.MergePatients(
            source_id=self.pick(self.people, one),
            target_id=self.pick(self.people, into),
            merged_by="t",
            reason="one person",
        )
        before = current(self.database)
        try:
            row = self.run(command)
        except AlongsideError:
            return
        if stays:
            self.rows["merges"].append(row)
        else:  # at once, it leaves no trace
            self._part(row.id)
            assert current(self.database) == before

    @rule(number=index)
    def part(self, number: int) -> None:
        if rows := self.rows["merges"]:
            with suppress(AlongsideError):
                self._part(self.pick(rows, number))

    def _part(self, merge_id: UUID) -> None:
        self.run(c.UnmergePatients(merge_id=merge_id, undone_by="t", reason="two people"))

    @rule(hospital=index)
    def open_facility(self, hospital: int) -> None:
        where = self.pick(self.hospitals, hospital)
        self.attempt(c.CreateFacility(connection_id=where, name="Clinic"))

    @rule(passed=st.integers(1, 300))
    def wait(self, passed: int) -> None:
        self.clock.now += passed * HOUR

    @invariant()
    def documents_are_right(self) -> None:
        refresh_due(self.database, self.clock)  # as every request does first
        assert wrong_documents(self.database) == []
        state = self.database.read(lambda session: read_state(session, self.clock.now))
        assert list(faults(state)) == []

    def teardown(self) -> None:
        if hasattr(self, "database"):
            self.database.engine.dispose()
            shutil.rmtree(self.folder)


def test_documents_are_right_after_any_sequence_of_commands(sqlite_template: Path):
    Programme.template = sqlite_template
    chosen = settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        deadline=None,
        derandomize=not NIGHTLY,
        phases=[Phase.generate],  # to shrink sequences of this cost takes minutes
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Programme, settings=chosen)
