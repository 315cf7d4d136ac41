"""The value sets and code systems that are carried: expanded when asked, and codes looked up.

https://hl7.org/fhir/R4/terminology-service.html
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from service.fhir.mapping import Registry

Codes = Mapping[str, tuple[str, ...]]


class Concept(NamedTuple):
    """One code; `display` is empty where none is carried."""

    system: str
    code: str
    display: str


@dataclass(frozen=True)
class ValueSet:
    """The codes of one set, by code system."""

    version: str
    codes: Codes


@dataclass(frozen=True)
class Terminology:
    """What is carried: sets by canonical address, displays by system and code.

    Of the systems in `complete` every code is known.
    """

    sets: Mapping[str, ValueSet] = field(default_factory=dict)
    displays: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    complete: frozenset[str] = frozenset()

    def find(self, canonical: str) -> ValueSet | None:
        """Return the set that `url` or `url|version` names."""
        url, _, version = canonical.partition("|")
        found = self.sets.get(url)
        return found if found and version in {"", found.version} else None

    def concepts(self, found: ValueSet) -> list[Concept]:
        """Return the expansion, in the order of the definition."""
        return [
            Concept(system, code, self.display(system, code))
            for system, codes in found.codes.items()
            for code in codes
        ]

    def display(self, system: str, code: str) -> str:
        return self.displays.get(system, {}).get(code, "")


class ValueSets(Mapping[str, frozenset[tuple[str, str]]]):
    """The sets as pairs of system and code, read from the software's files at the first use."""

    def __init__(self, load: Callable[[], Terminology]) -> None:
        self._load = load
        self._expanded: dict[str, frozenset[tuple[str, str]]] = {}

    @cached_property
    def terminology(self) -> Terminology:
        """Everything that is carried, with displays."""
        return self._load()

    def __getitem__(self, canonical: str) -> frozenset[tuple[str, str]]:
        if canonical not in self._expanded:
            found = self.terminology.find(canonical)
            if found is None:
                raise KeyError(canonical)
            pairs = ((system, code) for system, codes in found.codes.items() for code in codes)
            self._expanded[canonical] = frozenset(pairs)
        return self._expanded[canonical]

    def __iter__(self) -> Iterator[str]:
        return iter(self.terminology.sets)

    def __len__(self) -> int:
        return len(self.terminology.sets)


def terminology_of(registry: Registry) -> Terminology:
    """Return what the registry carries."""
    found = registry.value_sets
    return found.terminology if isinstance(found, ValueSets) else Terminology()
