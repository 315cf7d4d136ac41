"""r4.json, compiled to what the walk looks up: per type, each JSON key's element.

https://hl7.org/fhir/R4/structuredefinition.html
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from fhir_mappings.definitions.invariants import RULES
from fhir_mappings.definitions.predicates import Rule
from fhir_mappings.definitions.primitives import CHECKS, Check

NamedRule = tuple[str, str, Rule]


@dataclass(slots=True)
class Element:
    """One JSON key of a type; `name` is the FHIRPath name, so `value` for valueCoding."""

    name: str
    type: str
    many: bool
    check: Check | None = None
    codes: frozenset[str] | None = None
    codings: frozenset[tuple[str, str]] | None = None
    targets: frozenset[str] | None = None
    rules: tuple[NamedRule, ...] = ()


@dataclass(slots=True)
class Type:
    elements: dict[str, Element] = field(default_factory=dict)
    required: list[tuple[str, frozenset[str]]] = field(default_factory=list)
    choices: list[tuple[str, frozenset[str]]] = field(default_factory=list)
    rules: tuple[NamedRule, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    types: dict[str, Type]
    resources: frozenset[str]
    resource_types: frozenset[str]


@cache
def table() -> Table:
    raw = json.loads(Path(__file__).with_name("r4.json").read_text())
    types = {name: _type(raw, found) for name, found in raw["types"].items()}
    for name in raw["resources"]:
        types[name].elements["resourceType"] = Element(
            "resourceType", "code", many=False, check=CHECKS["code"]
        )
    return Table(
        types=types,
        resources=frozenset(raw["resources"]),
        resource_types=frozenset(raw["resourceTypes"]),
    )


def _type(raw: dict[str, Any], found: dict[str, Any]) -> Type:
    made = Type(rules=_rules(raw, found))
    for name, entry in found["elements"].items():
        _add(made, name, list(_elements(raw, name, entry)), required="min" in entry)
    return made


def _add(made: Type, name: str, found: list[tuple[str, Element]], *, required: bool) -> None:
    keys = frozenset(key for key, _ in found)
    made.elements.update(found)
    if required:
        made.required.append((name.removesuffix("[x]"), keys))
    if name.endswith("[x]"):
        made.choices.append((name.removesuffix("[x]"), keys))


def _elements(
    raw: dict[str, Any], name: str, entry: dict[str, Any]
) -> Iterator[tuple[str, Element]]:
    base = name.removesuffix("[x]")
    for kind in entry["types"]:
        key = base if base == name else base + kind[0].upper() + kind[1:]
        yield key, _element(raw, base, kind, entry)
        if kind in CHECKS:
            yield f"_{key}", Element(base, "Element", many="many" in entry)


def _element(raw: dict[str, Any], name: str, kind: str, entry: dict[str, Any]) -> Element:
    systems = raw["valueSets"].get(entry.get("binding"), {})
    is_concept = bool(systems) and kind in {"Coding", "CodeableConcept"}
    return Element(
        name,
        kind,
        many="many" in entry,
        check=CHECKS.get(kind),
        codes=frozenset().union(*systems.values()) if systems and kind == "code" else None,
        codings=frozenset(_pairs(systems)) if is_concept else None,
        targets=frozenset(entry["targets"]) if "targets" in entry else None,
        rules=_own_rules(raw, kind, entry),
    )


def _pairs(systems: dict[str, list[str]]) -> Iterator[tuple[str, str]]:
    return ((system, code) for system, codes in systems.items() for code in codes)


def _own_rules(raw: dict[str, Any], kind: str, entry: dict[str, Any]) -> tuple[NamedRule, ...]:
    """Rules of the element alone; its type's are run with the type."""
    shared = set(raw["types"].get(kind, {}).get("rules", ()))
    return tuple(rule for rule in _rules(raw, entry) if rule[0] not in shared)


def _rules(raw: dict[str, Any], found: dict[str, Any]) -> tuple[NamedRule, ...]:
    return tuple(
        (key.partition("@")[0], raw["rules"][key], RULES[key])
        for key in found.get("rules", ())
        if key in RULES
    )
