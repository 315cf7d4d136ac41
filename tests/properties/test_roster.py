"""What a hospital's client is answered does not depend on whom it must not know of.

Hypothesis builds a world of hospitals, people, groups, what they permit and do, and a hundred
questions, asked in three phases between which the world changes. The world is told twice: in full,
and without the people whom the reader's hospital cannot see, without the other hospitals, and
without what these know of people whom it shares with them. Ids and times follow from the numbers
of facts and requests, and so each answer must be the same in both, byte for byte: status, headers
and body. On PostgreSQL, whose clock is its own, times and cursors are left out.

Facts are in `roster/world_facts.py` and `later_facts.py`, questions in `searching.py`, `reading.py`
and `writing.py` beside them. A seed is fixed in CI; ALONGSIDE_NIGHTLY takes a new one.
ALONGSIDE_ROSTER_SEED repeats the one that a failure names.
"""

import asyncio
import itertools
import os
import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, event, given, seed, settings
from hypothesis import strategies as st

from api.bootstrap import install
from tests.conftest import COPIED, execute, new_database
from tests.journeys.test_isolation import same_key
from tests.properties.roster.clients import asking
from tests.properties.roster.comparing import Comparison, Tally
from tests.properties.roster.facts import PHASES, Chance, Plan, at
from tests.properties.roster.later_facts import LATER
from tests.properties.roster.telling import (
    IDS,
    Installed,
    Telling,
    ids_of_numbers,
    settings_of,
)
from tests.properties.roster.world_facts import BEGINNING

NIGHTLY = bool(os.environ.get("ALONGSIDE_NIGHTLY"))
SEEDS = random.SystemRandom().randrange(10**9) if NIGHTLY else 20261127
SEED = int(os.environ.get("ALONGSIDE_ROSTER_SEED") or SEEDS)
CHUNKS = [("sqlite", number) for number in range(9)] + [("postgresql", 9)]
PAIRS = 500 if NIGHTLY else 20  # of worlds, in each chunk
QUESTIONS = (60, 25, 15)  # in each phase
# The least share, of each chunk, of what makes it worth asking.
FLOORS = (
    ("answers with somebody in them", "requests", 0.2),
    ("writes that were done", "requests", 0.02),
    ("worlds with shared people", "worlds", 0.3),
    ("worlds with invisible people", "worlds", 0.3),
    ("worlds with people known late", "worlds", 0.1),
    ("worlds with merges", "worlds", 0.05),
)
numbers = itertools.count(1)


class Worlds:
    """Where tellings come from: copies of one installed database, which have one key so."""

    def __init__(self, kind: str, url: str, folder: Path, runner: asyncio.Runner) -> None:
        self.kind, self.url, self.folder, self.runner = kind, url, folder, runner
        self.tally = Tally()
        self.stack = ExitStack()
        self.running: dict[bool, Installed] = {}

    @contextmanager
    def telling(self, plan: Plan, *, alone: bool) -> Iterator[Telling]:
        with ExitStack() as stack:
            if self.kind == "sqlite":
                service = self.emptied(alone)
            else:
                service = self.started(self.copied(stack), stack)
            yield Telling(plan, alone, service, self.runner)

    def emptied(self, alone: bool) -> Installed:
        """The service that goes on from world to world, over what was installed."""
        if alone not in self.running:
            url = f"sqlite:///{self.folder / str(alone)}.db"
            shutil.copy(self.folder / "alongside.db", self.folder / f"{alone}.db")
            self.running[alone] = self.started(url, self.stack)
        with (
            closing(sqlite3.connect(self.folder / "alongside.db")) as installed,
            closing(sqlite3.connect(self.folder / f"{alone}.db")) as used,
        ):
            installed.backup(used)
        self.running[alone].context.database.fence.forget()
        return self.running[alone]

    def copied(self, stack: ExitStack) -> str:
        server, _, template = self.url.rpartition("/")
        name = f"{template}_{next(numbers)}"
        execute(server, f"CREATE DATABASE {name} TEMPLATE {template} {COPIED}")
        stack.callback(execute, server, f"DROP DATABASE {name} WITH (FORCE)")
        return f"{server}/{name}"

    def started(self, url: str, stack: ExitStack) -> Installed:
        folder = self.folder / f"of {next(numbers)}"
        folder.mkdir()
        service = Installed(url, folder)
        stack.callback(lambda: self.runner.run(service.close()))
        return service


@contextmanager
def opened(kind: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[Worlds]:
    with ExitStack() as stack:
        stack.enter_context(ids_of_numbers())
        url = new_database(kind, request, folder, stack)
        IDS.begin(0)
        install(settings_of(url, folder), lambda: at(0))
        same_key(url)  # what is drawn from a world follows from its ids
        found = Worlds(kind, url, folder, stack.enter_context(asyncio.Runner()))
        stack.enter_context(found.stack)
        yield found


class Case:
    """A world, who asks in it, and what in each phase: too much to be printed."""

    def __init__(self, draw: Any) -> None:
        chance = Chance(draw)
        self.plan = planned(chance)
        self.clients = asking(chance)
        self.asked = [draw(some(count)) for count in QUESTIONS]


CASES = st.composite(Case)()


def planned(chance: Chance) -> Plan:
    plan = Plan()
    for add in BEGINNING:
        add(plan, chance)
    for moment in (PHASES[0][-1], *(moments[0] for moments in PHASES[1:])):
        for change in LATER:
            change(plan, chance, moment)
    return plan


def some(count: int) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(0, 2**30), min_size=count, max_size=count)


@pytest.mark.parametrize(
    ("kind", "chunk"),
    [
        pytest.param(kind, number, marks=[pytest.mark.postgres] if kind == "postgresql" else [])
        for kind, number in CHUNKS
    ],
)
def test_an_answer_is_what_it_is_where_the_invisible_do_not_exist(
    kind: str, chunk: int, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    with opened(kind, request, tmp_path) as worlds:
        compare_all(worlds, SEED + chunk, PAIRS)
        tally = worlds.tally
    for some_of, all_of, least in FLOORS:
        assert tally.share(some_of, all_of) >= least, (some_of, tally.counts)


def compare_all(worlds: Worlds, number: int, pairs: int) -> None:
    @seed(number)
    @settings(
        max_examples=pairs,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=CASES)
    def run(case: Case) -> None:
        with (
            worlds.telling(case.plan, alone=False) as full,
            worlds.telling(case.plan, alone=True) as alone,
        ):
            exact = worlds.kind == "sqlite"
            pair = Comparison(case.plan, full, alone, case.clients, worlds.tally, exact)
            event(f"people shared with another hospital: {len(case.plan.shared)}")
            event(f"people invisible to the reader: {len(case.plan.invisible)}")
            pair.run(case.asked)

    try:
        run()
    except BaseException as error:
        error.add_note(f"seed {number}: chunk {number - SEED} of ALONGSIDE_ROSTER_SEED={SEED}")
        raise
