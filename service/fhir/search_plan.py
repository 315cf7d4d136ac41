"""A search as it will be executed, and the rules that hold for all of them.

https://hl7.org/fhir/R4/search.html
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from service.errors import Problem
from service.fhir.mapping import ResourceType
from service.fhir.search_values import Condition

Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Rules:
    """What holds for every search of one server at one moment."""

    base: str
    now: int
    page_size: int
    page_limit: int


@dataclass(frozen=True)
class Sort:
    """The column that pages are walked by; the id breaks ties."""

    column: str = "d.last_updated"
    descending: bool = False


class Plan(NamedTuple):
    """A search as it will be executed.

    `driver` finds the few documents that a selective parameter names; `timed` searches are
    bounded by the horizon; `used` are the parameters that links repeat.
    """

    kind: ResourceType
    size: int
    conditions: tuple[Condition, ...] = ()
    driver: tuple[str, Condition] | None = None
    sort: Sort = Sort()
    timed: bool = False
    total: bool = False
    count_only: bool = False
    cursor: str | None = None
    used: tuple[tuple[str, str], ...] = ()
    ignored: tuple[Problem, ...] = ()

    def also(self, condition: Condition) -> "Plan":
        return self._replace(conditions=(*self.conditions, condition))


class UnsupportedError(Exception):
    """The parameter, its modifier or its value is not one that is executed here."""


Reader = Callable[[Plan, str, str, Rules], Plan]
