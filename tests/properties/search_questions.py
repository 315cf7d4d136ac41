"""Random searches of one world: parameters of the type searched, with values that it holds.

https://hl7.org/fhir/R4/search.html
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import strategies as st

from tests.properties.search_comparisons import PREFIXES, codes, identifier, strings, words
from tests.properties.search_oracle import META, OFFICIAL, RESOLVED, World, definition, selected

Pair = tuple[str, str]
LEVELS = 2
CANONICAL = "questionnaire"
ROLES = ("Patient", "Encounter", *["Observation"] * 8, "Condition", "Task", "Provenance")
STRANGE = ["zz", "A", "an", "1", r"A\|B\$C", r"a\,b", "%", "_", "é", "marie c", "x" * 260]


def escaped(text: str) -> str:
    return re.sub(r"([\\,|$])", r"\\\1", text)


class Questions:
    """What can be asked of one world."""

    def __init__(self, world: World, hidden: set[str]) -> None:
        self.world = world
        self.hidden = hidden
        self.types = sorted({doc.type for doc in world.docs} - {"Group"})
        self.hints: dict[tuple[str, str], list[str]] = {}

    @st.composite
    @staticmethod
    def search_of(draw: Any, self: "Questions") -> tuple[str, list[Pair]]:
        name = draw(st.sampled_from([*ROLES, *self.types]))
        return name, [self.criterion(draw, name, LEVELS) for _ in range(draw(st.integers(1, 2)))]

    def search(self) -> st.SearchStrategy[tuple[str, list[Pair]]]:
        return Questions.search_of(self)

    def criterion(self, draw: Any, kind: str, levels: int) -> Pair:
        how = draw(st.integers(0, 9)) if levels else 9
        if how == 0 and (ways := self.reverse(kind)):
            other, reference = draw(st.sampled_from(ways))
            name, value = self.criterion(draw, other, levels - 1)
            return f"_has:{other}:{reference}:{name}", value
        if how in {1, 2} and (steps := self.chains(kind)):
            reference, target = draw(st.sampled_from(steps))
            name, value = self.criterion(draw, target, levels - 1)
            typed = draw(st.booleans()) or not self.alike(kind, reference, name)
            return f"{reference}{':' + target if typed else ''}.{name}", value
        return self.plain(draw, kind)

    def targets(self, kind: str, name: str) -> list[str]:
        about = OFFICIAL[kind][name]
        only = RESOLVED.search(about["expression"])
        return [
            target
            for target in ([only[1]] if only else about.get("targets", []))
            if target in self.world.served
        ]

    def references(self, kind: str) -> list[str]:
        return [
            name
            for name, about in OFFICIAL[kind].items()
            if about["type"] == "reference" and name != CANONICAL
        ]

    def chains(self, kind: str) -> list[Pair]:
        return [
            (name, target)
            for name in self.references(kind)
            for target in self.targets(kind, name)
            if target in self.types
        ]

    def reverse(self, kind: str) -> list[Pair]:
        return [
            (other, name)
            for other in self.types
            if other not in self.hidden
            for name in self.references(other)
            if kind in self.targets(other, name)
        ]

    def alike(self, kind: str, reference: str, name: str) -> bool:
        """Whether a chain without a type asks the same of every type that it may lead to."""
        targets = self.targets(kind, reference)
        bare = re.split(r"[:.]", name)[0]
        kinds = {OFFICIAL[t][bare]["type"] for t in targets if bare in OFFICIAL[t]}
        simple = "." not in name and not name.startswith("_")
        return len(targets) <= 4 and simple and kinds <= {"token", "string"} and len(kinds) == 1

    def plain(self, draw: Any, kind: str) -> Pair:
        names = self.by_type(kind)
        name = draw(st.sampled_from(names[draw(st.sampled_from(sorted(names)))]))
        if name == "_id":
            ids = [doc.shown for doc in self.world.docs if doc.type == kind] or ["x"]
            return name, ",".join(draw(st.lists(st.sampled_from(ids), min_size=1, max_size=3)))
        about = definition(kind, name)
        modifier = draw(st.sampled_from(self.modifiers(kind, name)))
        if modifier == "missing":
            return f"{name}:missing", draw(st.sampled_from(["true", "false"]))
        if modifier in {"in", "not-in"}:
            return f"{name}:{modifier}", "http://sets/1"
        one = st.sampled_from(self.values(kind, name, modifier))
        if about["type"] in {"date", "quantity"}:
            one = st.tuples(st.sampled_from(["", "", *PREFIXES]), one).map("".join)
        if about["type"] == "composite":
            first, second = (self.values(kind, part, "") for part in about["components"])
            one = st.tuples(st.sampled_from(first), st.sampled_from(second)).map("$".join)
        values = draw(st.lists(one, min_size=1, max_size=draw(st.sampled_from([1, 1, 1, 3]))))
        return f"{name}:{modifier}" if modifier else name, ",".join(values)

    def by_type(self, kind: str) -> dict[str, list[str]]:
        """The names of the parameters, each type of which is asked for equally often."""
        found: dict[str, list[str]] = {"common": ["_id", *META]}
        for name, about in sorted(OFFICIAL[kind].items()):
            found.setdefault(about["type"], []).append(name)
        return found

    def modifiers(self, kind: str, name: str) -> list[str]:
        by_type = {
            "token": ["", "", "", "not", "text", "of-type", "in", "not-in"],
            "string": ["", "", "exact", "contains"],
            "reference": ["", "", "", "identifier", *self.typed(kind, name)],
        }
        if name == "_lastUpdated":
            return [""]
        return [*by_type.get(definition(kind, name)["type"], [""]), "missing"]

    def typed(self, kind: str, name: str) -> list[str]:
        if name not in OFFICIAL[kind] or OFFICIAL[kind][name]["type"] != "reference":
            return []
        return [] if name == CANONICAL else [t for t in self.targets(kind, name) if t in self.types]

    def values(self, kind: str, name: str, modifier: str) -> list[str]:
        """Values that some document has, or nearly has."""
        key = kind, f"{name}:{modifier}"
        if key not in self.hints:
            about = definition(kind, name)
            found = {
                hint
                for doc in self.world.docs
                if doc.type == kind
                for value in (() if about["type"] == "composite" else selected(doc, name))
                for hint in hints(about["type"], modifier, value)
            }
            self.hints[key] = sorted(found) or [fallback(about["type"], modifier)]
        return self.hints[key]


def fallback(kind: str, modifier: str) -> str:
    if modifier == "of-type":
        return "http://a|x|1"
    return {"date": "2020-05", "quantity": "5.4", "reference": "Patient/x"}.get(kind, "zz")


def hints(kind: str, modifier: str, value: Any) -> Iterator[str]:
    if modifier in MODIFIED:
        yield from MODIFIED[modifier](value)
    else:
        yield from PLAIN[kind](value)


def parts_of_strings(value: Any) -> Iterator[str]:
    yield from STRANGE
    for text in strings(value):
        yield from (escaped(text), escaped(text[:3]), escaped(text[1:5].strip() or "x"))
        yield escaped(text.upper())


def parts_of_words(value: Any) -> Iterator[str]:
    yield from (escaped(text[:4]) for text in words(value))
    yield from STRANGE


def tokens(value: Any) -> Iterator[str]:
    for system, code in codes(value):
        if code:
            yield from (escaped(code), f"{escaped(system)}|{escaped(code)}", f"|{escaped(code)}")
            yield f"http://b|{escaped(code)}"
        if system:
            yield f"{escaped(system)}|"


def of_types(value: Any) -> Iterator[str]:
    kinds = value.get("type", {}).get("coding", []) if isinstance(value, dict) else []
    for coding in kinds:
        if coding.get("system") and coding.get("code") and value.get("value"):
            parts = coding["system"], coding["code"], value["value"]
            yield "|".join(map(escaped, parts))


def references(value: Any) -> Iterator[str]:
    text = value if isinstance(value, str) else value.get("reference", "")
    if not text:
        return
    yield escaped(text)
    if isinstance(value, str):
        yield text
        yield text.partition("|")[0]
        return
    kind, shown = text.split("/")[-2:]
    yield from (f"{kind}/{shown}", shown, f"http://here/fhir/{kind}/{shown}")


def dates(value: Any) -> Iterator[str]:
    texts = [value] if isinstance(value, str) else list(_texts(value))
    for text in texts:
        yield from {text, text[:4], text[:7], text[:10]}
        if len(text) > 19:
            yield text[:16] + text[-6:] if text[-1] != "Z" else text[:16] + "Z"
            yield text[:19] + "Z"


def _texts(value: dict[str, Any]) -> Iterator[str]:
    yield from value.get("event", ())
    bounds = value.get("repeat", {}).get("boundsPeriod", {})
    yield from (v for node in (value, bounds) for v in map(node.get, ("start", "end")) if v)


def quantities(value: Any) -> Iterator[str]:
    if not isinstance(value, dict) or "value" not in value:
        return
    yield from ("5.4", "1e2", "95.0")
    number = str(value["value"])
    yield number
    for name in ("code", "unit"):
        if name in value:
            yield f"{number}||{value[name]}"
    if "system" in value:
        yield f"{number}|{value['system']}|{value['code']}"
        yield f"{number}|{value['system']}|"


PLAIN: dict[str, Callable[[Any], Iterator[str]]] = {
    "date": dates,
    "quantity": quantities,
    "string": parts_of_strings,
    "uri": lambda value: iter((escaped(str(value)), "http://none")),
    "reference": references,
    "token": tokens,
}
MODIFIED: dict[str, Callable[[Any], Iterator[str]]] = {
    "of-type": of_types,
    "text": parts_of_words,
    "identifier": lambda value: tokens(identifier(value)),
}
