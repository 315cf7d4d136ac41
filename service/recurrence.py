"""Recurrence rules and wall-clock times: what a rule means, and which moment a time is.

Dates are counted on the wall, by python-dateutil, and become moments one by one, so that a group
that meets at six meets at six on both sides of a change of the clocks. Zones are those of the
package tzdata, never the machine's, so that every process knows the same ones.
https://www.rfc-editor.org/rfc/rfc5545#section-3.3.10
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from itertools import takewhile
from typing import Any
from zoneinfo import ZoneInfo

from dateutil import rrule

from service.errors import InvalidError, ValueSetError

ELEMENT = "rrule"
FREQUENCIES: dict[str, Any] = {
    "DAILY": rrule.DAILY,
    "WEEKLY": rrule.WEEKLY,
    "MONTHLY": rrule.MONTHLY,
}
DAYS = {
    "MO": rrule.MO, "TU": rrule.TU, "WE": rrule.WE, "TH": rrule.TH,
    "FR": rrule.FR, "SA": rrule.SA, "SU": rrule.SU,
}  # fmt: skip
DAY = re.compile(r"([+-]?[1-5])?(MO|TU|WE|TH|FR|SA|SU)")
NUMBER = re.compile(r"[+-]?\d{1,3}")
LARGEST_INTERVAL = 99
BEYOND = 3_700_000  # days, weeks or months: later than any date
LARGEST_COUNT = 999
LONGEST_RULE = 200


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A rule that is executed here; days have the number of their week in the month, or 0."""

    freq: str
    interval: int = 1
    days: tuple[tuple[int, str], ...] = ()
    month_days: tuple[int, ...] = ()
    positions: tuple[int, ...] = ()
    week_start: str = "MO"
    count: int | None = None
    until: datetime | None = None

    @property
    def text(self) -> str:
        """Return the rule as RFC 5545 writes it, its parts in one order."""
        parts = {
            "FREQ": self.freq,
            "INTERVAL": str(self.interval) if self.interval > 1 else "",
            "BYDAY": ",".join(f"{number or ''}{day}" for number, day in self.days),
            "BYMONTHDAY": ",".join(map(str, self.month_days)),
            "BYSETPOS": ",".join(map(str, self.positions)),
            "WKST": self.week_start if self.week_start != "MO" else "",
            "COUNT": str(self.count or ""),
            "UNTIL": f"{self.until:%Y%m%dT%H%M%SZ}" if self.until else "",
        }
        return ";".join(f"{name}={value}" for name, value in parts.items() if value)

    @property
    def pattern(self) -> "Rule":
        """Return the rule without its end."""
        return replace(self, count=None, until=None)

    def without_first(self, number: int) -> "Rule":
        """Return the rule for what is left once `number` occurrences have been."""
        return self if self.count is None else replace(self, count=self.count - number)


def parse(text: str) -> Rule:
    """Return the rule.

    Raises:
        InvalidError: it is no rule, or has a part that is not executed here.
    """
    if len(text) > LONGEST_RULE:
        raise _wrong(f"must be no longer than {LONGEST_RULE} characters")
    values: dict[str, Any] = {}
    for part in text.strip().upper().split(";"):
        name, equals, value = part.partition("=")
        if not equals or not value:
            raise _wrong("must be parts like FREQ=WEEKLY;BYDAY=TU, without RRULE: before them")
        if name not in PARTS:
            raise _wrong(f"{name[:20]} is not executed here; known are {', '.join(PARTS)}")
        field, read = PARTS[name]
        if field in values:
            raise _wrong(f"{name} stands twice")
        values[field] = read(name, value)
    if "freq" not in values:
        raise _wrong("FREQ is missing")
    rule = Rule(**values)
    _check(rule)
    return rule


def _check(rule: Rule) -> None:
    """Refuse what RFC 5545 forbids together, or what is executed for months alone."""
    monthly = rule.freq == "MONTHLY"
    if rule.count is not None and rule.until is not None:
        raise _wrong("COUNT and UNTIL exclude each other")
    if any(number for number, _ in rule.days) and not monthly:
        raise _wrong("BYDAY has numbers with FREQ=MONTHLY only")
    if len({number != 0 for number, _ in rule.days}) > 1:
        raise _wrong("BYDAY has days with numbers or without, not both")  # dateutil takes none then
    if rule.month_days and rule.freq == "WEEKLY":
        raise _wrong("BYMONTHDAY is not for FREQ=WEEKLY")
    if rule.positions and not (monthly and (rule.days or rule.month_days)):
        raise _wrong("BYSETPOS takes FREQ=MONTHLY with BYDAY or BYMONTHDAY")


def _wrong(message: str) -> InvalidError:
    return InvalidError(message, element=ELEMENT)


def _freq(_name: str, value: str) -> str:
    if value not in FREQUENCIES:
        raise _wrong(f"FREQ must be one of {', '.join(FREQUENCIES)}")
    return value


def _whole(largest: int) -> Callable[[str, str], int]:
    def read(name: str, value: str) -> int:
        if not value.isascii() or not value.isdigit() or not 1 <= int(value[:9]) <= largest:
            raise _wrong(f"{name} must be a number from 1 to {largest}")
        return int(value)

    return read


def _numbers(largest: int) -> Callable[[str, str], tuple[int, ...]]:
    def read(name: str, value: str) -> tuple[int, ...]:
        found = value.split(",")
        if not all(NUMBER.fullmatch(each) and 1 <= abs(int(each)) <= largest for each in found):
            raise _wrong(f"{name} must be numbers from 1 to {largest}, or -1 to -{largest}")
        return tuple(dict.fromkeys(map(int, found)))

    return read


def _days(_name: str, value: str) -> tuple[tuple[int, str], ...]:
    found = [DAY.fullmatch(each) for each in value.split(",")]
    if not all(found):
        raise _wrong("BYDAY must be days such as TU, or 2TU and -1FR of a month")
    return tuple(dict.fromkeys((int(each[1] or 0), each[2]) for each in found if each))


def _day(_name: str, value: str) -> str:
    if value not in DAYS:
        raise _wrong("WKST must be a day such as MO")
    return value


def _until(_name: str, value: str) -> datetime:
    try:
        return datetime.strptime(value, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        message = "UNTIL must be a time in UTC, as in 20261231T235959Z, since the start has a zone"
        raise _wrong(message) from None


PARTS: dict[str, tuple[str, Callable[[str, str], Any]]] = {
    "FREQ": ("freq", _freq),
    "INTERVAL": ("interval", _whole(LARGEST_INTERVAL)),
    "BYDAY": ("days", _days),
    "BYMONTHDAY": ("month_days", _numbers(31)),
    "BYSETPOS": ("positions", _numbers(31)),
    "WKST": ("week_start", _day),
    "COUNT": ("count", _whole(LARGEST_COUNT)),
    "UNTIL": ("until", _until),
}


@cache
def zone(name: str) -> ZoneInfo:
    """Return the time zone of this name; raise ValueSetError where there is none."""
    if name not in _zones():
        raise ValueSetError(
            "must be an IANA time zone, as in America/New_York", element="time_zone"
        )
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


@cache
def _zones() -> frozenset[str]:
    return frozenset(files("tzdata").joinpath("zones").read_text("utf-8").split())


def moment(wall: datetime, where: ZoneInfo) -> datetime:
    """Return the moment in UTC at which the clocks of a zone show this.

    A time that they show twice is its first; one that they leave out is counted by the offset
    before the gap: https://www.rfc-editor.org/rfc/rfc5545#section-3.3.5
    """
    return wall.replace(tzinfo=where, fold=0).astimezone(UTC)


def wall_time(at: datetime, where: ZoneInfo) -> datetime:
    """Return what the clocks of a zone show at this moment."""
    return at.astimezone(where).replace(tzinfo=None, fold=0)


def occurrences(rule: Rule, start: datetime, where: ZoneInfo) -> Iterator[datetime]:
    """Yield the wall-clock times of a rule, in order, for as long as it lasts."""
    found = iter(_expanded(rule, start, rule.interval))
    until = rule.until
    if until is None:
        return found
    return takewhile(lambda wall: moment(wall, where) <= until, found)


def starts_with(rule: Rule, start: datetime, where: ZoneInfo) -> bool:
    """Return whether the start is the rule's first occurrence, as RFC 5545 would have it.

    Only the start's own day, week or month is looked at: a rule that never comes true would be
    sought until the end of the calendar.
    """
    is_over = rule.until is not None and moment(start, where) > rule.until
    return not is_over and next(iter(_expanded(rule, start, BEYOND)), None) == start


def _expanded(rule: Rule, start: datetime, interval: int) -> rrule.rrule:
    days = [DAYS[day](number) if number else DAYS[day] for number, day in rule.days]
    return rrule.rrule(
        FREQUENCIES[rule.freq],
        dtstart=start,
        interval=interval,
        wkst=DAYS[rule.week_start],
        byweekday=days or None,
        bymonthday=rule.month_days or None,
        bysetpos=rule.positions or None,
        count=rule.count,
    )
