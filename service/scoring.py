"""Range checks, totals, bands and safety rules of a questionnaire; pure, and defined for any input.

https://hl7.org/fhir/R4/questionnaireresponse.html
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from service.instruments import Band, Instrument


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    link_id: str
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A total with its band, or the reason why there is none."""

    total: int | None = None
    band: Band | None = None
    reason: str | None = None
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyHit:
    link_id: str
    minimum_score: int
    score: int = field(repr=False)  # an answer: keep it out of logs


def check_answers(instrument: Instrument, answers: Mapping[str, int]) -> list[Problem]:
    """Name each answer out of its item's range, never the value that was sent."""
    found = []
    for link_id, given in answers.items():
        rule = _broken_rule(instrument, link_id, given=given)
        if rule is not None:
            found.append(Problem(link_id=link_id, rule=rule))
    return found


def score(instrument: Instrument, answers: Mapping[str, int]) -> Score:
    """Sum range-checked answers; without every scored item there is no total."""
    scored = [item.link_id for item in instrument.scored_items]
    missing = tuple(link_id for link_id in scored if answers.get(link_id) is None)
    if missing:
        return Score(reason=_incomplete(instrument, missing), missing=missing)
    total = sum(answers[link_id] for link_id in scored)
    return Score(total=total, band=instrument.band(total))


def safety_hits(instrument: Instrument, answers: Mapping[str, int]) -> tuple[SafetyHit, ...]:
    """Apply safety rules to partial answers too; no hit does not mean that a person is safe."""
    return tuple(
        SafetyHit(link_id=rule.link_id, minimum_score=rule.minimum_score, score=given)
        for rule in instrument.safety
        if (given := answers.get(rule.link_id)) is not None and given >= rule.minimum_score
    )


def _broken_rule(instrument: Instrument, link_id: str, *, given: int) -> str | None:
    item = next((item for item in instrument.items if item.link_id == link_id), None)
    if item is None:
        return f"must be the linkId of an item of {instrument.name} {instrument.version}"
    # type(), not isinstance: True and 1.0 equal 1 but are not answers.
    if type(given) is not int or given not in item.scores:
        return "must be one of " + ", ".join(str(each) for each in sorted(item.scores))
    return None


def _incomplete(instrument: Instrument, missing: tuple[str, ...]) -> str:
    count = len(instrument.scored_items)
    return (
        f"{instrument.name} is totalled only when all {count} scored items are answered; "
        f"not answered: {', '.join(missing)}"
    )
