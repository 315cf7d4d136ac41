"""What invariants are made of: elements that are there, exclude or need one another.

https://hl7.org/fhir/R4/conformance-rules.html#constraints
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

Node = dict[str, Any]
Rule = Callable[[Any], bool]

_TIMED = 11


def has(node: Node, *names: str) -> bool:
    """Tell whether one of the elements is there, if only by its extensions."""
    return any(name in node or f"_{name}" in node for name in names)


def choice(node: Node, name: str) -> bool:
    """Tell whether some type of a choice element such as value[x] is there."""
    at = len(name)
    return any(
        key.startswith(name) and key[at : at + 1].isupper()
        for key in (k.removeprefix("_") for k in node)
    )


def distinct(values: list[Any]) -> bool:
    return len(values) == len(set(values))


def present(values: Iterator[Any]) -> list[Any]:
    return [value for value in values if value is not None]


def either(*names: str) -> Rule:
    return lambda node: has(node, *names)


def unless(name: str, value: str, *forbidden: str) -> Rule:
    """An element with this code has none of the others."""
    return lambda node: node.get(name) != value or not has(node, *forbidden)


def needs(name: str, *needed: str) -> Rule:
    """Where the element is, one of the others is too."""
    return lambda node: not has(node, name) or has(node, *needed)


def not_both(one: str, other: str) -> Rule:
    return lambda node: not (has(node, one) and has(node, other))


def in_order(start: object, end: object) -> bool:
    """Tell whether two times are not the wrong way round, as far as both are precise."""
    if not (isinstance(start, str) and isinstance(end, str)):
        return True
    if len(start) < _TIMED or len(end) < _TIMED:
        shorter = min(len(start), len(end), _TIMED - 1)
        return start[:shorter] <= end[:shorter]
    return datetime.fromisoformat(start) <= datetime.fromisoformat(end)
