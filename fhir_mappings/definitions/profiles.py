"""Whether a resource is what a profile asks for.

Checked is what profiles.json holds: cardinalities, fixed values and patterns, required bindings to
codes that can be listed, types of references and of choices, slices told apart by values, patterns
and types, the extensions that a profile names, and the invariants of profile_rules.py. Not checked
are slices told apart by what a reference resolves to, by another profile or by an element's
presence; bindings to terminologies; order; and what a profile says in words, must-support included.

https://hl7.org/fhir/R4/profiling.html
"""

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from fhir_mappings.definitions.choosing import Found, chosen, matches, members
from fhir_mappings.definitions.issue import Issue
from fhir_mappings.definitions.profile_rules import PROFILE_RULES
from fhir_mappings.definitions.table import table

Node = dict[str, Any]
_MALFORMED = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


@cache
def _table() -> dict[str, Any]:
    raw: dict[str, Any] = json.loads(Path(__file__).with_name("profiles.json").read_text())
    return raw


@cache
def known_profiles() -> dict[str, str]:
    """Return each canonical that is known, with and without version, and its versioned form."""
    versioned = sorted(_table()["profiles"], key=lambda key: [*map(_number, key.split("."))])
    return {key.partition("|")[0]: key for key in versioned} | {key: key for key in versioned}


def _number(part: str) -> tuple[int, str]:
    return (int(part), "") if part.isdigit() else (0, part)


@dataclass(slots=True)
class Check:
    """One resource against one profile."""

    profile: str
    issues: list[Issue] = field(default_factory=list)

    def add(self, code: str, expression: str, rule: str) -> None:
        text = f"The profile {self.profile} asks for {rule}"
        self.issues.append(Issue("error", code, expression, text))


def check_profile(resource: Node, canonical: str) -> list[Issue]:
    """Return what breaks the profile; what breaks R4 as well is found elsewhere."""
    key = known_profiles().get(canonical)
    kind = resource.get("resourceType")
    kind = kind if isinstance(kind, str) and kind in table().resource_types else "Resource"
    if key is None:
        return [
            Issue("error", "not-found", f"{kind}.meta.profile", "The profile is not known here")
        ]
    tree = _table()["profiles"][key]
    check = Check(tree["name"])
    if tree["type"] != kind:
        check.add("invalid", kind, f"a resource of type {tree['type']}")
    else:
        _inside(check, tree, Found(resource, kind, kind))
    return list(dict.fromkeys(check.issues))


def _inside(check: Check, node: Node, found: Found) -> None:
    _rules(check, node, found)
    if isinstance(found.value, dict):
        for kid in node.get("kids", ()):
            _element(check, kid, members(found, kid["name"], is_choice="choice" in kid), found.path)


def _element(check: Check, node: Node, all_: list[Found], around: str) -> None:
    _count(check, node, all_, f"{around}.{node['name']}")
    for found in all_:
        _value(check, node, found)
        _inside(check, node, found)
    for each in node.get("slices", ()):
        _element(check, each, [f for f in all_ if _in_slice(each, f)], around)


def _count(check: Check, node: Node, all_: list[Found], path: str) -> None:
    what = f"of the slice {node['slice']}" if "slice" in node else "of the element"
    if len(all_) < node.get("min", 0):
        check.add("required", path, f"at least {node['min']} {what}")
    if len(all_) > node.get("max", len(all_)):
        check.add("structure", path, f"at most {node['max']} {what}")


def _in_slice(node: Node, found: Found) -> bool:
    return all(_holds(condition, found) for condition in node["match"])


def _holds(condition: list[Any], found: Found) -> bool:
    path, kind, asked = condition
    if kind == "type":
        return found.type in asked
    places = chosen(found, path)
    if kind == "codes":
        return any(_is_bound(place.value, asked) for place in places)
    return any(matches(place.value, asked, is_whole=kind == "fixed") for place in places)


def _value(check: Check, node: Node, found: Found) -> None:
    value, path = found.value, found.path
    if "fixed" in node and not matches(value, node["fixed"], is_whole=True):
        check.add("value", path, "its one fixed value")
    if "pattern" in node and not matches(value, node["pattern"], is_whole=False):
        check.add("value", path, "a value that has all of its pattern")
    if "types" in node and found.type and found.type not in node["types"]:
        check.add("structure", path, f"one of the types {', '.join(node['types'])}")
    if "targets" in node and not _may_refer(value, node["targets"]):
        check.add("value", path, f"a reference to one of {', '.join(node['targets'])}")
    if "codes" in node and _is_coded(value) and not _is_bound(value, node["codes"]):
        check.add("code-invalid", path, f"a code of {node['codes']}")
    if "extension" in node:
        tree = _table()["extensions"].get(node["extension"])
        _inside(check, tree or {}, found)


def _may_refer(value: object, targets: list[str]) -> bool:
    """Go by what the reference says; one that names no type may be of any."""
    reference = value.get("reference") if isinstance(value, dict) else None
    if not isinstance(reference, str) or "/" not in reference:
        return True
    parts = reference.partition("/_history/")[0].split("/")
    return parts[-2] in targets or not parts[-2][:1].isupper()


def _is_coded(value: object) -> bool:
    """A concept that is text only, or a value given by extension, has no code to look at."""
    return isinstance(value, str) or (
        isinstance(value, dict) and bool(value.keys() & {"code", "coding", "text"})
    )


def _is_bound(value: object, value_set: str) -> bool:
    systems: dict[str, list[str]] = _table()["valueSets"][value_set]
    if isinstance(value, str):
        return any(value in codes for codes in systems.values())
    if not isinstance(value, dict):
        return False
    codings = value["coding"] if isinstance(value.get("coding"), list) else [value]
    return any(
        isinstance(each, dict) and each.get("code") in systems.get(str(each.get("system")), ())
        for each in codings
    )


def _rules(check: Check, node: Node, found: Found) -> None:
    for key in node.get("rules", ()):
        try:
            kept = PROFILE_RULES[key](found.value)
        except _MALFORMED:
            continue
        if not kept:
            human = _table()["rules"][key]
            check.add("invariant", found.path, f"{key.partition('@')[0]}: {human}")
