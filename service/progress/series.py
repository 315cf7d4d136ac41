"""One score of one person over time: points, baseline, differences; all of it pure.

The baseline is the first scorable value from `EARLIEST` before the index date on, which is when
the person joined; where no such date may be known, the first scorable value there is. That is
fixed before anything is looked at: a later or better baseline is never chosen.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from service.instruments import Band, ChangeKind, Instrument, ScoreRule
from service.progress.change import Finding, findings, is_measured, without_rule

EARLIEST = timedelta(days=7)  # as CMS159 takes a PHQ-9 of the week before its index event


class BaselineRule(StrEnum):
    ENROLLMENT = "enrollment"
    FIRST = "first"


@dataclass(frozen=True, kw_only=True)
class Value:
    """What one response says of one score; null where its rule forbids a score.

    `key` orders what was authored at the same moment.
    """

    at: datetime
    key: str
    value: Decimal | None


@dataclass(frozen=True, kw_only=True)
class Point:
    """A value with what it differs by, both in points of the score: after minus before."""

    at: datetime
    key: str
    value: Decimal | None
    band: Band | None = None
    from_baseline: Decimal | None = None
    from_last: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class Asked:
    """How many measurements were due, and what became of them; answers outside count nowhere.

    `unanswered` are when those that are overdue or missed became due.
    """

    due: int
    answered: int
    overdue: int
    missed: int
    unanswered: tuple[datetime, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Progress:
    """`findings` compare the last scorable point with the baseline; none, where it is the same.

    `silent` are the kinds of change of which nothing is said, since no rule with a source exists.
    `asked` is null where no measurement was planned, or that may not be known.
    """

    form: Instrument
    score: ScoreRule
    points: tuple[Point, ...]
    rule: BaselineRule
    baseline: Point | None
    last: Point | None
    findings: tuple[Finding, ...]
    silent: tuple[ChangeKind, ...]
    asked: Asked | None = None

    @property
    def not_scorable(self) -> int:
        return sum(point.value is None for point in self.points)


def progress(
    form: Instrument,
    score: ScoreRule,
    values: Iterable[Value],
    index: datetime | None,
    asked: Asked | None = None,
) -> Progress:
    """Return the whole series; `index` is when the person joined, where that may be known."""
    ordered = sorted(values, key=lambda each: (each.at, each.key))
    start = baseline_of(ordered, index)
    points = tuple(_points(score, ordered, start))
    scored = [each for each in points if each.value is not None]
    first = next((each for each in scored if start and each.key == start.key), None)
    last = scored[-1] if scored else None
    return Progress(
        form=form,
        score=score,
        points=points,
        rule=BaselineRule.FIRST if index is None else BaselineRule.ENROLLMENT,
        baseline=first,
        last=last,
        findings=compared(form, score, first, last),
        silent=without_rule(form, score),
        asked=asked,
    )


def baseline_of(ordered: Sequence[Value], index: datetime | None) -> Value | None:
    """Return the baseline of values that are in the order of time."""
    after = None if index is None else index - EARLIEST
    scored = (each for each in ordered if each.value is not None)
    return next((each for each in scored if after is None or each.at >= after), None)


def compared(
    form: Instrument, score: ScoreRule, first: Point | None, last: Point | None
) -> tuple[Finding, ...]:
    if first is None or last is None or first.value is None or last.value is None:
        return ()
    later = (last.at, last.key) > (first.at, first.key)
    return findings(form, score, first.value, last.value) if later and is_measured(score) else ()


def _points(score: ScoreRule, ordered: Sequence[Value], start: Value | None) -> Iterable[Point]:
    previous, begun = None, False
    for each in ordered:
        begun = begun or each is start
        yield Point(
            at=each.at,
            key=each.key,
            value=each.value,
            band=None if each.value is None else score.band(each.value),
            from_baseline=_difference(score, start, each) if begun and each is not start else None,
            from_last=_difference(score, previous, each),
        )
        previous = each if each.value is not None else previous


def _difference(score: ScoreRule, before: Value | None, after: Value) -> Decimal | None:
    if before is None or before.value is None or after.value is None or not is_measured(score):
        return None
    return after.value - before.value
