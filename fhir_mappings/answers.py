"""A QuestionnaireResponse as the domain understands it, or every element that is wrong.

https://hl7.org/fhir/R4/questionnaireresponse.html
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from fhir_mappings.codes import LOINC, UNKNOWN
from fhir_mappings.foreign_forms import Form, form_of, is_relative
from fhir_mappings.instrument_codes import ANSWER, answer_value
from service.errors import InvalidElementsError, Problem, RequiredError, ValueSetError
from service.instruments import Instrument, Item, all_versions
from service.models.screening import COMPLETE, ResponseStatus
from service.scoring import Problem as BrokenRule
from service.scoring import check_answers

TYPE = "QuestionnaireResponse"
DAY = len("2026-01-01")
Node = dict[str, Any]


def moment(value: object) -> datetime | None:
    """Return a FHIR dateTime in UTC; None unless it says the day, and the offset of a time."""
    if not isinstance(value, str) or len(value) < DAY:
        return None
    try:
        found = datetime.fromisoformat(value)
        if found.tzinfo is None:
            return found.replace(tzinfo=UTC) if len(value) == DAY else None
        return found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


@dataclass
class Reading:
    """The answers found so far, and the problems met."""

    form: Form
    answers: dict[str, int] = field(default_factory=dict)
    elements: dict[str, str] = field(default_factory=dict)  # where each was found
    problems: list[Problem] = field(default_factory=list)

    def report(self, element: str, rule: str, code: str = "value") -> None:
        self.problems.append(Problem(element, rule, code))


def read(form: Form, items: object, path: str) -> Reading:
    """Read the items of a response; groups around questions are walked into."""
    reading = Reading(form)
    for element, node in _nodes(items, f"{path}.item"):
        _read_item(reading, element, node)
    return reading


def _nodes(items: object, path: str) -> Iterator[tuple[str, Node]]:
    """Yield each item with its FHIRPath expression, those inside items and answers too."""
    for element, node in _indexed(items, path):
        yield element, node
        yield from _nodes(node.get("item"), f"{element}.item")
        for inside, answer in _indexed(node.get("answer"), f"{element}.answer"):
            yield from _nodes(answer.get("item"), f"{inside}.item")


def _indexed(nodes: object, path: str) -> Iterator[tuple[str, Node]]:
    for index, node in enumerate(nodes if isinstance(nodes, list) else []):
        if isinstance(node, dict):
            yield f"{path}[{index}]", node


def _read_item(reading: Reading, element: str, node: Node) -> None:
    key, form = node.get("linkId"), reading.form
    answers = list(_indexed(node.get("answer"), f"{element}.answer"))
    valued = [(where, each) for where, each in answers if _value(each)]
    if not isinstance(key, str) or form.is_total(key) or not valued:
        return  # a sender's total is not an answer: it is computed here
    item = form.item(key)
    if item is None:
        named = form.instrument
        rule = f"must be the linkId of an item of {named.name} {named.version}"
        reading.report(f"{element}.linkId", rule)
    elif item.link_id in reading.answers:
        reading.report(f"{element}.linkId", "appears more than once")
    elif len(answers) > 1:
        reading.report(f"{element}.answer", "must be one answer")
    else:
        _read_answer(reading, item, *valued[0])


def _read_answer(reading: Reading, item: Item, element: str, answer: Node) -> None:
    name, value = _value(answer)[0]
    if isinstance(value, dict) and value.get("system") == UNKNOWN.system:
        return  # the person was asked and gave none: it is missing
    known = _VALUES[name](reading.form.instrument, item, value) if name in _VALUES else None
    if known is not None:
        reading.answers[item.link_id], reading.elements[item.link_id] = known, element
        return
    rule, code = _expected(item), "code-invalid" if name == "valueCoding" else "value"
    reading.report(f"{element}.value", rule, code)


def _expected(item: Item) -> str:
    codes = ", ".join(each.code for each in item.answers if each.code)
    named = f"a LOINC code of {item.answer_list} ({codes})" if codes else "a code of its list"
    if not item.answers:
        return "cannot be recorded: what can be answered was not found in any source"
    if not _number_is_plain(item):
        return f"must be {named}: as a number it could be meant as printed or as it counts"
    return f"must be {named}, or its score ({', '.join(str(each) for each in item.values)})"


def _number_is_plain(item: Item) -> bool:
    """Tell whether a number can mean one answer only: what is printed is what it counts."""
    return all(each.score in {None, each.value} for each in item.answers)


def _value(answer: Node) -> list[tuple[str, Any]]:
    return [(name, value) for name, value in answer.items() if name.startswith("value")]


def _coded(form: Instrument, item: Item, value: object) -> int | None:
    """Return the value of a coded answer; a code without a system is looked up in the item's list.

    Its own list and no other: the same LOINC answer counts otherwise elsewhere.
    """
    if not isinstance(value, dict) or not isinstance(code := value.get("code"), str):
        return None
    system = value.get("system")
    if system == ANSWER:
        return answer_value(form, item, code)
    chosen = item.answer(code) if system in {LOINC, None} else None
    return chosen.value if chosen else _of_others(form, item, system, code)


def _of_others(form: Instrument, item: Item, system: object, code: str) -> int | None:
    for name, value in form.other_answers.get(item.answer_list, {}).items():
        theirs, _, own = name.partition("|")
        if own == code and system in {theirs, None}:
            return value
    return None


def _counted(_: Instrument, item: Item, value: object) -> int | None:
    number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    if not number or not _number_is_plain(item):
        return None
    return next((each for each in item.values if each == value), None)


_VALUES = {"valueCoding": _coded, "valueInteger": _counted, "valueDecimal": _counted}


@dataclass(frozen=True)
class Understood:
    """A response as the domain understands it; `authored` is null where it is not said."""

    form: Instrument
    status: ResponseStatus
    authored: datetime | None
    answers: dict[str, int]


def understand(resource: dict[str, Any]) -> Understood:
    """Read a response, or name every element that is not understood."""
    form = _form(resource)
    reading = read(form, resource.get("item"), TYPE)
    problems = list(reading.problems)
    status = _status(resource.get("status"), problems)
    problems = problems or _forbidden(reading, complete=status in COMPLETE)
    authored = moment(resource.get("authored"))
    if authored is None and "authored" in resource:
        rule = "must be a dateTime that says the day, with an offset where it says the time"
        problems.append(Problem(f"{TYPE}.authored", rule, "value"))
    if problems or status is None:
        raise InvalidElementsError(tuple(problems))
    return Understood(form.instrument, status, authored, reading.answers)


def _forbidden(reading: Reading, *, complete: bool) -> list[Problem]:
    """Return what the form does not allow, of what is asked, or not, by other answers."""
    found = check_answers(reading.form.instrument, reading.answers, complete=complete)
    where = reading.elements
    return [Problem(where.get(p.link_id, f"{TYPE}.item"), _named(p), "invariant") for p in found]


def _named(problem: BrokenRule) -> str:
    return f"{problem.link_id} {problem.rule}"


def _form(resource: dict[str, Any]) -> Form:
    element, canonical = f"{TYPE}.questionnaire", resource.get("questionnaire")
    if canonical is None:
        raise RequiredError("must name the questionnaire that was answered", element=element)
    if isinstance(canonical, str) and is_relative(canonical):
        rule = "must be absolute, as canonicals are: which form a relative one names is not known"
        raise ValueSetError(rule, element=element)
    form = form_of(resource)
    if form is None:
        names = [one for each in all_versions() for one in (each.canonical, *each.other_canonicals)]
        raise ValueSetError(f"must be one of {', '.join(names)}", element=element)
    return form


def _status(value: object, problems: list[Problem]) -> ResponseStatus | None:
    element = f"{TYPE}.status"
    if value is None:
        problems.append(Problem(element, "the element is required", "required"))
        return None
    found = next((each for each in ResponseStatus if each == value), None)
    if found is None:
        allowed = ", ".join(ResponseStatus)
        problems.append(Problem(element, f"must be one of {allowed}", "code-invalid"))
    return found
