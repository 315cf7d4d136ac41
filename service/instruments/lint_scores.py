"""Checks of scores, bands and change rules: what can be reached is what is said.

A score is followed over every answer that can be given, not over a sample.
"""

from collections.abc import Iterator
from itertools import groupby
from typing import cast

from service.instruments.change import ChangeRule, Measure, Threshold
from service.instruments.definitions import Instrument
from service.instruments.score_rules import Band, MissingKind, Number, ScoreKind, ScoreRule

SEXES = {None, "female", "male"}


def score_problems(instrument: Instrument) -> Iterator[str]:
    if instrument.primary.kind is ScoreKind.TABLE or not instrument.primary.reported:
        yield "its first score must be a whole number that is reported"
    unknown = list(_unknown(instrument))
    yield from unknown
    if not unknown:  # else what can be reached is not known
        for score in instrument.scores:
            yield from _range_problems(instrument, score)
            yield from _band_problems(instrument, score)
        yield from _change_problems(instrument)


def _unknown(instrument: Instrument) -> Iterator[str]:
    """Yield what a score refers to that is not there, or not before it."""
    before: set[str] = set()
    for score in instrument.scores:
        if score.id in before or score.id.startswith("/") or score.id == "panel":
            yield f"score {score.id} is there twice, or has a name that means something else"
        yield from _unknown_items(instrument, score, before)
        yield from _rule_problems(score, before)
        before.add(score.id)


def _unknown_items(instrument: Instrument, score: ScoreRule, before: set[str]) -> Iterator[str]:
    if len(set(score.link_ids)) != len(score.link_ids):
        yield f"score {score.id} counts an item twice"
    about = [c.about for each in score.categories for all_ in each.when for c in all_]
    for name in dict.fromkeys((*score.link_ids, *about)):
        if name not in instrument.by_link_id and name not in before:
            yield f"score {score.id} is made of {name}, which is no item and no score before it"


def _rule_problems(score: ScoreRule, before: set[str]) -> Iterator[str]:
    of_items = score.kind in {ScoreKind.SUM, ScoreKind.COUNT}
    if of_items and not score.link_ids:
        yield f"score {score.id} has no items"
    if of_items and not 0 <= score.missing.minimum_answered <= len(score.link_ids):
        yield f"score {score.id} needs more items answered than it has"
    partial = score.missing.kind in {MissingKind.PRORATE, MissingKind.MINIMUM}
    if partial and (not of_items or score.missing.minimum_answered < 1):
        yield f"score {score.id} must say how many answers are enough"
    if score.missing.kind is MissingKind.DECIDED and score.kind is not ScoreKind.CATEGORY:
        yield f"score {score.id}: only a decision tree can be decided early"
    if score.kind is ScoreKind.TABLE and score.of not in before:
        yield f"score {score.id} converts {score.of}, which is no score before it"
    if score.kind is ScoreKind.CATEGORY:
        yield from _tree_problems(score)


def _tree_problems(score: ScoreRule) -> Iterator[str]:
    if not score.categories or score.categories[-1].when != ((),):
        yield f"score {score.id}: its last category must hold for whatever is left"
    if any(() in each.when for each in score.categories[:-1]):
        yield f"score {score.id}: a category after one that always holds cannot be reached"
    ranks = [each.rank for each in score.categories]
    if len(set(ranks)) != len(ranks):
        yield f"score {score.id}: two categories have one rank"


def reachable(instrument: Instrument, score: ScoreRule) -> set[Number]:
    """Return every value that some answers give, prorated ones aside."""
    if score.kind is ScoreKind.CATEGORY:
        return {each.rank for each in score.categories}
    if score.kind is ScoreKind.TABLE:
        raw = reachable(instrument, instrument.by_score[cast("str", score.of)])
        return {score.table[int(each)] for each in raw if int(each) in score.table}
    totals: set[int] = {0}
    for link_id in score.link_ids:
        counts = instrument.counted[link_id].values()
        one = {_counts(score, each) for each in counts} or {0}
        totals = {total + each for total in totals for each in one}
    return {total * score.factor for total in totals}


def _counts(score: ScoreRule, count: int | None) -> int:
    if count is None:
        return 0
    return int(count >= score.at_least) if score.kind is ScoreKind.COUNT else count


def _range_problems(instrument: Instrument, score: ScoreRule) -> Iterator[str]:
    values = reachable(instrument, score)
    if score.kind is ScoreKind.TABLE:
        raw = reachable(instrument, instrument.by_score[cast("str", score.of)])
        for each in sorted(raw - {*score.table}):
            yield f"score {score.id}: its table has no value for {each}"
    if values and (min(values), max(values)) != (score.minimum, score.maximum):
        yield f"items sum to {min(values)}-{max(values)}, not to the stated range ({score.id})"


def _band_problems(instrument: Instrument, score: ScoreRule) -> Iterator[str]:
    values = sorted(reachable(instrument, score))
    if score.missing.kind is MissingKind.PRORATE and values:
        values = list(range(int(values[0]), int(values[-1]) + 1))
    ordered = sorted(score.bands, key=lambda band: band.sex or "")
    for sex, bands in groupby(ordered, key=lambda band: band.sex):
        if sex not in SEXES:
            yield f"score {score.id}: {sex} is no sex that a cut-off can depend on"
        yield from _cover_problems(score, values, list(bands))


def _cover_problems(score: ScoreRule, values: list[Number], bands: list[Band]) -> Iterator[str]:
    for band in bands:
        if not any(value in band for value in values):
            yield f"band {band.label} cannot be reached"
    for value in values:
        count = sum(value in band for band in bands)
        if count != 1:
            yield f"{score.id} {value} is in {count} bands"


def _change_problems(instrument: Instrument) -> Iterator[str]:
    names = [rule.id for rule in instrument.change] + [each.id for each in instrument.caseness]
    if len(set(names)) != len(names):
        yield "two rules of change have one id"
    for rule in instrument.change:
        score = instrument.by_score.get(rule.score)
        if score is None or score.direction is None:
            yield f"rule {rule.id} is about {rule.score}, which is no score with a direction"
        elif not rule.thresholds or not rule.source.strip():
            yield f"rule {rule.id} must have a threshold and a source"
        else:
            yield from _threshold_problems(rule, score)
    for case in instrument.caseness:
        score = instrument.by_score.get(case.score)
        if score is None or not score.minimum <= case.cutoff <= score.maximum:
            yield f"cut-off {case.id} is not within the range of a score"


def _threshold_problems(rule: ChangeRule, score: ScoreRule) -> Iterator[str]:
    baseline = rule.baseline_minimum
    if baseline is not None and not score.minimum <= baseline <= score.maximum:
        yield f"rule {rule.id}: no score is as high as its baseline"
    for threshold in rule.thresholds:
        if not _within(threshold, score):
            yield f"rule {rule.id}: its threshold is not within what {score.id} can change"


def _within(threshold: Threshold, score: ScoreRule) -> bool:
    if threshold.measure is Measure.PROPORTION:
        return 0 < threshold.value <= 1
    if threshold.measure is Measure.POINTS:
        return 0 < threshold.value <= score.maximum - score.minimum
    return score.minimum <= threshold.value <= score.maximum
