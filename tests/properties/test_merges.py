"""Whatever is merged and parted between other commands, every document is right (ADR 0028).

A walk of its own, denser than `test_projection_is_fresh` can be: hypothesis spreads its steps over
all rules, and leaves many of them out.
"""

import os
import random
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from service import commands as c
from service.models.consents import Category, Decision
from service.models.enrollments import AttendanceMark, EnrollmentStatus
from service.models.groups import SessionStatus
from service.models.screening import ResponseStatus
from tests import world
from tests.properties.test_projection_is_fresh import HOUR, Programme

SEEDS, STEPS = (range(60), 150) if os.environ.get("ALONGSIDE_NIGHTLY") else (range(2), 45)
LARGE = 1000


class Doubles(Programme):
    """Records that can be merged: few have a link, and there is room in the groups."""

    SIZE = 6

    def _begin(self) -> None:
        for person, hospital in ((0, 0), (1, 1), (3, 0), (4, 1)):
            self.link(person, hospital)
        for person in (0, 1, 2):
            self.enroll(person, person % 2, EnrollmentStatus.ACTIVE, -100 * HOUR)
        for group in (0, 1):
            self.change_group(group, {"capacity": 9}, "same", "same")
            self.plan(group, -50 * HOUR, at_place=True)
            self.plan(group, 50 * HOUR, at_place=False)
        self.measure(0, [c.MeasurementPlan(instrument="phq-9", every_weeks=1)])
        self.measure(1, [c.MeasurementPlan(instrument="phq-9", every_sessions=1)])


class Walk:
    """Commands drawn by weight, with what they take drawn too."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.machine = Doubles()
        self.machine.found()
        self.actions: list[tuple[int, Callable[[], Any]]] = [
            (12, self.merge),
            (6, lambda: self.machine.part(self.number())),
            (3, lambda: self.machine.link(self.number(), self.number())),
            (2, lambda: self.machine.undo_link(self.number())),
            (4, self.consent),
            (2, lambda: self.machine.withdraw(self.number())),
            (2, self.enroll),
            (2, self.move),
            (3, self.attend),
            (2, self.respond),
            (3, lambda: self.machine.send(self.number(), self.number(), self.answers())),
            (1, self.correct),
            (1, self.measure),
            (1, self.replan),
            (1, lambda: self.machine.wait(self.draw.randint(1, 60))),
            (1, lambda: self.machine.rename(self.number(), self.draw.choice("xyz"), None)),
        ]

    def number(self) -> int:
        return self.draw.randrange(LARGE)

    def answers(self) -> dict[str, int]:
        return world.phq9(self.draw.randint(0, 3), item9=self.draw.randint(0, 1))

    def step(self) -> None:
        weights, actions = zip(*self.actions, strict=True)
        self.draw.choices(actions, weights)[0]()
        self.machine.documents_are_right()

    def merge(self) -> None:
        self.machine.merge(self.number(), self.number(), stays=self.draw.random() < 0.7)

    def consent(self) -> None:
        said = {
            "category": self.draw.choice(list(Category)),
            "decision": self.draw.choice([Decision.PERMIT, Decision.PERMIT, Decision.DENY]),
            "covers_part2": self.draw.random() < 0.5,
            "shows_group_name": self.draw.random() < 0.3,
        }
        start = self.draw.choice([None, None, timedelta(hours=self.draw.randint(-50, 50))])
        lasts = self.draw.choice([None, self.draw.randint(1, 100)])
        self.machine.consent(self.number(), self.number(), said, start, lasts)

    def enroll(self) -> None:
        begins = (EnrollmentStatus.PROPOSED, EnrollmentStatus.WAITLISTED, EnrollmentStatus.ACTIVE)
        status = self.draw.choice(begins)
        self.machine.enroll(self.number(), self.number(), status, self.draw.randint(-90, 9) * HOUR)

    def move(self) -> None:
        lasts = self.draw.choice([None, self.draw.randint(1, 100)])
        self.machine.move(self.number(), self.draw.choice(list(EnrollmentStatus)), None, lasts)

    def attend(self) -> None:
        self.machine.attend(self.number(), self.number(), self.draw.choice(list(AttendanceMark)))

    def respond(self) -> None:
        group = self.draw.choice([None, self.number()])
        self.machine.respond(self.number(), group, self.answers())

    def measure(self) -> None:
        weeks, sessions = self.draw.choice([(1, None), (None, 1), (2, None)])
        plan = c.MeasurementPlan(instrument="phq-9", every_weeks=weeks, every_sessions=sessions)
        self.machine.measure(self.number(), self.draw.choice([[], [plan], [plan]]))

    def replan(self) -> None:
        self.machine.replan(self.number(), self.draw.choice(list(SessionStatus)), None)

    def correct(self) -> None:
        status = self.draw.choice(list(ResponseStatus))
        self.machine.correct(self.number(), self.answers(), status)


@pytest.mark.parametrize("seed", SEEDS)
def test_documents_are_right_however_people_are_merged_and_parted(
    sqlite_template: Path, seed: int
) -> None:
    Doubles.template = sqlite_template
    walk = Walk(seed)
    try:
        for _ in range(STEPS):
            walk.step()
        assert walk.machine.rows["merges"]
    finally:
        walk.machine.teardown()
