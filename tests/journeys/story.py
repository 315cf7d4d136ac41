"""A story of one programme and two hospitals, told in full or without hospital B.

Each step has its number's ids and its number's time, so that what both tellings have in common
has the same ids in both: their answers can be compared byte for byte.
"""

import hashlib
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest

from service import identifiers
from service.commands import (
    ChangeEnrollment,
    CorrectResponse,
    CreateConnection,
    CreateFacilitator,
    CreateFacility,
    CreateGroup,
    CreatePatient,
    CreatePlace,
    CreateSession,
    Enroll,
    LinkPatient,
    Mark,
    RecordAttendance,
    RecordConsent,
    RecordResponse,
    UndoLink,
    UpdateGroup,
    UpdateSession,
    WithdrawConsent,
)
from service.database import Database
from service.handlers import execute
from service.models.connections import ConsentPolicy
from service.models.consents import Category
from service.models.enrollments import AttendanceMark, EnrollmentStatus
from service.models.groups import Facilitation, GroupStatus, Modality, Sensitivity
from tests.world import phq9

A, B = "A", "B"
BEGIN = datetime(2026, 1, 5, 9, tzinfo=UTC)
WEEK = timedelta(weeks=1)


@dataclass
class Told:
    """One telling: what each named thing became."""

    database: Database
    without_b: bool
    clock: "StepClock"
    things: dict[str, Any] = field(default_factory=dict)

    def id(self, name: str) -> UUID:
        found: UUID = self.things[name].id
        return found


@dataclass
class StepClock:
    """The time of the step that is being told."""

    step: int = 0

    def __call__(self) -> datetime:
        return BEGIN + 20 * WEEK + timedelta(seconds=self.step)


@dataclass(frozen=True)
class Step:
    """One command; `make` may say that there is nothing to do in this telling."""

    name: str
    make: Callable[[Told], Any]
    only_b: bool = False


@contextmanager
def ids_of(step: int) -> Iterator[None]:
    numbers = count()

    def next_id() -> UUID:
        digest = hashlib.sha256(f"{step}:{next(numbers)}".encode()).digest()
        return UUID(bytes=step.to_bytes(6, "big") + digest[:10])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(identifiers, "uuid7", next_id)
        yield


def tell(told: Told, steps: list[Step]) -> None:
    for number, step in enumerate(steps, start=1):
        told.clock.step = number
        if step.only_b and told.without_b:
            continue
        with ids_of(number):
            command = step.make(told)
            if command is not None:
                told.things[step.name] = execute(told.database, command)


def story(seed: int) -> list[Step]:
    """Hospitals, groups, people, sessions, answers, and what people change their minds on."""
    rng = random.Random(seed)
    people = {f"a{n}": {A} for n in range(6)} | {f"b{n}": {B} for n in range(6)}
    people |= {f"ab{n}": {A, B} for n in range(5)}
    groups = ["mood", "grief", "recovery"]
    steps = [*hospitals(), *catalogue(groups)]
    for name, where in people.items():
        steps += person(name, where, rng)
    members = {group: sorted(rng.sample(sorted(people), 11)) for group in groups}
    for group in groups:
        steps += membership(group, members[group], people)
    for week in range(3):
        for group in groups:
            steps += meeting(group, week, members[group], people, rng)
    for name, where in people.items():
        steps += answers(name, where, rng)
    return steps + afterthoughts(people, groups, rng)


def hospitals() -> list[Step]:
    policies = {A: ConsentPolicy.OPT_IN, B: ConsentPolicy.TREATMENT}
    steps = []
    for name, policy in policies.items():
        command = CreateConnection(name=name, mrn_system=f"urn:mrn:{name}", policy=policy)
        steps.append(Step(name, lambda _t, c=command: c, only_b=name == B))
        steps.append(Step(f"facility {name}", _facility(name), only_b=name == B))
    return steps


def _facility(name: str) -> Callable[[Told], Any]:
    return lambda told: CreateFacility(connection_id=told.id(name), name=f"Hospital {name}")


def catalogue(groups: list[str]) -> list[Step]:
    person = CreateFacilitator(
        family="Peer", given="Pat", kind=Facilitation.PEER, name_is_public=True
    )
    steps = [
        Step("place", lambda _told: CreatePlace(name="Community hall")),
        Step("facilitator", lambda _told: person),
    ]
    return steps + [Step(name, _group(name)) for name in groups]


def _group(name: str) -> Callable[[Told], Any]:
    use = name == "recovery"
    return lambda told: CreateGroup(
        public_name=f"The {name} group",
        neutral_name=f"Circle of {len(name)}",
        purpose="Mutual support",
        topic=name,
        facilitation=Facilitation.PEER,
        modality=Modality.IN_PERSON,
        capacity=11,
        sensitivity=Sensitivity.SUBSTANCE_USE if use else Sensitivity.MENTAL_HEALTH,
        escalation_contact="on-call 555-0100",
        status=GroupStatus.ACTIVE,
        place_id=told.id("place"),
        facilitator_id=told.id("facilitator"),
    )


def person(name: str, where: set[str], rng: random.Random) -> list[Step]:
    only_b = where == {B}
    create = CreatePatient(family=f"Family-{name}", given="Given")
    steps = [Step(name, lambda _told: create, only_b=only_b)]
    for hospital in sorted(where):
        tie = f"link {name} {hospital}"
        steps.append(Step(tie, _link(name, hospital), only_b=hospital == B))
        for category in Category:
            if rng.random() < 0.75:
                key = f"consent {name} {hospital} {category}"
                make = _consent(name, hospital, category, rng)
                steps.append(Step(key, make, only_b=hospital == B))
    return steps


def _link(name: str, hospital: str) -> Callable[[Told], Any]:
    return lambda told: LinkPatient(
        patient_id=told.id(name),
        connection_id=told.id(hospital),
        ehr_patient_id=f"{hospital}-{name}",
        mrn=f"MRN-{hospital}-{name}",
        confirmed_by="tester",
    )


def _consent(
    name: str, hospital: str, category: Category, rng: random.Random
) -> Callable[[Told], Any]:
    covers, shows = rng.random() < 0.5, rng.random() < 0.3
    return lambda told: RecordConsent(
        patient_id=told.id(name),
        connection_id=told.id(hospital),
        category=category,
        covers_part2=covers,
        shows_group_name=shows,
        recorded_by="tester",
    )


def membership(group: str, members: list[str], people: dict[str, set[str]]) -> list[Step]:
    return [
        Step(f"enrol {name} {group}", _enroll(name, group), only_b=people[name] == {B})
        for name in members
    ]


def _enroll(name: str, group: str) -> Callable[[Told], Any]:
    return lambda told: Enroll(patient_id=told.id(name), group_id=told.id(group), start=BEGIN)


def meeting(
    group: str, week: int, members: list[str], people: dict[str, set[str]], rng: random.Random
) -> list[Step]:
    """A session, its attendance, and a correction of it."""
    name, start = f"{group} {week}", BEGIN + (week + 1) * WEEK
    marks = [{one: rng.choice(list(AttendanceMark)) for one in members} for _ in range(2)]
    return [
        Step(
            name,
            lambda told: CreateSession(
                group_id=told.id(group), start=start, end=start + timedelta(hours=1)
            ),
        ),
        *(
            Step(f"marks {name} {number}", _attendance(name, one, people))
            for number, one in enumerate(marks)
        ),
    ]


def _attendance(
    name: str, marks: dict[str, AttendanceMark], people: dict[str, set[str]]
) -> Callable[[Told], Any]:
    def make(told: Told) -> RecordAttendance:
        known = [one for one in marks if A in people[one] or not told.without_b]
        given = tuple(Mark(patient_id=told.id(one), mark=marks[one]) for one in known)
        return RecordAttendance(session_id=told.id(name), marks=given, recorded_by="tester")

    return make


def answers(name: str, where: set[str], rng: random.Random) -> list[Step]:
    steps = []
    for number in range(3):
        sender = rng.choice([None, *sorted(where)])
        given = phq9(rng.randint(0, 3), item9=rng.choice([0, 0, 1]))
        only_b = where == {B} or sender == B
        make = _response(name, sender, given, number)
        steps.append(Step(f"response {name} {number}", make, only_b=only_b))
    return steps


def _response(
    name: str, sender: str | None, given: dict[str, int], number: int
) -> Callable[[Told], Any]:
    return lambda told: RecordResponse(
        patient_id=told.id(name),
        instrument="phq-9",
        answers=given,
        authored=BEGIN + 4 * number * WEEK,
        connection_id=told.id(sender) if sender else None,
    )


def afterthoughts(people: dict[str, set[str]], groups: list[str], rng: random.Random) -> list[Step]:
    """Corrections, withdrawals, a link undone, a group renamed, a session moved."""
    steps = []
    for name, where in people.items():
        only_b = where == {B}
        for hospital in sorted(where):
            for category in rng.sample(list(Category), 2):
                make = _withdraw(f"consent {name} {hospital} {category}")
                steps.append(Step(f"withdraw {len(steps)}", make, only_b=hospital == B))
        make = _correct(f"response {name} 0", phq9(rng.randint(0, 3)))
        steps.append(Step(f"correct {name}", make, only_b=only_b))
        group = rng.choice(groups)
        make = _leave(f"enrol {name} {group}", rng.choice(list(EnrollmentStatus)[-2:]))
        steps.append(Step(f"leave {name}", make, only_b=only_b))
    for name, hospital in (("ab0", A), ("ab1", B), ("a0", A)):
        steps.append(Step(f"undo {name}", _undo(f"link {name} {hospital}"), only_b=hospital == B))
    steps.append(
        Step("rename", lambda t: UpdateGroup(group_id=t.id("mood"), neutral_name="New name"))
    )
    return [*steps, Step("move", _move("grief 1"))]


def _withdraw(name: str) -> Callable[[Told], Any]:
    def make(told: Told) -> WithdrawConsent | None:
        if name not in told.things:
            return None
        return WithdrawConsent(consent_id=told.id(name), withdrawn_by="tester")

    return make


def _correct(name: str, given: dict[str, int]) -> Callable[[Told], Any]:
    def make(told: Told) -> CorrectResponse | None:
        if name not in told.things:
            return None
        row = told.things[name].response
        return CorrectResponse(response_id=row.id, answers=given, corrected_by="tester")

    return make


def _leave(name: str, status: EnrollmentStatus) -> Callable[[Told], Any]:
    def make(told: Told) -> ChangeEnrollment | None:
        if name not in told.things:
            return None
        return ChangeEnrollment(enrollment_id=told.id(name), status=status, reason="moved")

    return make


def _undo(name: str) -> Callable[[Told], Any]:
    return lambda told: UndoLink(link_id=told.id(name), undone_by="tester", reason="mix-up")


def _move(name: str) -> Callable[[Told], Any]:
    start = BEGIN + 3 * WEEK
    return lambda told: UpdateSession(
        session_id=told.id(name), start=start, end=start + timedelta(hours=2)
    )
