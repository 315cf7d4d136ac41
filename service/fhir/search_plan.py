"""A search as it will be executed, and the rules that hold for all of them.

https://hl7.org/fhir/R4/search.html
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from service.access import Access
from service.errors import Problem
from service.fhir.mapping import ResourceType
from service.fhir.search_values import Condition

Pairs = Sequence[tuple[str, str]]


def _nowhere(_resource_type: str) -> Sequence[int]:
    return ()


def _as_shown(_resource_type: str, shown: str) -> str:
    return shown


def _unlimited(_resource_type: str, _alias: str) -> "Criterion | None":
    return None


@dataclass(frozen=True)
class Rules:
    """What holds for every search of one server at one moment; `types` are those it serves.

    The rest is the caller's: what it may search, in which audiences it may find a type, the
    `documents.id` of the type and id that it names, and what its scopes ask of a document of a type
    under an alias. By default nobody may join anything.
    """

    base: str
    now: int
    page_size: int
    page_limit: int
    types: Mapping[str, ResourceType] = field(default_factory=dict)
    value_sets: Mapping[str, frozenset[tuple[str, str]]] = field(default_factory=dict)
    access: Access | None = None
    where: Callable[[str], Sequence[int]] = _nowhere
    locate: Callable[[str, str], str] = _as_shown
    limit: "Callable[[str, str], Criterion | None]" = _unlimited


@dataclass(frozen=True)
class Sort:
    """A key that pages are walked by: a column, or an expression that is never null."""

    column: str
    descending: bool = False


BY_ID = Sort("d.id")
BY_UPDATE = Sort("d.last_updated")


@dataclass(frozen=True)
class Include:
    """What a match brings along: `parameter` of `source`, or all of them as `*`.

    Forward it brings what the source refers to; `reverse`, the sources that refer to it.
    `iterate` follows what was brought along, too.
    """

    source: str
    parameter: str
    target: str | None = None
    reverse: bool = False
    iterate: bool = False


@dataclass(frozen=True)
class Shape:
    """How much of each resource is answered, https://hl7.org/fhir/R4/search.html#summary .

    `summary` is true, text, data or empty; `elements` are names at the top.
    """

    summary: str = ""
    elements: frozenset[str] = frozenset()

    @property
    def whole(self) -> bool:
        return not self.summary and not self.elements


WHOLE = Shape()


class Driver(NamedTuple):
    """Few documents that a parameter leads to: a SELECT of `key`, the values of a column of theirs.

    `certain` ones are few by their kind; the others are counted first (`search_drivers`): each of
    the `seeds`, what the keys of a chain are made from, and then the keys.
    """

    keys: Condition
    column: str = "number"
    certain: bool = False
    seeds: tuple[Condition, ...] = ()


class Criterion(NamedTuple):
    """One condition on a document; `driver` leads to those that may fulfil it.

    A `scoped` one makes the search walk the index of a patient or of ids; a `timed` one is about
    `last_updated`.
    """

    test: Condition
    driver: Driver | None = None
    scoped: bool = False
    timed: bool = False


class Plan(NamedTuple):
    """A search as it will be executed.

    A `scoped` search walks the index of a patient or of ids; another may begin with one of the
    `drivers`, `driver` once that is chosen. `timed` searches are bounded by the horizon; `used`
    are the parameters that links repeat.
    """

    kind: ResourceType
    size: int
    conditions: tuple[Condition, ...] = ()
    drivers: tuple[Driver, ...] = ()
    driver: Driver | None = None
    scoped: bool = False
    sort: tuple[Sort, ...] = ()
    timed: bool = False
    total: bool = False
    count_only: bool = False
    cursor: str | None = None
    used: tuple[tuple[str, str], ...] = ()
    ignored: tuple[Problem, ...] = ()
    includes: tuple[Include, ...] = ()
    shape: Shape = WHOLE

    def also(self, condition: Condition) -> "Plan":
        return self._replace(conditions=(*self.conditions, condition))

    @property
    def order(self) -> tuple[Sort, ...]:
        """What pages are walked by; the id is last and breaks ties.

        Where nothing is asked for it is the id alone, which no update moves; a client that polls
        by `_lastUpdated` gets what is oldest first.
        """
        keys = self.sort or ((BY_UPDATE,) if self.timed else (BY_ID,))
        named = [key.column for key in keys]
        if BY_ID.column in named:
            return keys[: named.index(BY_ID.column) + 1]
        return (*keys, Sort(BY_ID.column, keys[-1].descending))


class UnsupportedError(Exception):
    """The parameter, its modifier or its value is not one that is executed here."""


Reader = Callable[[Plan, str, str, Rules], Plan]
