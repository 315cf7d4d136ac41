"""Questions and what can be answered.

A number that is stored or sent for an answer is its `value`, as printed on the form; what it
counts is its `score`, in which a reversed item is already reversed (once, when the file is read).

https://hl7.org/fhir/R4/questionnaire.html
"""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One thing that can be chosen; without a `code` none was found, without words none may ship.

    `score` is null where the answer counts nothing, as "not applicable" does.
    """

    code: str | None
    display: str | None
    value: int
    score: int | None


class Operator(StrEnum):
    EQUALS = "="
    DIFFERS = "!="
    AT_LEAST = ">="
    BELOW = "<"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """An answer's value (`about` is a linkId) or a score (its id) compared with a number."""

    about: str
    operator: Operator
    value: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A question. `text` is null where its words may not ship, or no verified copy was found.

    `enable_when`: asked only where every condition holds. `skip_when`: may be left out where every
    condition holds, and then counts 0. `scored`: part of a score. `sensitivity` is the code of
    http://terminology.hl7.org/CodeSystem/v3-ActCode that its answer is labelled with.
    """

    number: int
    link_id: str
    code: str | None
    text: str | None
    label: str
    answer_list: str
    answers: tuple[Answer, ...]
    scored: bool
    sensitivity: str
    reverse: bool = False
    required: bool = False
    enable_when: tuple[Condition, ...] = ()
    skip_when: tuple[Condition, ...] = ()

    @property
    def optional(self) -> bool:
        return not self.scored

    @property
    def values(self) -> tuple[int, ...]:
        return tuple(answer.value for answer in self.answers)

    @property
    def scores(self) -> tuple[int, ...]:
        """What its answers count, without those that count nothing."""
        return tuple(answer.score for answer in self.answers if answer.score is not None)

    def answer(self, code: str) -> Answer | None:
        """The same LA code scores differently in other lists, so look it up here only."""
        return next((answer for answer in self.answers if answer.code == code), None)

    def chosen(self, value: int) -> Answer | None:
        return next((answer for answer in self.answers if answer.value == value), None)
