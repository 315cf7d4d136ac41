"""A rule of change in words, for whoever reads its result."""

from decimal import Decimal

from service.instruments import ChangeRule, Measure, Threshold


def said(rule: ChangeRule) -> str:
    """Return what the rule asks for, as `50 % of the baseline, from a baseline of 10 or more`."""
    words = " or ".join(_threshold(each, strict=rule.strict) for each in rule.thresholds)
    if rule.baseline_minimum is None:
        return words
    return f"{words}, from a baseline of {rule.baseline_minimum} or more"


def _threshold(threshold: Threshold, *, strict: bool) -> str:
    value, more = threshold.value, "more than " if strict else ""
    if threshold.measure is Measure.POINTS:
        return f"better by {more}{value:f} points"
    if threshold.measure is Measure.PROPORTION:
        return f"better by {more}{(value * Decimal(100)).normalize():f} % of the baseline"
    return (
        f"now below {value:f}" if threshold.measure is Measure.BELOW else f"now {value:f} or less"
    )
