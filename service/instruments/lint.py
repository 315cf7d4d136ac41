"""Checks that a questionnaire definition agrees with itself; a test runs them on every file.

https://loinc.org/kb/users-guide/calculating-mod-10-check-digits/
"""

import re
from collections.abc import Iterable, Iterator

from service.instruments.definitions import Instrument

_CODE = re.compile(r"(LL|LA|)(\d+)-(\d)")


def has_valid_check_digit(code: str) -> bool:
    """Check a LOINC, LL or LA code.

    The rule for LL and LA is fitted to published codes: a consistency check, not proof.
    """
    match = _CODE.fullmatch(code)
    if match is None:
        return False
    prefix, number, digit = match.groups()
    return (_mod_10(number) + _prefix_constant(prefix, number)) % 10 == int(digit)


def problems(instruments: Iterable[Instrument]) -> list[str]:
    known = tuple(instruments)
    panels = {each.panel for each in known}
    found = [f"{each.id}: {problem}" for each in known for problem in _problems(each)]
    found += [f"{each.id}: total {each.total} is a panel" for each in known if each.total in panels]
    return found


SENSITIVITIES = {"PSY", "ETH", "SDV"}  # of the labelling table, https://hl7.org/fhir/R4/v3/ActCode


def _problems(instrument: Instrument) -> Iterator[str]:
    yield from _label_problems(instrument)
    yield from _code_problems(instrument)
    yield from _identity_problems(instrument)
    yield from _reference_problems(instrument)
    yield from _range_problems(instrument)
    yield from _band_problems(instrument)


def _label_problems(instrument: Instrument) -> Iterator[str]:
    said = {instrument.sensitivity, *(each.sensitivity for each in instrument.items)} - {None}
    if not said <= SENSITIVITIES or instrument.confidentiality not in {"R", "V"}:
        yield "its labels are not of the labelling table"


def _mod_10(number: str) -> int:
    total = 0
    for position, character in enumerate(reversed(number)):
        value = int(character) * (1 if position % 2 else 2)
        total += value // 10 + value % 10
    return -total % 10


def _prefix_constant(prefix: str, number: str) -> int:
    if prefix == "LA":
        return 2 if len(number) % 2 else 5
    return 1 if prefix == "LL" else 0


def _codes(instrument: Instrument) -> Iterator[str]:
    yield from (instrument.panel, instrument.total)
    for item in instrument.items:
        yield from (item.code, item.answer_list)
        yield from (answer.code for answer in item.answers)
    yield from (band.loinc_answer for band in instrument.bands if band.loinc_answer)


def _code_problems(instrument: Instrument) -> Iterator[str]:
    for code in dict.fromkeys(_codes(instrument)):
        if not has_valid_check_digit(code):
            yield f"{code} has a wrong check digit"


def _identity_problems(instrument: Instrument) -> Iterator[str]:
    link_ids = [item.link_id for item in instrument.items]
    if len({*link_ids, instrument.total_link_id}) != len(link_ids) + 1:
        yield "linkIds are not unique"
    if [item.number for item in instrument.items] != list(range(1, len(link_ids) + 1)):
        yield "items are not numbered from 1 in order"
    for item in instrument.items:
        if len(set(item.scores)) != len(item.scores):
            yield f"{item.link_id} has two answers with one score"


def _reference_problems(instrument: Instrument) -> Iterator[str]:
    link_ids = [item.link_id for item in instrument.items]
    for rule in instrument.safety:
        if rule.link_id not in link_ids:
            yield f"safety rule for unknown item {rule.link_id}"
    for code in instrument.other_link_ids.values():
        if instrument.item(code) is None and not instrument.is_total(code):
            yield f"other linkId for unknown item {code}"


def _reachable_totals(instrument: Instrument) -> set[int]:
    totals = {0}
    for item in instrument.scored_items:
        totals = {total + score for total in totals for score in item.scores}
    return totals


def _range_problems(instrument: Instrument) -> Iterator[str]:
    totals = _reachable_totals(instrument)
    if (min(totals), max(totals)) != (instrument.minimum, instrument.maximum):
        yield f"items sum to {min(totals)}-{max(totals)}, not to the stated range"


def _band_problems(instrument: Instrument) -> Iterator[str]:
    reachable = _reachable_totals(instrument)
    for band in instrument.bands:
        if not any(total in band for total in reachable):
            yield f"band {band.label} cannot be reached"
    for total in sorted(reachable):
        count = sum(total in band for band in instrument.bands)
        if count != 1:
            yield f"total {total} is in {count} bands"
