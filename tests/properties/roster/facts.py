"""A world as a list of facts, and which of them are there where only one hospital is.

A fact says whom it needs. Where the invisible do not exist, facts that need them are not told, and
what is about somebody whom the hospital comes to know later is told only then.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, TypeVar

from hypothesis import strategies as st

from service.models.connections import ConsentPolicy
from tests.journeys.story import BEGIN, WEEK

T = TypeVar("T")

READER = "A"  # the hospital whose clients ask
OTHERS = ("B", "C")
PHASES = ((0, 1, 2, 3, 4, 5), (6,), (7,))  # moments; questions are asked after each phase
NUMBERS = 10_000  # of facts and requests between one moment and the next


def at(number: int) -> datetime:
    """When something of this number happens: a day lies between one moment and the next."""
    moment, place = divmod(number, NUMBERS)
    return BEGIN + 20 * WEEK + timedelta(days=moment, seconds=place)


@dataclass(frozen=True)
class Fact:
    """What happens at a moment: a command, or a request that another client sends.

    `make` is given a telling. `people` and `hospitals` are those without whom it cannot be.
    """

    name: str
    moment: int
    make: Callable[[Any], Any]
    people: frozenset[str] = frozenset()
    hospitals: frozenset[str] = frozenset()

    @property
    def apart(self) -> frozenset[str]:
        """By whom it stands in a unit of work of its own, as each command does in truth.

        What consents, links and merges seal is whatever changes for the hospital in one unit.
        """
        seals = len(self.people) > 1 or bool(self.hospitals)
        return self.people if seals and self.moment >= PHASES[0][-1] else frozenset()


@dataclass
class Person:
    """What the facts that follow have to know of a person."""

    name: str
    links: dict[str, int] = field(default_factory=dict)  # hospital: the moment of the link
    decided: dict[str, int] = field(default_factory=dict)  # hospital: when it was first decided
    groups: dict[str, str] = field(default_factory=dict)  # group: the name of its enrolment
    responses: list[tuple[str, str | None]] = field(default_factory=list)  # name, who sent it
    consents: list[tuple[str, str, int]] = field(default_factory=list)  # name, hospital, moment
    undone: set[str] = field(default_factory=set)  # hospitals whose link was undone
    merged: bool = False

    def known_from(self, hospital: str, policy: ConsentPolicy) -> int | None:
        """The moment before which the hospital can have nothing of the person."""
        linked = self.links.get(hospital)
        if linked is None:
            return None
        if policy is ConsentPolicy.TREATMENT:
            return linked
        decided = self.decided.get(hospital)
        return None if decided is None else max(linked, decided)


@dataclass
class Plan:
    """A world that was drawn: who there is, and what happens, in order."""

    policies: dict[str, ConsentPolicy] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)  # with the names of sessions
    seats: dict[str, int] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)

    def add(
        self,
        name: str,
        moment: int,
        make: Callable[[Any], Any],
        people: Sequence[str] = (),
        hospitals: Sequence[str] = (),
    ) -> str:
        self.facts.append(Fact(name, moment, make, frozenset(people), frozenset(hospitals)))
        return name

    def knows(self, person: str) -> int | None:
        """From which moment the reader may know the person."""
        return self.people[person].known_from(READER, self.policies[READER])

    @property
    def shared(self) -> list[str]:
        """Whom the reader and another hospital know."""
        return [
            one.name for one in self.people.values() if READER in one.links and len(one.links) > 1
        ]

    @property
    def invisible(self) -> list[str]:
        return [name for name in self.people if self.knows(name) is None]


@dataclass(frozen=True)
class Told:
    """A fact with its number, its unit, and the moment at which it is told in this telling.

    A unit has the number of its first fact, whether that is told or not.
    """

    number: int
    unit: int
    told_at: int
    fact: Fact

    @property
    def now(self) -> int:
        """The number that says when its unit is told: later than it was, if nobody knew of it."""
        return self.unit if self.told_at == self.fact.moment else self.told_at * NUMBERS


Unit = list[Told]


def units(plan: Plan, *, alone: bool) -> dict[int, list[Unit]]:
    """What is told together, by the moment; `alone` is where the others do not exist."""
    found = []
    for number, unit, fact in _numbered(plan.facts):
        moment = _told_at(plan, fact) if alone else fact.moment
        if moment is not None:
            found.append(Told(number, unit, moment, fact))
    found.sort(key=lambda one: (one.told_at, one.number))
    by_moment: dict[int, list[Unit]] = {}
    for (moment, _), told in groupby(found, lambda one: (one.told_at, one.unit)):
        by_moment.setdefault(moment, []).append(list(told))
    return by_moment


def _numbered(facts: list[Fact]) -> list[tuple[int, int, Fact]]:
    """Each fact with its number and its unit's; ids and times follow from the numbers."""
    ordered = sorted(facts, key=lambda fact: fact.moment)
    found, places = [], dict[int, int]()
    for (moment, _), together in groupby(ordered, lambda fact: (fact.moment, fact.apart)):
        unit = moment * NUMBERS + places.get(moment, 0) + 1
        for fact in together:
            place = places[moment] = places.get(moment, 0) + 1
            found.append((moment * NUMBERS + place, unit, fact))
    return found


def _told_at(plan: Plan, fact: Fact) -> int | None:
    """When it is told where nobody is whom the reader does not know yet; None for never."""
    if fact.hospitals - {READER}:
        return None
    known = [plan.knows(person) for person in fact.people]
    if None in known:
        return None
    return max([fact.moment, *(moment for moment in known if moment is not None)])


@dataclass
class Chance:
    """Draws, of hypothesis, in words; what is drawn shrinks to the first or to nothing."""

    draw: Callable[[st.SearchStrategy[Any]], Any]

    def number(self, least: int, most: int) -> int:
        found: int = self.draw(st.integers(least, most))
        return found

    def one(self, values: Sequence[T]) -> T:
        return values[self.number(0, len(values) - 1)]

    def some(self, values: Sequence[T], percent: int) -> list[T]:
        return [value for value in values if self.happens(percent)]

    def happens(self, percent: int) -> bool:
        return self.number(0, 99) >= 100 - percent
