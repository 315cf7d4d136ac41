"""What a questionnaire definition holds, and how its data file is read.

https://hl7.org/fhir/R4/questionnaire.html
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    code: str
    display: str
    score: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    number: int
    link_id: str
    code: str
    text: str
    answer_list: str
    answers: tuple[Answer, ...]
    scored: bool
    sensitivity: str | None = None  # a code of v3-ActCode; the instrument's where there is none

    @property
    def optional(self) -> bool:
        return not self.scored

    @property
    def scores(self) -> tuple[int, ...]:
        return tuple(answer.score for answer in self.answers)

    def answer(self, code: str) -> Answer | None:
        """The same LA code scores differently in other lists, so look it up here only."""
        return next((answer for answer in self.answers if answer.code == code), None)

    def answer_scoring(self, score: int) -> Answer | None:
        return next((answer for answer in self.answers if answer.score == score), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    minimum: int
    maximum: int
    label: str
    loinc_answer: str | None

    def __contains__(self, total: int) -> bool:
        return self.minimum <= total <= self.maximum


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyRule:
    link_id: str
    minimum_score: int
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Licence:
    statement: str
    attribution: str
    loinc_notice: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    system: str
    code: str
    display: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    id: str
    version: str
    url: str
    name: str
    panel: str
    panel_display: str
    total: str
    total_display: str
    minimum: int
    maximum: int
    recall: str
    stem: str
    items: tuple[Item, ...]
    maximum_missing: int
    bands: tuple[Band, ...]
    safety: tuple[SafetyRule, ...]
    licence: Licence
    us_core_category: Category | None
    other_canonicals: tuple[str, ...]
    other_link_ids: Mapping[str, str] = field(hash=False)
    sensitivity: str = "PSY"  # ETH: substance use, which carries the notice of 42 CFR Part 2
    confidentiality: str = "R"  # V: every answer is about safety, as of the C-SSRS

    @property
    def canonical(self) -> str:
        return f"{self.url}|{self.version}"

    @property
    def total_link_id(self) -> str:
        return f"/{self.total}"

    @property
    def scored_items(self) -> tuple[Item, ...]:
        return tuple(item for item in self.items if item.scored)

    def item(self, key: str) -> Item | None:
        """The item with this linkId, else with this LOINC code, else LOINC's linkId for it."""
        by_link_id = {item.link_id: item for item in self.items}
        by_code = {item.code: item for item in self.items}
        return by_link_id.get(key) or by_code.get(self.other_link_ids.get(key, key))

    def is_total(self, key: str) -> bool:
        """Published forms carry the total as an item; a sender's total is not an answer."""
        return key == self.total_link_id or self.other_link_ids.get(key, key) == self.total

    def band(self, total: int) -> Band | None:
        return next((band for band in self.bands if total in band), None)


def parse(data: Mapping[str, Any]) -> Instrument:
    """Build an instrument from its file; a missing or unknown key is an error here, at load."""
    rest = dict(data)
    del rest["sources"]
    lists = {name: _answers(rows) for name, rows in rest.pop("answer_lists").items()}
    category = rest.pop("us_core_category")
    minimum, maximum = rest.pop("range")
    return Instrument(
        minimum=minimum,
        maximum=maximum,
        items=tuple(Item(**row, answers=lists[row["answer_list"]]) for row in rest.pop("items")),
        maximum_missing=_maximum_missing(rest.pop("missing_rule")),
        bands=tuple(Band(**row) for row in rest.pop("bands")),
        safety=tuple(SafetyRule(**row) for row in rest.pop("safety")),
        licence=Licence(**rest.pop("licence")),
        us_core_category=Category(**category) if category else None,
        other_canonicals=tuple(rest.pop("other_canonicals")),
        other_link_ids=MappingProxyType(rest.pop("other_link_ids")),
        **rest,
    )


def _answers(rows: list[Mapping[str, Any]]) -> tuple[Answer, ...]:
    return tuple(Answer(**row) for row in rows)


def _maximum_missing(rule: Mapping[str, Any]) -> int:
    if rule["maximum_missing"] != 0:
        raise ValueError("missing_rule.maximum_missing: only 0 (complete answers) can be scored")
    return 0
