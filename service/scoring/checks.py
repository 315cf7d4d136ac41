"""Which answers a questionnaire allows; a problem names the item and the rule, never the answer.

https://hl7.org/fhir/R4/questionnaireresponse.html#rules
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from service.instruments import Instrument, Item
from service.scoring.conditions import enabled, skippable


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    link_id: str
    rule: str


def check_answers(
    instrument: Instrument, answers: Mapping[str, int], *, complete: bool = False
) -> list[Problem]:
    """Name each answer that its item does not allow; of a `complete` form, what it lacks too."""
    found = []
    for link_id, given in answers.items():
        rule = _broken_rule(instrument, link_id, given=given)
        if rule is not None:
            found.append(Problem(link_id=link_id, rule=rule))
    if not found:
        found = [*_unasked(instrument, answers), *(_lacking(instrument, answers, complete))]
    return found


def _broken_rule(instrument: Instrument, link_id: str, *, given: int) -> str | None:
    item = instrument.by_link_id.get(link_id)
    if item is None:
        return f"must be the linkId of an item of {instrument.name} {instrument.version}"
    # type(), not isinstance: True and 1.0 equal 1 but are not answers.
    if type(given) is not int or given not in item.values:
        return allowed(item)
    return None


def allowed(item: Item) -> str:
    """Say what can be answered."""
    if not item.answers:
        return "cannot be recorded: what can be answered was not found in any source"
    return "must be one of " + ", ".join(str(each) for each in sorted(item.values))


def _unasked(instrument: Instrument, answers: Mapping[str, int]) -> Iterator[Problem]:
    """Yield answers to what is not asked; those that a safety rule reads are never turned away."""
    safety = {rule.link_id for rule in instrument.safety}
    for item in instrument.items:
        given = item.enable_when and answers.get(item.link_id) is not None
        if given and item.link_id not in safety and enabled(instrument, item, answers) is False:
            asked = " and ".join(f"{c.about} {c.operator} {c.value}" for c in item.enable_when)
            yield Problem(link_id=item.link_id, rule=f"is asked only where {asked}")


def _lacking(
    instrument: Instrument, answers: Mapping[str, int], complete: bool
) -> Iterator[Problem]:
    for item in instrument.items if complete else ():
        absent = item.required and answers.get(item.link_id) is None
        if absent and not skippable(instrument, item, answers):
            yield Problem(link_id=item.link_id, rule="must be answered before it is completed")
