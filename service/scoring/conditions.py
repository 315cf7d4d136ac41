"""Whether conditions hold, in three values: what nobody answered is not known, and never "no".

https://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.item.enableWhen
"""

import operator
from collections.abc import Callable, Iterable, Mapping

from service.instruments import Condition, Instrument, Item, Number, Operator

Truth = bool | None
Answers = Mapping[str, int]
Known = Mapping[str, Number | None]  # scores by id

_COMPARE: Mapping[Operator, Callable[[Number, int], bool]] = {
    Operator.EQUALS: operator.eq,
    Operator.DIFFERS: operator.ne,
    Operator.AT_LEAST: operator.ge,
    Operator.BELOW: operator.lt,
}
NO_SCORES: Known = {}


def every(truths: Iterable[Truth]) -> Truth:
    """Return false as soon as one is, else unknown where one is."""
    found = set(truths)
    return False if False in found else None if None in found else True


def some(truths: Iterable[Truth]) -> Truth:
    """Return true as soon as one is, else unknown where one is."""
    found = set(truths)
    return True if True in found else None if None in found else False


def enabled(form: Instrument, item: Item, answers: Answers) -> Truth:
    """Tell whether an item is asked at all, by what was answered before it."""
    if not item.enable_when:
        return True
    return every(holds(form, each, answers) for each in item.enable_when)


def skippable(form: Instrument, item: Item, answers: Answers) -> bool:
    """Tell whether an item that is not answered counts 0: it is not asked, or may be left out."""
    if item.enable_when and enabled(form, item, answers) is False:
        return True
    skip = item.skip_when
    return bool(skip) and every(holds(form, each, answers) for each in skip) is True


def holds(
    form: Instrument, condition: Condition, answers: Answers, known: Known = NO_SCORES
) -> Truth:
    item = form.by_link_id.get(condition.about)
    if item is None:
        value = known.get(condition.about)
    else:
        value = answers.get(condition.about)
        if value is None and item.enable_when and enabled(form, item, answers) is False:
            return condition.operator is Operator.DIFFERS  # not asked: it has no value at all
    return None if value is None else _COMPARE[condition.operator](value, condition.value)
