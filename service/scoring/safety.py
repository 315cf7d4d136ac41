"""Which safety rules answers meet.

https://hl7.org/fhir/R4/flag.html
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from service.instruments import Instrument, SafetyRule


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyHit:
    link_id: str
    minimum_score: int
    score: int = field(repr=False)  # an answer: keep it out of logs


def safety_hits(instrument: Instrument, answers: Mapping[str, int]) -> tuple[SafetyHit, ...]:
    """Apply safety rules to partial answers too; no hit does not mean that a person is safe."""
    return tuple(
        SafetyHit(link_id=rule.link_id, minimum_score=rule.minimum_score, score=counted)
        for rule in instrument.safety
        if (counted := _counted(instrument, rule, answers)) is not None
        and counted >= rule.minimum_score
    )


def _counted(instrument: Instrument, rule: SafetyRule, answers: Mapping[str, int]) -> int | None:
    given = answers.get(rule.link_id)
    chosen = None if given is None else instrument.by_link_id[rule.link_id].chosen(given)
    return chosen.score if chosen else None
