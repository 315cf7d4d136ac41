"""Checks a resource against the table: elements, cardinality, formats, codes, references, rules.

https://hl7.org/fhir/R4/validation.html
"""

import re
from dataclasses import dataclass, field
from typing import Any

from fhir_mappings.definitions.issue import Issue
from fhir_mappings.definitions.table import Element, NamedRule, Type, table

Node = dict[str, Any]

MOST_ISSUES = 50
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_REFERENCE = re.compile(
    r"(?:https?://\S+/)?([A-Z][A-Za-z]+)/[A-Za-z0-9\-.]{1,64}(?:/_history/[A-Za-z0-9\-.]{1,64})?"
)
# What an exception of these means inside a rule was reported already, as a wrong type.
_MALFORMED = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


@dataclass(slots=True)
class Walk:
    """A walk through one resource; `root` is what contained references are resolved in.

    `size` counts what is in arrays, and in resources that the table does not know.
    """

    root: Node
    issues: list[Issue] = field(default_factory=list)
    contained: dict[str, object] = field(init=False)
    size: int = 0

    def __post_init__(self) -> None:
        found = self.root.get("contained")
        self.contained = {
            str(each.get("id")): each.get("resourceType")
            for each in (found if isinstance(found, list) else ())
            if isinstance(each, dict)
        }

    @property
    def is_full(self) -> bool:
        return len(self.issues) >= MOST_ISSUES

    def add(self, code: str, expression: str, diagnostics: str) -> None:
        if not self.is_full:
            self.issues.append(Issue("error", code, expression, diagnostics))


def check_resource(walk: Walk, value: object, path: str) -> None:
    """Check a resource, whether outermost, contained or an entry of a Bundle."""
    name = value.get("resourceType") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(name, str) or not _is_type(name):
        walk.add("structure", path, "resourceType must name a resource type of R4")
        return
    kind = table().types.get(name)
    if kind is not None:
        _check_object(walk, value, kind, path)
    else:
        walk.size += _nodes(value)


def _nodes(value: object) -> int:
    count, rest = 0, [value]
    while rest:
        node = rest.pop()
        children = node.values() if isinstance(node, dict) else node
        if isinstance(node, dict | list):
            count += 1
            rest.extend(children)  # type: ignore[arg-type]  # of a dict or a list
    return count


def _check_object(walk: Walk, value: Node, kind: Type, path: str) -> None:
    if not value or (value.keys() == {"id"} and kind is not table().types["Element"]):
        walk.add("invariant", path, "ele-1: An element must have a value or children")
        return
    elements = kind.elements
    for key, found in value.items():
        element = elements.get(key)
        if element is None:
            _unknown(walk, key, path)
        elif element.many:
            _check_list(walk, value, key, element, f"{path}.{element.name}")
        else:
            _check_one(walk, found, element, f"{path}.{element.name}")
    for name, keys in kind.required:
        if keys.isdisjoint(value):
            walk.add("required", f"{path}.{name}", "The element is required")
    for name, keys in kind.choices:
        _check_choice(walk, value, keys, f"{path}.{name}")
    _check_rules(walk, value, kind.rules, path)


def _unknown(walk: Walk, key: str, path: str) -> None:
    place = f"{path}.{key}" if _NAME.fullmatch(key) else path
    walk.add("structure", place, "R4 has no such element here")


def _check_choice(walk: Walk, value: Node, keys: frozenset[str], path: str) -> None:
    names = {key.removeprefix("_") for key in keys.intersection(value)}
    if len(names) > 1:
        walk.add("structure", path, "Only one type of a choice element may be given")


def _check_list(walk: Walk, parent: Node, key: str, element: Element, path: str) -> None:
    found = parent[key]
    if not isinstance(found, list):
        walk.add("structure", path, "The element must be an array")
        return
    if not found:
        walk.add("structure", path, "An array must not be empty")
    walk.size += len(found)
    for index, item in enumerate(found):
        if walk.issues and walk.is_full:
            return
        if item is not None or not _has_twin(parent, key, index):
            _check_one(walk, item, element, f"{path}[{index}]")


def _has_twin(parent: Node, key: str, index: int) -> bool:
    """Tell whether a null stands for a value whose other half is there."""
    twin = parent.get(key[1:] if key.startswith("_") else f"_{key}")
    return isinstance(twin, list) and index < len(twin) and twin[index] is not None


def _check_one(walk: Walk, value: object, element: Element, path: str) -> None:
    if element.check is not None:
        _check_primitive(walk, value, element, path)
    elif element.type == "Resource":
        _check_nested(walk, value, element, path)
    elif isinstance(value, dict):
        _check_complex(walk, value, element, path)
    else:
        walk.add("structure", path, "The element must be an object, and not null")


def _check_primitive(walk: Walk, value: object, element: Element, path: str) -> None:
    if value is None:
        walk.add("structure", path, "The element must not be null")
    elif not element.check or not element.check(value):
        walk.add("value", path, f"The value is not a valid {element.type}")
    elif element.codes is not None and value not in element.codes:
        walk.add("code-invalid", path, f"The code must be one of: {_listed(element.codes)}")
    elif element.rules:
        _check_rules(walk, value, element.rules, path)


def _listed(names: frozenset[str]) -> str:
    most = 20
    first = sorted(names)[:most]
    return ", ".join(first) + (", ..." if len(names) > most else "")


def _check_nested(walk: Walk, value: object, element: Element, path: str) -> None:
    # A contained resource refers to its container's others; an entry of a Bundle to its own.
    if element.name == "contained" or not isinstance(value, dict):
        check_resource(walk, value, path)
        return
    inner = Walk(value, walk.issues)
    check_resource(inner, value, path)
    walk.size += inner.size


def _check_complex(walk: Walk, value: Node, element: Element, path: str) -> None:
    _check_object(walk, value, table().types[element.type], path)
    if element.type == "Reference":
        _check_reference(walk, value, element.targets, path)
    if element.codings is not None:
        _check_codings(walk, value, element, path)
    if element.rules:
        _check_rules(walk, value, element.rules, path)


def _check_codings(walk: Walk, value: Node, element: Element, path: str) -> None:
    found = [value] if element.type == "Coding" else value.get("coding")
    allowed = element.codings or frozenset()
    if not isinstance(found, list) or not found:
        return
    if not any(_pair(coding) in allowed for coding in found):
        names = _listed(frozenset(code for _, code in allowed))
        walk.add("code-invalid", path, f"A coding must be one of: {names}")


def _pair(coding: object) -> tuple[str, str] | None:
    if not isinstance(coding, dict):
        return None
    system, code = coding.get("system"), coding.get("code")
    return (system, code) if isinstance(system, str) and isinstance(code, str) else None


def _check_reference(walk: Walk, value: Node, targets: frozenset[str] | None, path: str) -> None:
    literal = value.get("reference")
    if isinstance(literal, str):
        _check_literal(walk, literal, targets, f"{path}.reference")
    elif not value.keys() & {"reference", "_reference", "identifier", "display", "extension"}:
        walk.add("invariant", path, "A reference must have a reference, identifier or display")
    if targets is not None and not _is_target(value.get("type"), targets):
        walk.add("value", f"{path}.type", f"Must refer to one of: {_listed(targets)}")


def _check_literal(walk: Walk, literal: str, targets: frozenset[str] | None, path: str) -> None:
    if literal.startswith("#"):
        is_container = literal == "#"
        name = walk.root.get("resourceType") if is_container else walk.contained.get(literal[1:])
        if name is None:
            walk.add("invariant", path, "ref-1: A local reference must have a contained resource")
    else:
        found = _REFERENCE.fullmatch(literal)
        name = found[1] if found else None
    if targets is not None and not _is_target(name, targets):
        walk.add("value", path, f"Must refer to one of: {_listed(targets)}")


def _is_target(name: object, targets: frozenset[str]) -> bool:
    return not isinstance(name, str) or name in targets or not _is_type(name)


def _is_type(name: str) -> bool:
    return name in table().resource_types


def _check_rules(walk: Walk, value: object, rules: tuple[NamedRule, ...], path: str) -> None:
    for key, human, holds in rules:
        try:
            kept = holds(value)
        except _MALFORMED:
            continue
        if not kept:
            walk.add("invariant", path, f"{key}: {human}")
