"""What is due is Tasks: they follow answers, plans, sessions, memberships, merges and the clock."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from sqlmodel import select

from service.commands import (
    ChangeEnrollment,
    CorrectResponse,
    MeasurementPlan,
    RecordResponse,
    SettleGroup,
    UpdateGroup,
    UpdateSession,
)
from service.database import Database
from service.fhir.refresh import refresh_due
from service.handlers import execute
from service.identifiers import new_id
from service.models.documents import DueKind, ProjectionDue
from service.models.enrollments import Enrollment, EnrollmentStatus
from service.models.groups import Sensitivity, SessionStatus, SupportGroup
from service.models.patients import Patient
from service.models.screening import ResponseStatus
from tests import world
from tests.conftest import open_database
from tests.fresh import wrong_documents
from tests.service.merging.scene import merge, undo
from tests.stored import rows

BEGIN = datetime(2026, 3, 2, 9, tzinfo=UTC)
EPOCH = int(BEGIN.timestamp()) * 1_000_000
DAY, WEEK = timedelta(days=1), timedelta(weeks=1)
WEEKLY = MeasurementPlan(instrument="phq-9", every_weeks=1)
TASKS = (
    "SELECT content FROM documents WHERE type = 'Task' AND NOT deleted"
    " AND substr(source, 1, 12) = 'measurement:'"
)


@dataclass
class Clock:
    now: datetime = BEGIN

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Scene:
    """A group that measures each week, and its one member; the test moves the clock."""

    database: Database
    group: SupportGroup
    person: Patient
    member: Enrollment
    clock: Clock

    def run(self, command: Any) -> Any:
        return execute(self.database, command)

    def wait(self, passed: timedelta) -> int:
        """Let time pass; return how much the clock brought, which it brings once."""
        self.clock.now += passed
        brought = refresh_due(self.database, self.clock)
        assert refresh_due(self.database, self.clock) == 0
        assert wrong_documents(self.database) == []
        return brought

    def tasks(self, person: Patient | None = None) -> list[dict[str, Any]]:
        theirs = f" AND patient_key = '{person.id.hex}'" if person else ""
        found = [orjson.loads(content) for (content,) in rows(self.database, TASKS + theirs)]
        assert wrong_documents(self.database) == []
        return sorted(found, key=lambda each: (each["authoredOn"], each["description"]))

    def statuses(self, person: Patient | None = None) -> list[str]:
        return [each["status"] for each in self.tasks(person)]

    def answer(self, person: Patient | None = None, **more: Any) -> Any:
        given = {"instrument": "phq-9", "answers": world.phq9(), **more}
        whose, at = person or self.person, self.clock.now
        return self.run(RecordResponse(patient_id=whose.id, authored=at, **given)).response

    def measure(self, *plans: MeasurementPlan, **more: Any) -> None:
        self.run(UpdateGroup(group_id=self.group.id, measurement=plans, **more))
        assert self.wait(timedelta()) == 1

    def move(self, status: EnrollmentStatus, **more: Any) -> None:
        self.run(ChangeEnrollment(enrollment_id=self.member.id, status=status, reason="r", **more))

    def held(self, start: datetime) -> Any:
        row = world.session(self.database, self.group, start)
        return self.run(UpdateSession(session_id=row.id, status=SessionStatus.HELD))

    def noted(self) -> list[tuple[str, datetime]]:
        found = self.database.read(lambda session: session.exec(select(ProjectionDue)).all())
        at = [(one.kind.value, BEGIN + timedelta(microseconds=one.at - EPOCH)) for one in found]
        return sorted(at)


@pytest.fixture
def here(database_url: str) -> Iterator[Scene]:
    yield from opened(database_url)


@pytest.fixture
def on_sqlite(sqlite_url: str) -> Iterator[Scene]:
    yield from opened(sqlite_url)


def opened(url: str) -> Iterator[Scene]:
    clock = Clock()
    database = open_database(url, clock)
    group = world.group(database, measurement=(WEEKLY,))
    person = world.patient(database)
    member = world.enroll(database, person, group, start=BEGIN)
    yield Scene(database, group, person, member, clock)
    database.close()


def test_an_answer_completes_what_is_due_and_one_in_error_does_not(here: Scene):
    (asked,) = here.tasks()
    assert (asked["status"], asked["authoredOn"]) == ("requested", "2026-03-02T09:00:00Z")
    assert asked["restriction"]["period"]["end"] == "2026-03-09T09:00:00Z"
    assert "output" not in asked
    row = here.answer()
    (done,) = here.tasks()
    assert (done["id"], done["status"]) == (asked["id"], "completed")
    (output,) = done["output"]
    assert output["valueReference"]["reference"].startswith("QuestionnaireResponse/")
    wrong = {"answers": row.answers, "status": ResponseStatus.ENTERED_IN_ERROR}
    here.run(CorrectResponse(response_id=row.id, corrected_by="t", **wrong))
    (again,) = here.tasks()
    assert (again["id"], again["status"]) == (asked["id"], "requested")


def test_the_clock_brings_the_next_one_once(here: Scene):
    assert here.noted() == [("measurement", BEGIN + WEEK)]
    here.answer()
    assert here.wait(6 * DAY) == 0
    assert here.wait(DAY) == 1
    assert here.statuses() == ["completed", "requested"]
    assert here.wait(WEEK) == 1
    assert here.statuses() == ["completed", "cancelled", "requested"]
    assert here.tasks()[1]["statusReason"]["text"] == "It was not answered before it was due again"
    assert here.noted() == [("measurement", BEGIN + 3 * WEEK)]


def test_to_be_late_needs_no_clock(on_sqlite: Scene):
    on_sqlite.measure(MeasurementPlan(instrument="phq-9", overdue_days=3))
    assert on_sqlite.noted() == []
    before = on_sqlite.tasks()
    assert on_sqlite.wait(30 * DAY) == 0
    assert on_sqlite.tasks() == before


def test_nothing_begins_during_a_hold_and_it_goes_on_afterwards(here: Scene):
    here.answer()
    here.clock.now += DAY
    here.move(EnrollmentStatus.ON_HOLD, until=here.clock.now + WEEK)
    assert here.noted() == [("enrollment", BEGIN + DAY + WEEK)]
    assert here.wait(6 * DAY) == 0
    assert here.statuses() == ["completed"]
    assert here.wait(DAY) == 1
    assert here.noted() == [("measurement", BEGIN + 2 * WEEK)]
    assert here.wait(WEEK) == 1
    assert here.statuses() == ["completed", "requested"]


def test_a_hold_that_ends_by_the_clock_and_what_is_due_are_noted_beside_each_other(
    on_sqlite: Scene,
):
    on_sqlite.move(EnrollmentStatus.ON_HOLD, until=on_sqlite.clock.now + 2 * DAY)

    def note(session: Any) -> None:
        key = on_sqlite.member.id.hex
        session.add(ProjectionDue(kind=DueKind.MEASUREMENT, key=key, at=EPOCH))

    on_sqlite.database.unit_of_work(note)
    assert on_sqlite.wait(DAY) == 1
    assert on_sqlite.noted() == [("enrollment", BEGIN + 2 * DAY)]


def test_who_leaves_owes_nothing(here: Scene):
    here.clock.now += DAY
    here.move(EnrollmentStatus.FINISHED)
    (gone,) = here.tasks()
    assert gone["status"] == "cancelled"
    assert gone["statusReason"]["text"] == "The person left the group before it was answered"
    assert here.noted() == []


def test_sessions_that_were_held_make_it_due(here: Scene):
    here.measure(MeasurementPlan(instrument="gad-7", baseline=False, every_sessions=2))
    here.clock.now += 30 * DAY
    here.held(BEGIN + DAY)
    assert here.tasks() == []
    second = here.held(BEGIN + 8 * DAY)
    (asked,) = here.tasks()
    assert (asked["description"], asked["authoredOn"]) == ("GAD-7", "2026-03-10T10:00:00Z")
    here.run(UpdateSession(session_id=second.id, end=second.end + DAY))
    assert here.tasks()[0]["authoredOn"] == "2026-03-11T10:00:00Z"


def test_plans_that_are_set_and_taken_back_make_tasks_and_remove_them(here: Scene):
    here.measure()
    assert (here.tasks(), here.noted()) == ([], [])
    here.answer()
    here.clock.now += 10 * DAY
    here.measure(WEEKLY, MeasurementPlan(instrument="gad-7"))
    assert here.statuses() == ["requested", "completed", "requested"]


def test_tasks_bear_the_labels_of_their_group(on_sqlite: Scene):
    on_sqlite.run(
        UpdateGroup(group_id=on_sqlite.group.id, sensitivity=Sensitivity.SUBSTANCE_USE, part2=True)
    )
    (asked,) = on_sqlite.tasks()
    codes = {each["code"] for each in asked["meta"]["security"]}
    assert {"R", "PSY", "ETH", "42CFRPart2"} <= codes


def test_no_hospital_has_one_whatever_it_may_have(on_sqlite: Scene):
    hospital = world.hospital(on_sqlite.database)
    world.link(on_sqlite.database, on_sqlite.person, hospital)
    world.consent(on_sqlite.database, on_sqlite.person, hospital, start=BEGIN)
    on_sqlite.answer()
    where = TASKS.replace("content", "audience")
    assert rows(on_sqlite.database, where) == [(1,)]


def test_a_merge_brings_what_is_due_and_the_answers_and_parting_takes_them_back(here: Scene):
    other = world.patient(here.database)
    here.answer(other)
    assert here.statuses(here.person) == ["requested"]
    done = merge(here.database, other, here.person)
    assert here.statuses(here.person) == ["completed"]
    undo(here.database, done)
    assert here.statuses(here.person) == ["requested"]
    done = merge(here.database, here.person, other)
    assert (here.statuses(here.person), here.statuses(other)) == ([], ["completed"])
    undo(here.database, done)
    assert (here.statuses(here.person), here.statuses(other)) == (["requested"], [])


def test_what_was_removed_before_a_merge_is_the_others_too(here: Scene):
    here.measure()
    other = world.patient(here.database)
    whose = "SELECT patient_key FROM documents WHERE type = 'Task'"
    done = merge(here.database, here.person, other)
    assert rows(here.database, whose) == [(other.id.hex,)]
    undo(here.database, done)
    assert rows(here.database, whose) == [(here.person.id.hex,)]
    here.measure(WEEKLY)
    assert here.statuses(here.person) == ["requested"]


def test_an_answer_to_another_questionnaire_changes_nothing(on_sqlite: Scene):
    before = rows(on_sqlite.database, "SELECT max(number) FROM events WHERE type = 'Task'")
    on_sqlite.answer(instrument="gad-7", answers={})
    on_sqlite.answer(world.patient(on_sqlite.database))
    after = rows(on_sqlite.database, "SELECT max(number) FROM events WHERE type = 'Task'")
    assert before == after


def test_two_who_find_the_same_due_make_one_task(here: Scene):
    others = [world.patient(here.database) for _ in range(3)]
    for each in others:
        world.enroll(here.database, each, here.group, start=BEGIN)
    here.clock.now += WEEK
    with ThreadPoolExecutor(4) as pool:
        for _ in pool.map(lambda _: refresh_due(here.database, here.clock), range(4)):
            pass
    assert here.statuses() == ["cancelled"] * 4 + ["requested"] * 4
    made = rows(here.database, "SELECT count(*) FROM events WHERE type = 'Task'")
    assert made == [(4 + 4 + 4,)]
    assert [kind for kind, _ in here.noted()] == ["measurement"] * 4


def test_what_is_noted_and_has_nothing_to_bring_is_forgotten(on_sqlite: Scene):
    def note(session: Any) -> None:
        session.add(ProjectionDue(kind=DueKind.MEASUREMENT, key=new_id().hex, at=1))

    on_sqlite.database.unit_of_work(note)
    assert on_sqlite.wait(timedelta()) == 1
    assert on_sqlite.noted() == [("measurement", BEGIN + WEEK)]


def test_a_group_that_measures_nothing_notes_nothing(on_sqlite: Scene):
    group = world.group(on_sqlite.database)
    world.enroll(on_sqlite.database, on_sqlite.person, group, start=BEGIN)
    on_sqlite.run(SettleGroup(group_id=group.id))
    assert len(on_sqlite.noted()) == 1
