"""Checks that a questionnaire definition agrees with itself, and with the others.

Each finding is a sentence that names what is wrong; `alongside instruments check` prints them.
"""

import re
from collections.abc import Iterable, Iterator

from service.instruments.check_digits import has_valid_check_digit
from service.instruments.definitions import Instrument
from service.instruments.items import Item, Operator
from service.instruments.kinds import wrong_kinds
from service.instruments.lint_scores import score_problems

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_VERSION = re.compile(r"\d+(\.\d+)*")
_LINK_ID = re.compile(r"/[A-Za-z0-9._/-]+")
LONGEST_LINK_ID = 64
CODED = {Operator.EQUALS, Operator.DIFFERS}  # how a Questionnaire can compare codes
TIERS = {None, "red", "amber", "watch"}
SENSITIVITIES = {"PSY", "ETH", "SUD", "ETHUD", "BH", "HIV", "SDV", "SEX"}


def problems(instruments: Iterable[Instrument]) -> list[str]:
    known = tuple(instruments)
    panels = {each.panel for each in known if each.panel}
    found = []
    for each in known:
        found += [f"{each.id}: {problem}" for problem in _problems(each)]
        found += [f"{each.id}: {problem}" for problem in _panel_problems(each, panels)]
    return found


def unshippable(instrument: Instrument) -> list[str]:
    """Say what would have to stay out of a file that ships with this software."""
    if instrument.licence.text_may_ship:
        return []
    found = [item.link_id for item in instrument.items if item.text]
    return [f"{instrument.id}: the licence does not let the words of {each} ship" for each in found]


def _problems(instrument: Instrument) -> Iterator[str]:
    wrong = list(wrong_kinds(instrument))
    if wrong or not instrument.scores:  # what follows relies on both
        yield from wrong or ["it has no score"]
        return
    yield from _name_problems(instrument)
    yield from _code_problems(instrument)
    yield from _item_problems(instrument)
    yield from _condition_problems(instrument)
    yield from _reference_problems(instrument)
    yield from score_problems(instrument)


def _panel_problems(instrument: Instrument, panels: set[str]) -> Iterator[str]:
    for score in instrument.scores:
        if score.code in panels:
            yield f"{score.id} {score.code} is a panel"
    for item in instrument.items:
        if item.code in panels:
            yield f"item {item.link_id} has the code of a panel"


def _name_problems(instrument: Instrument) -> Iterator[str]:
    if not _ID.fullmatch(instrument.id):
        yield "its id must be of lower-case letters and digits, with single hyphens between"
    if not _VERSION.fullmatch(instrument.version):
        yield "its version must be numbers with dots between, as in 1.0.0"
    if not instrument.url.startswith(("http://", "https://")) or "|" in instrument.url:
        yield "its url must be absolute and have no version in it"
    if not instrument.name.strip():
        yield "it must have a name"
    for sensitivity in dict.fromkeys((instrument.sensitivity, *_sensitivities(instrument))):
        if sensitivity not in SENSITIVITIES:
            yield f"sensitivity {sensitivity} must be one of {', '.join(sorted(SENSITIVITIES))}"


def _sensitivities(instrument: Instrument) -> Iterator[str]:
    yield from (item.sensitivity for item in instrument.items)


def _codes(instrument: Instrument) -> Iterator[str | None]:
    yield instrument.panel
    for item in instrument.items:
        yield item.code
        yield item.answer_list if item.answer_list.startswith("LL") else None
        yield from (answer.code for answer in item.answers)
    for score in instrument.scores:
        yield score.code
        yield from (band.loinc_answer for band in score.bands)
        yield from (category.code for category in score.categories)


def _code_problems(instrument: Instrument) -> Iterator[str]:
    for code in dict.fromkeys(_codes(instrument)):
        if code is not None and not has_valid_check_digit(code):
            yield f"{code} has a wrong check digit"


def _item_problems(instrument: Instrument) -> Iterator[str]:
    link_ids = [item.link_id for item in instrument.items]
    if not link_ids:
        yield "it has no items"
    if len({*link_ids, instrument.total_link_id}) != len(link_ids) + 1:
        yield "linkIds are not unique"
    codes = [item.code for item in instrument.items if item.code is not None]
    if len(set(codes)) != len(codes):
        yield "two items have one code"
    if [item.number for item in instrument.items] != list(range(1, len(link_ids) + 1)):
        yield "items are not numbered from 1 in order"
    for item in instrument.items:
        yield from _answer_problems(item)


def _answer_problems(item: Item) -> Iterator[str]:
    if not _LINK_ID.fullmatch(item.link_id) or len(item.link_id) > LONGEST_LINK_ID:
        yield f"linkId {item.link_id} must begin with / and have no spaces"
    if len(set(item.values)) != len(item.values):
        yield f"{item.link_id} has two answers with one value"
    codes = [answer.code for answer in item.answers if answer.code is not None]
    if len(set(codes)) != len(codes):
        yield f"{item.link_id} has two answers with one code"
    if item.scored and not item.scores:
        yield f"{item.link_id} is part of a score and has no answer that counts"


def _condition_problems(instrument: Instrument) -> Iterator[str]:
    before: dict[str, Item] = {}
    for item in instrument.items:
        for each in (*item.enable_when, *item.skip_when):
            governing = before.get(each.about)
            if governing is None:
                yield f"{item.link_id} depends on {each.about}, which is no item before it"
            elif each in item.enable_when and each.operator not in CODED:
                yield f"{item.link_id}: what is asked can depend on = and != alone"
            elif each.value not in governing.values:
                yield f"{item.link_id} depends on an answer that {each.about} does not have"
        before[item.link_id] = item


def _reference_problems(instrument: Instrument) -> Iterator[str]:
    for rule in instrument.safety:
        item = instrument.by_link_id.get(rule.link_id)
        if item is None:
            yield f"safety rule for unknown item {rule.link_id}"
        elif rule.minimum_score not in item.scores:
            yield f"safety rule for {rule.link_id}: no answer counts {rule.minimum_score}"
        if rule.tier not in TIERS:
            yield f"safety rule for {rule.link_id}: its tier must be red, amber or watch"
    for code in instrument.other_link_ids.values():
        if instrument.item(code) is None and not instrument.is_total(code):
            yield f"other linkId for unknown item {code}"
