"""A version of a questionnaire as its data file defines it: nothing computed but look-ups.

Its items are in `items`, how they are scored in `score_rules`, what a change means in `change`.

https://hl7.org/fhir/R4/questionnaire.html
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from service.instruments.change import Caseness, ChangeRule
from service.instruments.items import Item
from service.instruments.score_rules import Band, Number, ScoreRule

TOTAL = "total"


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyRule:
    """An answer that counts `minimum_score` or more raises an alert, whatever else is answered.

    `tier` is red, amber or watch where a source gives one.
    """

    link_id: str
    minimum_score: int
    note: str
    tier: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Licence:
    """Whose the questionnaire is; `text_may_ship` is true only where a source allows it."""

    statement: str
    attribution: str
    loinc_notice: str | None
    source: str
    text_may_ship: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservationCategory:
    """What a source puts beside `survey` in Observation.category."""

    system: str
    code: str
    display: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """Whether panel, score, every item and every answer code were found in a source."""

    verified: bool
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeRange:
    minimum: int
    maximum: int | None
    source: str


@dataclass(frozen=True, kw_only=True)
class Instrument:
    """A version of a questionnaire. The first of `scores` is the one called the total.

    `change` are the named rules of what a difference between two responses means, each about one
    score; `caseness` the cut-offs for being a case. `gaps` is what is missing, in sentences.

    `other_canonicals`: forms that ours is derived from. `accepted_canonicals`: forms of others
    whose responses are taken as answers to this; `other_link_ids` has the codes of the linkIds of
    all these, `other_answers` the values of their codes, as `system|code`, by answer list.
    """

    id: str
    version: str
    url: str
    name: str
    panel: str | None
    panel_display: str | None
    recall: str
    stem: str | None
    ages: AgeRange | None
    languages: tuple[str, ...]
    sensitivity: str
    items: tuple[Item, ...]
    scores: tuple[ScoreRule, ...]
    safety: tuple[SafetyRule, ...]
    change: tuple[ChangeRule, ...]
    caseness: tuple[Caseness, ...]
    licence: Licence
    us_core_category: ObservationCategory | None
    other_canonicals: tuple[str, ...]
    accepted_canonicals: tuple[str, ...]
    other_link_ids: Mapping[str, str] = field(hash=False)
    other_answers: Mapping[str, Mapping[str, int]] = field(hash=False)
    verification: Verification
    gaps: tuple[str, ...]
    sources: tuple[str, ...]
    confidentiality: str = "R"  # V: every answer is about safety, as of the C-SSRS

    @property
    def canonical(self) -> str:
        return f"{self.url}|{self.version}"

    @property
    def primary(self) -> ScoreRule:
        return self.scores[0]

    @property
    def total(self) -> str | None:
        """LOINC's code of the total, where it has one."""
        return self.primary.code

    @property
    def total_display(self) -> str:
        return self.primary.display

    @property
    def minimum(self) -> Number:
        return self.primary.minimum

    @property
    def maximum(self) -> Number:
        return self.primary.maximum

    @property
    def bands(self) -> tuple[Band, ...]:
        return self.primary.bands

    @property
    def total_link_id(self) -> str:
        return f"/{self.total or TOTAL}"

    @property
    def scored_items(self) -> tuple[Item, ...]:
        return tuple(item for item in self.items if item.scored)

    @property
    def reported_scores(self) -> tuple[ScoreRule, ...]:
        return tuple(each for each in self.scores if each.reported)

    @property
    def text_ships(self) -> bool:
        """Tell whether every item has its words, so that it can be filled in here."""
        return all(item.text for item in self.items)

    @cached_property
    def by_link_id(self) -> Mapping[str, Item]:
        return {item.link_id: item for item in self.items}

    @cached_property
    def counted(self) -> Mapping[str, Mapping[int, int | None]]:
        """What each answer counts, by linkId and value."""
        return {item.link_id: {a.value: a.score for a in item.answers} for item in self.items}

    @cached_property
    def by_code(self) -> Mapping[str, Item]:
        return {item.code: item for item in self.items if item.code is not None}

    @cached_property
    def by_score(self) -> Mapping[str, ScoreRule]:
        return {each.id: each for each in self.scores}

    def item(self, key: str) -> Item | None:
        """The item with this linkId, else with this LOINC code, else LOINC's linkId for it."""
        return self.by_link_id.get(key) or self.by_code.get(self.other_link_ids.get(key, key))

    def is_total(self, key: str) -> bool:
        """Published forms carry the total as an item; a sender's total is not an answer."""
        return self.other_link_ids.get(key, key).removeprefix("/") in self._totals

    @cached_property
    def _totals(self) -> frozenset[str]:
        return frozenset({TOTAL, *(each.code or each.id for each in self.scores)})

    def band(self, total: Number, sex: str | None = None) -> Band | None:
        return self.primary.band(total, sex)
