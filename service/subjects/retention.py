"""How long each kind of record is kept: rules as data, and none where nobody stated one.

`retention.toml` has those for which a source was found; the operator chooses a jurisdiction among
them, or states rules in a file of the same form.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from service.errors import RetentionError
from service.subjects.holding import Kind

EVERY_KIND = "*"
MOST_YEARS = 200


class CountedFrom(StrEnum):
    LAST_CONTACT = "last-contact"
    RECORD = "record"
    BIRTH = "birth"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Records of these kinds are kept for as many years."""

    jurisdiction: str | None
    kinds: frozenset[str]
    years: int
    counted_from: CountedFrom
    source: str

    def covers(self, kind: Kind) -> bool:
        return EVERY_KIND in self.kinds or kind.value in self.kinds

    def until(self, counted: Mapping[CountedFrom, date | None]) -> date | None:
        """Return the first day on which the rule keeps the record no more; None: not known."""
        start = counted[self.counted_from]
        return None if start is None else years_after(start, self.years)


def years_after(day: date, years: int) -> date:
    """Return the same day of a later year; 1 March for the 29 February that it does not have."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def rules_of(jurisdiction: str | None, file: str | None) -> tuple[Rule, ...]:
    """Return the rules that hold: those of the jurisdiction, and those that the operator states.

    Raises:
        RetentionError: the file cannot be read, or a rule in it cannot be understood.
    """
    shipped = [each for each in _shipped() if each.jurisdiction == jurisdiction]
    own = _read(Path(file).read_text("utf-8"), file) if file and _is_file(file) else ()
    return (*shipped, *(each for each in own if each.jurisdiction in {None, jurisdiction}))


def _is_file(file: str) -> bool:
    if not Path(file).is_file():
        raise RetentionError(f"ALONGSIDE_RETENTION_FILE is {file}, and there is no such file")
    return True


@cache
def _shipped() -> tuple[Rule, ...]:
    name = "retention.toml"
    return _read(files("service.subjects").joinpath(name).read_text("utf-8"), name)


def _read(text: str, name: str) -> tuple[Rule, ...]:
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RetentionError(f"{name} is not TOML: {error}") from error
    rules = found.get("rule", [])
    if not isinstance(rules, list) or set(found) - {"rule"}:
        raise RetentionError(f"{name} has [[rule]] and nothing else")
    return tuple(_rule(each, f"{name}, rule {number}") for number, each in enumerate(rules, 1))


def _rule(given: Mapping[str, Any], place: str) -> Rule:
    try:
        rule = Rule(
            jurisdiction=given.get("jurisdiction"),
            kinds=frozenset(given["kinds"]),
            years=given["years"],
            counted_from=CountedFrom(given["from"]),
            source=given["source"],
        )
    except (KeyError, TypeError, ValueError) as error:
        needs = "kinds, years, from (last-contact, record or birth) and source"
        raise RetentionError(f"{place}: a rule has {needs}") from error
    unknown = rule.kinds - {EVERY_KIND, *Kind}
    if unknown:
        raise RetentionError(f"{place}: kinds are {', '.join(Kind)}, or *")
    if type(rule.years) is not int or not 0 <= rule.years <= MOST_YEARS:
        raise RetentionError(f"{place}: years is a whole number from 0 to {MOST_YEARS}")
    if not str(rule.source).strip():
        raise RetentionError(f"{place}: source says what the rule rests on")
    return rule


def keeping(
    rules: Iterable[Rule], kind: Kind, counted: Mapping[CountedFrom, date | None]
) -> tuple[date | None, str] | None:
    """Return until when a kind of record is kept, and by which source: the rule that keeps longest.

    None where no rule was stated for it; without a date, what it counts from is not known.
    """
    covering = [each for each in rules if each.covers(kind)]
    ends = [(end, each.source) for each in covering if (end := each.until(counted)) is not None]
    for each in covering:
        if each.until(counted) is None:
            return None, each.source
    return max(ends, default=None)
