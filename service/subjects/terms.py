"""What a consent says, in plain words: kinds of fact, purposes, marks, exceptions, evidence."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from service.models.evidence import EvidenceKind
from service.models.provisions import Category, Label
from service.models.purposes import Purpose

NOTHING = ""
PART_2 = "42 CFR Part 2"


def _named(kind: type[StrEnum], none: str) -> Callable[[Iterable[str]], str]:
    def told(codes: Iterable[str]) -> str:
        return ", ".join(_name(kind(each)) for each in codes) or none

    return told


def _name(code: StrEnum) -> str:
    return PART_2 if code is Label.PART_2 else code.name.lower().replace("_", " ")


def _moment(value: str | datetime) -> str:
    """Return a moment; in JSON it is a text."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    at = moment.astimezone(UTC)
    return f"{at.day} {at:%B %Y, %H:%M} UTC"


def _evidence(kept: Mapping[str, Any]) -> str:
    rest = [f"{name.replace('_', ' ')}: {value}" for name, value in kept.items() if name != "kind"]
    return "\n".join([EvidenceKind(kept["kind"]).value.replace("-", " "), *rest])


def _exceptions(provisions: Iterable[Mapping[str, Any]], depth: int = 0) -> str:
    """Return a line for each exception; what is an exception to one stands below it, indented."""
    lines = []
    for rule in provisions:
        lines += [_line(rule, depth), _exceptions(rule.get("provisions", ()), depth + 1)]
    return "\n".join(filter(None, lines))


def _line(rule: Mapping[str, Any], depth: int) -> str:
    parts = [str(rule["decision"])]
    parts += [f"{word} {WORDS[name](rule[name])}" for name, word in PARTS.items() if name in rule]
    parts += [sentence for name, sentence in SAID.items() if rule.get(name)]
    return "  " * depth + "; ".join(parts)


PARTS = {
    "categories": "of",
    "purposes": "for",
    "labels": "only what is marked",
    "start": "from",
    "end": "until",
}
SAID = {"covers_part2": f"covers {PART_2}", "shows_group_name": "shows which group"}
WORDS: dict[str, Callable[[Any], str]] = {
    "categories": _named(Category, "everything"),
    "purposes": _named(Purpose, "every purpose"),
    "labels": _named(Label, NOTHING),
    "start": _moment,
    "end": _moment,
    "settled_at": _moment,
    "provisions": _exceptions,
    "evidence": _evidence,
}
