"""Scores of answers: defined for any input, and the same for the same answers whatever their order.

Answers are looked up by instrument version, linkId and value: the same LOINC answer counts
otherwise in other lists.

https://hl7.org/fhir/R4/questionnaireresponse.html
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from service.instruments import (
    Band,
    Category,
    Instrument,
    Item,
    MissingKind,
    Number,
    ScoreKind,
    ScoreRule,
)
from service.scoring.conditions import Answers, enabled, every, holds, skippable, some
from service.scoring.results import Score, Scored


def score(instrument: Instrument, answers: Answers) -> Score:
    """Return each score, or the stated reason why there is none."""
    found: dict[str, Scored] = {}
    for rule in instrument.scores:
        found[rule.id] = _KINDS[rule.kind](_Given(instrument, answers, found), rule)
    first = found[instrument.primary.id]
    return Score(
        total=None if first.value is None else int(first.value),
        band=first.band,
        reason=first.reason,
        missing=first.missing if len(found) == 1 else _missing(instrument, answers),
        scores=tuple(found[rule.id] for rule in instrument.reported_scores),
    )


@dataclass(frozen=True, slots=True)
class _Given:
    """The answers, and the scores that stand before the one to be made."""

    form: Instrument
    answers: Answers
    found: Mapping[str, Scored]

    def chosen(self, item: Item) -> tuple[bool, int | None]:
        """Tell whether an item was answered or had not to be, and what it counts."""
        value = self.answers.get(item.link_id)
        if value is not None:
            counts = self.form.counted[item.link_id]
            if value in counts:
                return True, counts[value]
        if item.skip_when or item.enable_when:
            return skippable(self.form, item, self.answers), 0
        return False, None

    @property
    def known(self) -> dict[str, Number | None]:
        return {name: each.value for name, each in self.found.items()}


def _missing(form: Instrument, answers: Answers) -> tuple[str, ...]:
    given = _Given(form, answers, {})
    return tuple(item.link_id for item in form.scored_items if not given.chosen(item)[0])


@dataclass(slots=True)
class _Counted:
    scores: list[int]
    missing: list[str]
    not_applicable: list[str]


def _count(given: _Given, rule: ScoreRule) -> _Counted:
    counted = _Counted([], [], [])
    items = given.form.by_link_id
    for link_id in rule.link_ids:
        answered, score_ = given.chosen(items[link_id])
        if not answered:
            counted.missing.append(link_id)
        elif score_ is None:
            counted.not_applicable.append(link_id)
        else:
            counted.scores.append(score_)
    return counted


def _sum(given: _Given, rule: ScoreRule) -> Scored:
    return _of_items(given, rule, sum)


def _at_least(given: _Given, rule: ScoreRule) -> Scored:
    return _of_items(given, rule, lambda scores: sum(each >= rule.at_least for each in scores))


def _of_items(given: _Given, rule: ScoreRule, add: Callable[[list[int]], int]) -> Scored:
    counted = _count(given, rule)
    answered, missing = len(counted.scores), tuple(counted.missing)
    aside = tuple(counted.not_applicable)
    if (missing and not _is_enough(rule, answered)) or not answered:
        reason = _incomplete(given.form, rule, missing) if missing else _nothing(given.form, rule)
        return Scored(id=rule.id, reason=reason, missing=missing, not_applicable=aside)
    value, prorated = add(counted.scores), bool(missing)
    if missing and rule.missing.kind is MissingKind.PRORATE:
        value = _half_up(value * (answered + len(missing)), answered)
    value *= rule.factor
    return Scored(
        id=rule.id,
        value=value,
        band=rule.band(value),
        missing=missing,
        prorated=prorated,
        not_applicable=aside,
    )


def _is_enough(rule: ScoreRule, answered: int) -> bool:
    partial = rule.missing.kind in {MissingKind.PRORATE, MissingKind.MINIMUM}
    return partial and answered >= rule.missing.minimum_answered


def _half_up(dividend: int, divisor: int) -> int:
    return (2 * dividend + divisor) // (2 * divisor)


def _table(given: _Given, rule: ScoreRule) -> Scored:
    source = given.found[rule.of or ""]
    if source.value is None:
        return replace(source, id=rule.id, band=None)
    value = rule.table.get(int(source.value))
    if value is None:
        return Scored(id=rule.id, reason=f"{rule.display}: its table has no such raw score")
    found = _banded(rule, value)
    return replace(found, missing=source.missing, prorated=source.prorated)


def _category(given: _Given, rule: ScoreRule) -> Scored:
    missing = _category_missing(given, rule)
    decided = not missing or rule.missing.kind is MissingKind.DECIDED
    for category in rule.categories if decided else ():
        truth = some(_all_hold(given, category))
        if truth is None:
            break
        if truth:
            band = Band(
                minimum=category.rank,
                maximum=category.rank,
                label=category.label,
                loinc_answer=category.code,
            )
            return Scored(id=rule.id, value=category.rank, band=band, missing=missing)
    return Scored(id=rule.id, reason=_undecided(rule, missing), missing=missing)


def _all_hold(given: _Given, category: Category) -> Iterator[bool | None]:
    for conditions in category.when:
        yield every(holds(given.form, each, given.answers, given.known) for each in conditions)


def _category_missing(given: _Given, rule: ScoreRule) -> tuple[str, ...]:
    """Return what was to be answered, in the order of the form."""
    found = set[str]()
    for about in (c.about for each in rule.categories for all_ in each.when for c in all_):
        item = given.form.by_link_id.get(about)
        if item is None:
            found.update(given.found[about].missing)
        elif (
            given.answers.get(about) is None
            and enabled(given.form, item, given.answers) is not False
        ):
            found.add(about)
    return tuple(item.link_id for item in given.form.items if item.link_id in found)


def _banded(rule: ScoreRule, value: Number) -> Scored:
    return Scored(id=rule.id, value=value, band=rule.band(value))


def _incomplete(form: Instrument, rule: ScoreRule, missing: tuple[str, ...]) -> str:
    name = form.name if rule is form.primary else rule.display
    enough = rule.missing.minimum_answered
    if enough:
        needed = f"at least {enough} of {len(rule.link_ids)} scored items are answered"
    else:
        needed = f"all {len(rule.link_ids)} scored items are answered"
    return f"{name} is totalled only when {needed}; not answered: {', '.join(missing)}"


def _nothing(form: Instrument, rule: ScoreRule) -> str:
    return f"{form.name}: {rule.display} has no item that counts anything"


def _undecided(rule: ScoreRule, missing: tuple[str, ...]) -> str:
    return f"{rule.display} is not decided by what was answered; not answered: {', '.join(missing)}"


_KINDS: Mapping[ScoreKind, Callable[[_Given, ScoreRule], Scored]] = {
    ScoreKind.SUM: _sum,
    ScoreKind.COUNT: _at_least,
    ScoreKind.TABLE: _table,
    ScoreKind.CATEGORY: _category,
}
