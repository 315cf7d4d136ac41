"""Elements of a resource by name and path, and values by pattern, as profiles speak of them.

https://hl7.org/fhir/R4/elementdefinition.html#ElementDefinition.pattern_x_
"""

from dataclasses import dataclass
from typing import Any

from fhir_mappings.definitions.primitives import CHECKS

Node = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """A value and its place; `type` is told by the JSON key of a choice, else ''."""

    value: Any
    path: str
    type: str = ""


def members(found: Found, name: str, *, is_choice: bool = False) -> list[Found]:
    """Return the element's values; one given by its extensions alone counts, as an object."""
    node: Node = found.value
    path = f"{found.path}.{name}"
    if not is_choice:
        return _listed(node.get(name), node.get(f"_{name}"), path, "")
    for key in node:
        kind = key.removeprefix("_").removeprefix(name)
        if kind[:1].isupper() and key.endswith(name + kind):
            plain = key.removeprefix("_")
            return _listed(node.get(plain), node.get(f"_{plain}"), path, _type(kind))
    return []


def _type(suffix: str) -> str:
    """Give dateTime for valueDateTime, and Quantity for valueQuantity."""
    small = suffix[:1].lower() + suffix[1:]
    return small if small in CHECKS else suffix


def _listed(value: object, twin: object, path: str, kind: str) -> list[Found]:
    if isinstance(value, list) or isinstance(twin, list):
        values = value if isinstance(value, list) else []
        twins = twin if isinstance(twin, list) else []
        both = [
            values[i] if i < len(values) and values[i] is not None else twins[i]
            for i in range(max(len(values), len(twins)))
            if i < len(twins) or values[i] is not None
        ]
        return [Found(each, f"{path}[{i}]", kind) for i, each in enumerate(both)]
    one = twin if value is None else value
    return [] if one is None else [Found(one, path, kind)]


def chosen(found: Found, path: str) -> list[Found]:
    """Return the values at a dotted path below, each step a plain element or a choice."""
    places = [found]
    for step in path.split(".") if path else ():
        nodes = [place for place in places if isinstance(place.value, dict)]
        places = [
            each
            for node in nodes
            for each in members(node, step) or members(node, step, is_choice=True)
        ]
    return places


def matches(value: object, asked: object, *, is_whole: bool) -> bool:
    """Tell whether a value has everything that a pattern has, or is just what is fixed."""
    if isinstance(asked, dict):
        return (
            isinstance(value, dict)
            and (not is_whole or value.keys() == asked.keys())
            and all(
                key in value and matches(value[key], asked[key], is_whole=is_whole) for key in asked
            )
        )
    if isinstance(asked, list):
        return (
            isinstance(value, list)
            and (not is_whole or len(value) == len(asked))
            and all(any(matches(one, each, is_whole=is_whole) for one in value) for each in asked)
        )
    return type(value) is type(asked) and value == asked
