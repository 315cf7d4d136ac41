"""The official expressions of search parameters, compiled once to walks through JSON.

They use a small part of FHIRPath: paths, `as`, `where` on a text or on a reference's type, and one
`exists()`. What is not of this kind is refused when the registry is built.
https://hl7.org/fhir/R4/fhirpath.html
"""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any

Values = Iterator[Any]
Step = Callable[[Any], Values]

_AS = re.compile(r"\((.+?) as (\w+)\)(.*)")
_STEP = re.compile(
    r"as\((?P<as>\w+)\)"
    r"|where\(resolve\(\) is (?P<resource>\w+)\)"
    r"|where\((?P<name>\w+)\s*=\s*'(?P<text>[^']*)'\)"
    r"|(?P<element>\w+)"
)
_DECEASED = re.compile(r"\w+\.deceased\.exists\(\) and \w+\.deceased != false")
_CHOICE = re.compile(
    r"Age|Boolean|CodeableConcept|Coding|Date|DateTime|Decimal|Duration|Identifier|Instant|Integer"
    r"|Period|Quantity|Range|Ratio|Reference|SampledData|String|Time|Timing|Uri|Attachment"
    r"|Canonical|Code|Markdown|Annotation|Expression"
)


class UnknownExpressionError(ValueError):
    """The expression uses more of FHIRPath than is compiled here."""


@lru_cache(maxsize=2048)
def compiled(expression: str) -> Callable[[dict[str, Any]], list[Any]]:
    """Return the function from a resource to the values that the expression selects.

    Raises:
        UnknownExpressionError: it uses what is not compiled here.
    """
    walks = tuple(_walk(part.strip()) for part in _alternatives(expression))

    def select(resource: dict[str, Any]) -> list[Any]:
        return [value for walk in walks for value in _walked(resource, walk)]

    return select


def _alternatives(expression: str) -> list[str]:
    parts, depth = [""], 0
    for char in expression:
        depth += {"(": 1, ")": -1}.get(char, 0)
        if char == "|" and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return parts


def _walk(part: str) -> tuple[Step, ...]:
    if _DECEASED.fullmatch(part):
        return (_deceased,)
    while found := _AS.fullmatch(part):
        part = f"{found[1]}.as({found[2]}){found[3]}"
    root, dot, rest = part.partition(".")
    if not dot or not root.isalpha():
        raise UnknownExpressionError(part)
    return tuple(_steps(rest))


def _steps(path: str) -> Iterator[Step]:
    at = 0
    while at < len(path):
        found = _STEP.match(path, at)
        if found is None or path[found.end() : found.end() + 1] not in {"", "."}:
            raise UnknownExpressionError(path)
        yield _step(found)
        at = found.end() + 1


def _step(found: re.Match[str]) -> Step:
    if found["as"]:
        return _of_type(found["as"])
    if found["resource"]:
        return _refers_to(found["resource"])
    if found["name"]:
        return _equals(found["name"], found["text"])
    return _element(found["element"])


def _element(name: str) -> Step:
    def step(node: Any) -> Values:  # noqa: ANN401 - JSON
        if isinstance(node, Chosen):
            node = node.value
        if not isinstance(node, dict):
            return
        if name in node:
            yield from _items(node[name])
            return
        for key, value in node.items():
            if key.startswith(name) and _CHOICE.fullmatch(key, len(name)):
                yield from (Chosen(key[len(name) :], one) for one in _items(value))

    return step


class Chosen:
    """The value of a choice element with the name of its type, such as `DateTime`."""

    __slots__ = ("type", "value")

    def __init__(self, type: str, value: Any) -> None:  # noqa: A002, ANN401 - JSON
        self.type = type
        self.value = value


def _items(value: Any) -> Values:  # noqa: ANN401 - JSON
    if isinstance(value, list):
        yield from value
    else:
        yield value


def _of_type(name: str) -> Step:
    wanted = name[0].upper() + name[1:]

    def step(node: Any) -> Values:  # noqa: ANN401 - JSON
        if isinstance(node, Chosen) and node.type == wanted:
            yield node.value

    return step


def _equals(name: str, text: str) -> Step:
    def step(node: Any) -> Values:  # noqa: ANN401 - JSON
        if isinstance(node, dict) and node.get(name) == text:
            yield node

    return step


def _refers_to(resource_type: str) -> Step:
    def step(node: Any) -> Values:  # noqa: ANN401 - JSON
        if isinstance(node, dict) and referred_type(node) == resource_type:
            yield node

    return step


def referred_type(reference: dict[str, Any]) -> str | None:
    """Return the type that a Reference says it leads to, by its address or its `type`."""
    text = reference.get("reference")
    if isinstance(text, str) and (parts := text.partition("/_history/")[0].split("/"))[1:]:
        return parts[-2]
    said = reference.get("type")
    return said if isinstance(said, str) else None


def _deceased(node: Any) -> Values:  # noqa: ANN401 - JSON
    """Tell whether a Patient is dead, by a flag or a date."""
    yield "deceasedDateTime" in node or node.get("deceasedBoolean") is True


def _walked(resource: Any, walk: Sequence[Step]) -> Values:  # noqa: ANN401 - JSON
    nodes = [resource]
    for step in walk:
        nodes = [value for node in nodes for value in step(node)]
    return iter(node.value if isinstance(node, Chosen) else node for node in nodes)
