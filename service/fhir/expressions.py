"""The official expressions of search parameters, compiled once to walks through JSON.

They use a small part of FHIRPath: paths, `as`, `where` on a text or on a reference's type, and one
`exists()`. What is not of this kind is refused when the registry is built.
https://hl7.org/fhir/R4/fhirpath.html
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

Step = Callable[[list[Any]], list[Any]]

_AS = re.compile(r"\((.+?) as (\w+)\)(.*)")
_STEP = re.compile(
    r"as\((?P<as>\w+)\)"
    r"|where\(resolve\(\) is (?P<resource>\w+)\)"
    r"|where\((?P<name>\w+)\s*=\s*'(?P<text>[^']*)'\)"
    r"|(?P<element>\w+)"
)
_DECEASED = re.compile(r"\w+\.deceased\.exists\(\) and \w+\.deceased != false")
_CHOICE = re.compile(  # the types of Extension.value[x], which are all that a choice may have
    r"Address|Age|Annotation|Attachment|Base64Binary|Boolean|Canonical|Code|CodeableConcept"
    r"|Coding|ContactDetail|ContactPoint|Contributor|Count|DataRequirement|Date|DateTime"
    r"|Decimal|Distance|Dosage|Duration|Expression|HumanName|Id|Identifier|Instant|Integer"
    r"|Markdown|Meta|Money|Oid|ParameterDefinition|Period|PositiveInt|Quantity|Range|Ratio"
    r"|Reference|RelatedArtifact|SampledData|Signature|String|Time|Timing|TriggerDefinition"
    r"|UnsignedInt|Uri|Url|UsageContext|Uuid"
)


class UnknownExpressionError(ValueError):
    """The expression uses more of FHIRPath than is compiled here."""


@dataclass(frozen=True)
class Walk:
    """One alternative of an expression: its first element, and the steps from a resource.

    `element` is empty where the resource itself is asked, even for what it lacks.
    """

    element: str
    steps: tuple[Step, ...]

    def may_start_at(self, member: str) -> bool:
        """Tell whether this member of a resource, such as `valueQuantity`, is its first element."""
        name = self.element
        return member == name or (
            member.startswith(name) and _CHOICE.fullmatch(member, len(name)) is not None
        )

    def values(self, resource: dict[str, Any]) -> list[Any]:
        """Return what it selects."""
        return _selected([resource], self.steps)

    def values_of(self, member: str, value: Any) -> list[Any]:  # noqa: ANN401 - JSON
        """Return what it selects from one member, which is known to be its first element."""
        nodes = value if isinstance(value, list) else [value]
        if member != self.element:
            kind = member[len(self.element) :]
            nodes = [Chosen(kind, node) for node in nodes]
        return _selected(nodes, self.steps[1:])


def _selected(nodes: list[Any], steps: tuple[Step, ...]) -> list[Any]:
    for step in steps:
        nodes = step(nodes)
    return [node.value if type(node) is Chosen else node for node in nodes]


@lru_cache(maxsize=2048)
def walks(expression: str) -> tuple[Walk, ...]:
    """Return the alternatives of an expression.

    Raises:
        UnknownExpressionError: it uses what is not compiled here.
    """
    return tuple(_walk(part.strip()) for part in _alternatives(expression))


def compiled(expression: str) -> Callable[[dict[str, Any]], list[Any]]:
    """Return the function from a resource to the values that the expression selects.

    Raises:
        UnknownExpressionError: it uses what is not compiled here.
    """
    found = walks(expression)

    def select(resource: dict[str, Any]) -> list[Any]:
        return [value for walk in found for value in walk.values(resource)]

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


@lru_cache(maxsize=2048)
def _walk(part: str) -> Walk:
    if _DECEASED.fullmatch(part):
        return Walk("", (_deceased,))
    while found := _AS.fullmatch(part):
        part = f"{found[1]}.as({found[2]}){found[3]}"
    root, dot, rest = part.partition(".")
    if not dot or not root.isalpha():
        raise UnknownExpressionError(part)
    return Walk(rest.partition(".")[0], tuple(_steps(rest)))


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
    def step(nodes: list[Any]) -> list[Any]:
        found: list[Any] = []
        for node in nodes:
            inside = node.value if type(node) is Chosen else node
            if type(inside) is not dict:
                continue
            if name in inside:
                value = inside[name]
                found += value if type(value) is list else (value,)
            else:
                found += _chosen(inside, name)
        return found

    return step


def _chosen(node: dict[str, Any], name: str) -> Iterator["Chosen"]:
    for key, value in node.items():
        if key.startswith(name) and _CHOICE.fullmatch(key, len(name)):
            yield from (
                Chosen(key[len(name) :], one)
                for one in (value if isinstance(value, list) else (value,))
            )


class Chosen:
    """The value of a choice element with the name of its type, such as `DateTime`."""

    __slots__ = ("type", "value")

    def __init__(self, type: str, value: Any) -> None:  # noqa: A002, ANN401 - JSON
        self.type = type
        self.value = value


def _of_type(name: str) -> Step:
    wanted = name[0].upper() + name[1:]

    def step(nodes: list[Any]) -> list[Any]:
        return [node.value for node in nodes if type(node) is Chosen and node.type == wanted]

    return step


def _equals(name: str, text: str) -> Step:
    def step(nodes: list[Any]) -> list[Any]:
        return [node for node in nodes if type(node) is dict and node.get(name) == text]

    return step


def _refers_to(resource_type: str) -> Step:
    def step(nodes: list[Any]) -> list[Any]:
        return [
            node for node in nodes if type(node) is dict and referred_type(node) == resource_type
        ]

    return step


def referred_type(reference: dict[str, Any]) -> str | None:
    """Return the type that a Reference says it leads to, by its address or its `type`."""
    text = reference.get("reference")
    if isinstance(text, str) and (parts := text.partition("/_history/")[0].split("/"))[1:]:
        return parts[-2]
    said = reference.get("type")
    return said if isinstance(said, str) else None


def _deceased(nodes: list[Any]) -> list[Any]:
    """Tell whether a Patient is dead, by a flag or a date."""
    return ["deceasedDateTime" in node or node.get("deceasedBoolean") is True for node in nodes]
