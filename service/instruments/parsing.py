"""How a definition's data file is read; a missing or unknown key is an error here, at load.

`service/instruments/phq-9.json` is a simple example, `promis-global-10.json` one that has it all.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from service.instruments.change import Caseness, ChangeKind, ChangeRule, Measure, Threshold
from service.instruments.definitions import (
    AgeRange,
    Instrument,
    Licence,
    ObservationCategory,
    SafetyRule,
    Verification,
)
from service.instruments.items import Answer, Condition, Item, Operator
from service.instruments.score_rules import (
    Band,
    Category,
    Direction,
    MissingKind,
    MissingRule,
    ScoreKind,
    ScoreRule,
)

PSYCHIATRY = "PSY"
Row = Mapping[str, Any]


def read(text: str) -> Instrument:
    """Build an instrument from the text of its file."""
    return parse(json.loads(text, parse_float=Decimal))


def parse(data: Row) -> Instrument:
    rest = dict(data)
    sensitivity = rest.pop("sensitivity", PSYCHIATRY)
    scores = tuple(_score(row) for row in rest.pop("scores"))
    scored = {link_id for score in scores for link_id in _counted(score)}
    lists = {name: _answers(rows) for name, rows in rest.pop("answer_lists").items()}
    return Instrument(
        items=tuple(_item(row, lists, scored, sensitivity) for row in rest.pop("items")),
        scores=scores,
        sensitivity=sensitivity,
        ages=_optional(AgeRange, rest.pop("ages")),
        languages=tuple(rest.pop("languages")),
        safety=tuple(SafetyRule(**row) for row in rest.pop("safety")),
        change=tuple(_change(row) for row in rest.pop("change")),
        caseness=tuple(Caseness(**row) for row in rest.pop("caseness")),
        licence=Licence(**rest.pop("licence")),
        us_core_category=_optional(ObservationCategory, rest.pop("us_core_category")),
        other_canonicals=tuple(rest.pop("other_canonicals")),
        accepted_canonicals=tuple(rest.pop("accepted_canonicals", ())),
        other_link_ids=MappingProxyType(dict(rest.pop("other_link_ids"))),
        other_answers=MappingProxyType(dict(rest.pop("other_answers", {}))),
        verification=Verification(**rest.pop("verification")),
        gaps=tuple(rest.pop("gaps")),
        sources=tuple(rest.pop("sources")),
        **rest,
    )


def _optional(kind: Any, row: Row | None) -> Any:  # noqa: ANN401 - one of our dataclasses
    return None if row is None else kind(**row)


def _answers(rows: Iterable[Row]) -> tuple[Answer, ...]:
    return tuple(Answer(**{"value": row["score"], **row}) for row in rows)


def _item(row: Row, lists: Mapping[str, tuple[Answer, ...]], scored: set[str], own: str) -> Item:
    rest = {"label": f"Item {row['number']}", "sensitivity": own, **row}
    answers = lists[row["answer_list"]]
    return Item(
        answers=_reversed(answers) if row.get("reverse") else answers,
        scored=row["link_id"] in scored,
        enable_when=_conditions(rest.pop("enable_when", ())),
        skip_when=_conditions(rest.pop("skip_when", ())),
        **rest,
    )


def _reversed(answers: tuple[Answer, ...]) -> tuple[Answer, ...]:
    """The only place where an item is reversed: scoring adds what the answers then say."""
    scores = [each.score for each in answers if each.score is not None]
    ends = min(scores) + max(scores)
    return tuple(
        each if each.score is None else replace(each, score=ends - each.score) for each in answers
    )


def _conditions(rows: Iterable[Row]) -> tuple[Condition, ...]:
    return tuple(Condition(**{**row, "operator": Operator(row["operator"])}) for row in rows)


def _score(row: Row) -> ScoreRule:
    rest = dict(row)
    minimum, maximum = rest.pop("range")
    direction = rest.pop("direction")
    missing = rest.pop("missing_rule")
    return ScoreRule(
        kind=ScoreKind(rest.pop("kind")),
        link_ids=tuple(rest.pop("link_ids", ())),
        minimum=minimum,
        maximum=maximum,
        missing=MissingRule(**{**missing, "kind": MissingKind(missing["kind"])}),
        direction=None if direction is None else Direction(direction),
        bands=tuple(Band(**band) for band in rest.pop("bands", ())),
        table=MappingProxyType({int(k): Decimal(v) for k, v in rest.pop("table", {}).items()}),
        categories=tuple(_category(each) for each in rest.pop("categories", ())),
        **rest,
    )


def _category(row: Row) -> Category:
    return Category(**{**row, "when": tuple(_conditions(each) for each in row["when"])})


def _counted(score: ScoreRule) -> Iterable[str]:
    """Yield the linkIds that a score is made of."""
    yield from score.link_ids
    for category in score.categories:
        for conditions in category.when:
            yield from (each.about for each in conditions if each.about.startswith("/"))


def _change(row: Row) -> ChangeRule:
    thresholds = tuple(
        Threshold(measure=Measure(each["measure"]), value=Decimal(each["value"]))
        for each in row["thresholds"]
    )
    return ChangeRule(**{**row, "kind": ChangeKind(row["kind"]), "thresholds": thresholds})
