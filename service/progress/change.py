"""What a change from the baseline means, by each named rule of an instrument; all of it pure.

Every rule is reported with its own result: a number of points and a proportion disagree for many
a baseline, and which of them is right is not decided here (docs/terminology in CONTRIBUTING.md).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from service.instruments import (
    ChangeKind,
    ChangeRule,
    Direction,
    Instrument,
    Measure,
    ScoreKind,
    ScoreRule,
    Threshold,
)

# Of these kinds, as many points the other way are a deterioration.
BOTH_WAYS = frozenset({ChangeKind.IMPORTANT, ChangeKind.RELIABLE})
OF_THE_VALUE = frozenset({Measure.BELOW, Measure.AT_MOST})
EXPECTED = (
    ChangeKind.RESPONSE,
    ChangeKind.REMISSION,
    ChangeKind.IMPORTANT,
    ChangeKind.RELIABLE,
)


class Result(StrEnum):
    MET = "met"
    NOT_MET = "not-met"
    DETERIORATED = "deteriorated"
    NOT_APPLICABLE = "not-applicable"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one rule says of one change; `reason` is why it does not apply."""

    rule: ChangeRule
    result: Result
    reason: str | None = None


def is_measured(score: ScoreRule) -> bool:
    """Tell whether a difference of two values of this score means anything."""
    return score.direction is not None and score.kind is not ScoreKind.CATEGORY


def findings(
    form: Instrument, score: ScoreRule, baseline: Decimal, now: Decimal
) -> tuple[Finding, ...]:
    """Return what each rule about this score says, in the order of the instrument's file."""
    return tuple(_finding(rule, score, baseline, now) for rule in rules_about(form, score))


def rules_about(form: Instrument, score: ScoreRule) -> tuple[ChangeRule, ...]:
    return tuple(rule for rule in form.change if rule.score == score.id)


def without_rule(form: Instrument, score: ScoreRule) -> tuple[ChangeKind, ...]:
    """Return the kinds of change of which nothing is said, since no source gives a rule."""
    ruled = {rule.kind for rule in rules_about(form, score)}
    return tuple(kind for kind in EXPECTED if kind not in ruled)


def improvement(score: ScoreRule, baseline: Decimal, now: Decimal) -> Decimal:
    """Return how many points better it is than the baseline, negative where it is worse."""
    return now - baseline if score.direction is Direction.BETTER else baseline - now


def _finding(rule: ChangeRule, score: ScoreRule, baseline: Decimal, now: Decimal) -> Finding:
    reason = _why_not(rule, baseline)
    if reason is not None:
        return Finding(rule=rule, result=Result.NOT_APPLICABLE, reason=reason)
    better = improvement(score, baseline, now)
    if any(_meets(rule, each, baseline, better, now) for each in rule.thresholds):
        return Finding(rule=rule, result=Result.MET)
    return Finding(
        rule=rule, result=Result.DETERIORATED if _worse(rule, better) else Result.NOT_MET
    )


def _why_not(rule: ChangeRule, baseline: Decimal) -> str | None:
    if rule.baseline_minimum is not None and baseline < rule.baseline_minimum:
        return f"the rule is for a baseline of {rule.baseline_minimum} or more"
    if any(_is_value(each, baseline) for each in rule.thresholds):
        return "the baseline met it already"
    if all(each.measure is Measure.PROPORTION for each in rule.thresholds) and baseline <= 0:
        return "there is no proportion of a baseline of 0"
    return None


def _is_value(threshold: Threshold, value: Decimal) -> bool:
    """Tell whether this is a threshold of the value itself, and the value meets it."""
    if threshold.measure is Measure.BELOW:
        return value < threshold.value
    return threshold.measure is Measure.AT_MOST and value <= threshold.value


def _meets(
    rule: ChangeRule, threshold: Threshold, baseline: Decimal, better: Decimal, now: Decimal
) -> bool:
    if threshold.measure in OF_THE_VALUE:
        return _is_value(threshold, now)
    if threshold.measure is Measure.POINTS:
        return _reaches(rule, better, threshold.value)
    return baseline > 0 and _reaches(rule, better, threshold.value * baseline)


def _reaches(rule: ChangeRule, change: Decimal, needed: Decimal) -> bool:
    return change > needed if rule.strict else change >= needed


def _worse(rule: ChangeRule, better: Decimal) -> bool:
    return any(_reaches(rule, -better, each) for each in _points(rule))


def _points(rule: ChangeRule) -> Iterator[Decimal]:
    if rule.kind in BOTH_WAYS:
        yield from (t.value for t in rule.thresholds if t.measure is Measure.POINTS)
