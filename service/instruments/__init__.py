"""Questionnaire definitions as data: one JSON file per instrument and version.

`definitions.Instrument` is what a file becomes; docs/instruments.md explains the format.

https://hl7.org/fhir/R4/questionnaire.html
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from service.canonical import rebased
from service.instruments.added import folder, merged, read_added
from service.instruments.change import Caseness, ChangeKind, ChangeRule, Measure, Threshold
from service.instruments.definitions import (
    AgeRange,
    Instrument,
    Licence,
    ObservationCategory,
    SafetyRule,
    Verification,
)
from service.instruments.items import Answer, Condition, Item, Operator
from service.instruments.parsing import read as read_text
from service.instruments.score_rules import (
    Band,
    Category,
    Direction,
    MissingKind,
    MissingRule,
    Number,
    ScoreKind,
    ScoreRule,
)

__all__ = [
    "AgeRange",
    "Answer",
    "Band",
    "Caseness",
    "Category",
    "ChangeKind",
    "ChangeRule",
    "Condition",
    "Direction",
    "Instrument",
    "Item",
    "Licence",
    "Measure",
    "MissingKind",
    "MissingRule",
    "Number",
    "ObservationCategory",
    "Operator",
    "SafetyRule",
    "ScoreKind",
    "ScoreRule",
    "Threshold",
    "Verification",
    "all_versions",
    "by_canonical",
    "forget",
    "instrument",
    "load_instruments",
    "read_text",
    "shipped",
]


@cache
def all_versions() -> tuple[Instrument, ...]:
    """Return every definition, oldest first within one instrument."""
    found = merged(shipped(), read_added(folder()))
    return tuple(sorted(found, key=lambda each: (each.id, _version_key(each.version))))


@cache
def shipped() -> tuple[Instrument, ...]:
    """Return the definitions that come with this software."""
    paths = (path for path in files(__name__).iterdir() if path.name.endswith(".json"))
    return tuple(read_text(rebased(path.read_text(encoding="utf-8"))) for path in paths)


def forget() -> None:
    """Read what was added again when it is next asked for."""
    all_versions.cache_clear()
    load_instruments.cache_clear()
    _canonicals.cache_clear()


@cache
def load_instruments() -> Mapping[str, Instrument]:
    """Return the newest version of each instrument, by id."""
    return MappingProxyType({each.id: each for each in all_versions()})


def instrument(id: str, version: str | None = None) -> Instrument:  # noqa: A002 - the data's own name
    """Return one definition, the newest unless a version is named, or raise LookupError."""
    newest = load_instruments().get(id)
    if newest is None:
        raise LookupError("instrument: not one that is defined here")
    if version is None:
        return newest
    for each in all_versions():
        if (each.id, each.version) == (id, version):
            return each
    raise LookupError(f"instrument: {newest.name} has no such version here")


def by_canonical(canonical: str) -> Instrument | None:
    """Accept our `url`, `url|version`, or the canonical of another's form, without a version."""
    return _canonicals().get(canonical)


@cache
def _canonicals() -> Mapping[str, Instrument]:
    found = {each.canonical: each for each in all_versions()}
    for each in load_instruments().values():
        names = (each.url, *each.other_canonicals, *each.accepted_canonicals)
        found |= {name: each for name in names if name not in found}
    return MappingProxyType(found)


def _version_key(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
