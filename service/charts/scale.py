"""From moments and values to places on the drawing, with the ticks of both axes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import ceil

LEFT, RIGHT, TOP, BOTTOM = 66.0, 560.0, 66.0, 306.0
DAY = timedelta(days=1)
SHORTEST = timedelta(days=14)
STEPS = (1, 2, 7, 14, 28, 56, 91, 182, 364, 728, 1820, 3640, 36400)
MOST_DATES = 7
MOST_VALUES = 7
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, kw_only=True)
class Scale:
    """The part of the drawing that has values: from `begin` to `end`, `low` to `high`."""

    begin: datetime
    end: datetime
    low: Decimal
    high: Decimal

    def x(self, at: datetime) -> float:
        part = (at - self.begin) / (self.end - self.begin)
        return LEFT + 14 + part * (RIGHT - LEFT - 28)

    def y(self, value: Decimal) -> float:
        part = float((value - self.low) / (self.high - self.low))
        return BOTTOM - part * (BOTTOM - TOP)

    def dates(self) -> list[datetime]:
        """Return midnights, as few as can be read, with one step between all of them."""
        days = (self.end - self.begin) / DAY
        step = next(each for each in STEPS if days / each < MOST_DATES)
        at, found = self.begin, []
        while at <= self.end:
            found.append(at)
            at += step * DAY
        return found

    def values(self) -> list[Decimal]:
        """Return round values within the range."""
        span = self.high - self.low
        step = next(
            each
            for each in (Decimal(n) * 10**e for e in range(5) for n in (1, 2, 5))
            if span / each <= MOST_VALUES
        )
        first = ceil(self.low / step) * step
        return [first + step * n for n in range(int((self.high - first) // step) + 1)]


def scale_of(moments: Iterable[datetime], low: Decimal, high: Decimal, now: datetime) -> Scale:
    """Return the scale that shows all these moments, from a midnight, and at least two weeks."""
    known = [each.astimezone(UTC) for each in moments] or [now]
    begin, end = min(known).replace(hour=0, minute=0, second=0, microsecond=0), max(known)
    if end - begin < SHORTEST:
        end = begin + SHORTEST
    return Scale(begin=begin, end=end, low=low, high=high)


def day(at: datetime, *, year: bool = True) -> str:
    """Return a date as it is read by people of any country."""
    return (
        f"{at.day} {MONTHS[at.month - 1]} {at.year}" if year else f"{at.day} {MONTHS[at.month - 1]}"
    )


def apart(places: Sequence[float], least: float, low: float, high: float) -> list[float]:
    """Move places, which are in order, so far apart that what stands there can be read."""
    moved: list[float] = []
    for each in places:
        moved.append(max(each, moved[-1] + least if moved else low))
    for n in range(len(moved) - 1, -1, -1):
        limit = high if n == len(moved) - 1 else moved[n + 1] - least
        moved[n] = min(moved[n], limit)
    return moved
