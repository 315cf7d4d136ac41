"""After any changes to a series its sessions are what its rule and its people made them.

https://www.rfc-editor.org/rfc/rfc5545#section-3.8.5
"""

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.commands import AddExtraSession, ExceptOccurrence, PlanSeries, UpdateSeries
from service.database import Database
from service.errors import AlongsideError
from service.handlers import execute
from service.models.groups import Recurrence, Session, SessionStatus
from service.models.patients import Patient
from service.models.series import Series
from service.planning import arrangement_of
from service.recurrence import wall_time, zone
from tests import world
from tests.conftest import open_database
from tests.fresh import wrong_documents
from tests.series import Time, series, sessions

EXAMPLES = 400 if os.environ.get("ALONGSIDE_NIGHTLY") else 25
WEEKS = 6
RULES = {
    "FREQ=WEEKLY;BYDAY=TU": 1,
    "FREQ=WEEKLY;BYDAY=WE,FR": 2,
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU": 1,
    "FREQ=MONTHLY;BYDAY=2TU": 1,
    "FREQ=MONTHLY;BYMONTHDAY=-1": 0,
    "FREQ=DAILY;INTERVAL=3;COUNT=9": 0,
}
numbers = count(1)
ACTS = ["change", "minutes", "cancel", "move", "extra", "attend", "wait", "plan"]
steps = st.lists(
    st.tuples(st.sampled_from(ACTS), st.integers(0, 50), st.integers(0, 50)), max_size=14
)


@dataclass
class Course:
    """One series over time, with what was seen of its sessions."""

    database: Database
    time: Time
    row: Series
    person: Patient
    seen: set[UUID] = field(default_factory=set)
    attended: dict[UUID, tuple[Any, ...]] = field(default_factory=dict)

    def do(self, act: str, first: int, second: int) -> None:
        acts: dict[str, Callable[[int, int], object]] = {name: getattr(self, name) for name in ACTS}
        with suppress(AlongsideError):  # a refusal changes nothing, which is looked at as well
            acts[act](first, second)

    def today(self) -> datetime:
        return wall_time(self.time.now, zone(self.row.time_zone))

    def change(self, which: int, later: int) -> None:
        rule = list(RULES)[which % len(RULES)]
        for day in range(40):  # the first day from then on that the rule takes
            start = (self.today() + timedelta(days=1 + later % 20 + day)).replace(
                hour=which % 24, minute=0, second=0, microsecond=0
            )
            command = UpdateSeries(
                series_id=self.row.id,
                rrule=rule,
                start=start,
                from_date=start.date() - timedelta(days=later % 3),
                weeks=WEEKS,
            )
            try:
                execute(self.database, command)
            except AlongsideError as error:
                if error.element != "start":
                    raise
            else:
                return

    def minutes(self, many: int, _second: int) -> None:
        command = UpdateSeries(series_id=self.row.id, minutes=30 + many, weeks=WEEKS)
        execute(self.database, command)

    def plan(self, _first: int = 0, _second: int = 0) -> None:
        execute(self.database, PlanSeries(series_id=self.row.id, weeks=WEEKS))

    def cancel(self, which: int, _second: int) -> None:
        at = self.one(which).occurrence
        assert at is not None
        execute(self.database, ExceptOccurrence(series_id=self.row.id, occurrence=at, reason="x"))

    def move(self, which: int, hours: int) -> None:
        at = self.one(which).occurrence
        assert at is not None
        if self.one(which).id in self.attended:
            return
        to = at + timedelta(hours=hours)
        execute(self.database, ExceptOccurrence(series_id=self.row.id, occurrence=at, moved_to=to))

    def extra(self, days: int, hour: int) -> None:
        start = (self.today() + timedelta(days=days)).replace(
            hour=hour % 24, minute=30, second=0, microsecond=0
        )
        execute(self.database, AddExtraSession(series_id=self.row.id, start=start))

    def attend(self, which: int, _second: int) -> None:
        held = self.one(which)
        if held.start > self.time.now + timedelta(weeks=1):
            return
        self.time.now = max(self.time.now, held.start)
        world.attend(self.database, held, self.person)
        self.attended[held.id] = (held.start, held.end, held.occurrence)

    def wait(self, days: int, _second: int) -> None:
        self.time.pass_by(days=days % 10)

    def one(self, which: int) -> Session:
        rows = sessions(self.database, self.row)
        return rows[which % len(rows)]

    def check(self) -> None:
        row = self.database.read(lambda session: session.get(Series, self.row.id))
        assert row is not None
        rows = sessions(self.database, row)
        by_id = {each.id: each for each in rows}
        assert self.seen <= by_id.keys()
        self.seen |= by_id.keys()
        for held, was in self.attended.items():
            now = by_id[held]
            assert (now.start, now.end, now.occurrence) == was
            assert now.status is SessionStatus.HELD
        counted = Counter(each.occurrence for each in rows)
        assert set(counted.values()) <= {1}
        self._check_rule(row)

    def _check_rule(self, row: Series) -> None:
        """Once planned, each occurrence has its session, and none to come is beside the rule."""
        self.plan()
        before = [(each.id, each.row_version) for each in sessions(self.database, row)]
        self.plan()
        rows = sessions(self.database, row)
        assert [(each.id, each.row_version) for each in rows] == before
        self.seen |= {each.id for each in rows}
        meant = arrangement_of(row)
        until = wall_time(self.time.now + timedelta(weeks=WEEKS), meant.where)
        planned = {each.occurrence for each in rows if each.recurrence is not Recurrence.DROPPED}
        assert set(meant.walls(until)) <= planned
        for each in rows:
            is_to_come = each.occurrence and each.occurrence > self.today()
            if is_to_come and each.recurrence is Recurrence.RULE and each.id not in self.attended:
                is_by_rule = each.occurrence < row.start or meant.has(each.occurrence)
                assert is_by_rule or each.start <= self.time.now


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patched:  # a machine that stalls is not what is looked for
        patched.setattr("service.database.WRITE_SECONDS", 60.0)
        yield tmp_path_factory.mktemp("series")


@settings(max_examples=EXAMPLES, deadline=None)
@given(taken=steps, where=st.sampled_from(["America/New_York", "Australia/Sydney"]))
def test_sessions_follow_their_series_and_keep_what_people_did(
    sqlite_template: Path, folder: Path, taken: list[tuple[str, int, int]], where: str
) -> None:
    file = folder / f"{next(numbers)}.db"
    shutil.copy(sqlite_template, file)
    time = Time()
    database = open_database(f"sqlite:///{file}", time)
    try:
        group = world.group(database)
        person = world.patient(database)
        world.enroll(database, person, group, start=time.now - timedelta(days=9))
        course = Course(
            database, time, series(database, group, time_zone=where, weeks=WEEKS), person
        )
        for act, first, second in taken:
            course.do(act, first, second)
            course.check()
        assert wrong_documents(database) == []
    finally:
        database.close()
        file.unlink()
