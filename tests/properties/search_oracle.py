"""What a search must find, worked out in the plainest way: each document in turn, in memory.

Elements are selected by fhirpathpy with the official expressions; nothing here is shared with what
it judges. https://hl7.org/fhir/R4/search.html
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import fhirpathpy
from fhirpathpy.models import models

import fhir_mappings
from tests.properties.search_comparisons import (
    begins,
    codes,
    identifier,
    is_date,
    is_of_type,
    is_quantity,
    is_string,
    is_token,
    plain,
    split,
    words,
)

Json = Any
TABLE = Path(fhir_mappings.__file__).parent / "definitions" / "search_parameters.json"
OFFICIAL: dict[str, dict[str, Json]] = json.loads(TABLE.read_text())
META = {
    "_tag": {"type": "token", "expression": "meta.tag"},
    "_security": {"type": "token", "expression": "meta.security"},
    "_profile": {"type": "uri", "expression": "meta.profile"},
    "_source": {"type": "uri", "expression": "meta.source"},
    "_lastUpdated": {"type": "date", "expression": "meta.lastUpdated"},
}
RESOLVED = re.compile(r"\.where\(resolve\(\) is (\w+)\)")


@dataclass
class Known:
    """A document as it is served; `subject` is the shown id of the Patient that it is about."""

    stored: str
    shown: str
    type: str
    resource: dict[str, Json]
    subject: str | None
    seen: dict[str, list[Json]] = field(default_factory=dict)


@dataclass
class World:
    """The documents that the caller may see; `served` are the types that it may search."""

    docs: list[Known]
    base: str
    served: set[str]
    value_sets: dict[str, set[tuple[str, str]]]
    now: datetime

    def __post_init__(self) -> None:
        self.at = {(doc.type, doc.shown): doc for doc in self.docs}

    def find(self, kind: str, pairs: Iterable[tuple[str, str]]) -> set[str]:
        wanted = list(pairs)
        return {
            doc.stored
            for doc in self.docs
            if doc.type == kind and all(self.matches(doc, *pair) for pair in wanted)
        }

    def matches(self, doc: Known, name: str, text: str) -> bool:
        if name.startswith("_has:"):
            _, kind, reference, rest = name.split(":", 3)
            return any(
                (doc.type, doc.shown) in self.targets(other, reference)
                and self.matches(other, rest, text)
                for other in self.docs
                if other.type == kind
            )
        head, dot, rest = name.partition(".")
        bare, _, modifier = head.partition(":")
        if dot:
            return any(
                self.matches(self.at[target], rest, text)
                for target in self.targets(doc, bare)
                if modifier in {"", target[0]}
                and target[0] in self.served
                and target in self.at
                and has_parameter(target[0], rest)
            )
        if bare == "_id":
            return doc.shown in split(text, ",")
        return self.fulfils(doc, bare, modifier, text)

    def fulfils(self, doc: Known, name: str, modifier: str, text: str) -> bool:
        about = definition(doc.type, name)
        if modifier == "missing":
            return self.is_missing(doc, name) == (text == "true")
        if about["type"] == "composite":
            return any(self.together(doc, about, part) for part in split(text, ","))
        values, wanted = selected(doc, name), split(text, ",")
        if modifier in {"not", "not-in"}:
            return not self.fulfils(doc, name, {"not": "", "not-in": "in"}[modifier], text)
        if about["type"] == "reference" and modifier != "identifier":
            return self.refers(doc, name, modifier, wanted)
        return any(self.equal(about["type"], modifier, v, w) for v in values for w in wanted)

    def is_missing(self, doc: Known, name: str) -> bool:
        about = definition(doc.type, name)
        if about["type"] == "composite":
            return any(self.is_missing(doc, part) for part in about["components"])
        return not selected(doc, name) and not is_about(doc, name)

    def together(self, doc: Known, about: Json, text: str) -> bool:
        parts = zip(about["components"], split(text, "$"), strict=True)
        return all(self.fulfils(doc, name, "", part) for name, part in parts)

    def equal(self, kind: str, modifier: str, value: Json, wanted: str) -> bool:
        plainly = {
            "date": lambda: is_date(value, wanted, self.now),
            "quantity": lambda: is_quantity(value, wanted),
            "uri": lambda: value == plain(wanted),
            "string": lambda: is_string(value, modifier, plain(wanted)),
        }
        modified = {
            "": lambda: is_token(value, wanted),
            "in": lambda: self.is_member(value, plain(wanted)),
            "text": lambda: any(begins(text, plain(wanted)) for text in words(value)),
            "of-type": lambda: is_of_type(value, wanted),
            "identifier": lambda: is_token(identifier(value), wanted),
        }
        return bool((plainly.get(kind) or modified[modifier])())

    def is_member(self, value: Json, url: str) -> bool:
        members = self.value_sets[url]
        bare = {code for _, code in members}
        return any(p in members or (not p[0] and p[1] in bare) for p in codes(value))

    def targets(self, doc: Known, name: str) -> set[tuple[str, str]]:
        """The documents here, as type and shown id, that a parameter leads to."""
        found = {
            self.local(value.get("reference", ""))
            for value in selected(doc, name)
            if isinstance(value, dict)  # and no address of a definition
        }
        if is_about(doc, name):
            found.add(("Patient", doc.subject or ""))
        return {pair for pair in found if pair is not None}

    def local(self, text: str) -> tuple[str, str] | None:
        parts = text.removeprefix(self.base + "/").split("/")
        return (parts[0], parts[1]) if len(parts) == 2 else None

    def refers(self, doc: Known, name: str, modifier: str, wanted: list[str]) -> bool:
        texts = {v if isinstance(v, str) else v.get("reference") for v in selected(doc, name)}
        there = self.targets(doc, name)
        for value in map(plain, wanted):
            if "://" in value and not value.startswith(self.base + "/"):
                unversioned = {t.partition("|")[0] for t in texts if t}
                if value in texts | unversioned and (not modifier or f"/{modifier}/" in value):
                    return True
                continue
            pair = self.local(value)
            if pair is not None and pair in there and modifier in {"", pair[0]}:
                return True
            if pair is None and any(
                value == shown and modifier in {"", kind} for kind, shown in there
            ):
                return True
        return False


def definition(kind: str, name: str) -> Json:
    return META.get(name) or OFFICIAL[kind][name]


def has_parameter(kind: str, name: str) -> bool:
    bare = re.split(r"[:.]", name)[0]
    return bare in OFFICIAL[kind] or bare in META or bare in {"_id", "_has"}


def is_about(doc: Known, name: str) -> bool:
    """A reference that was resolved to a Patient counts, however it is written."""
    return name in {"patient", "subject"} and doc.type != "Provenance" and doc.subject is not None


def selected(doc: Known, name: str) -> list[Json]:
    if name not in doc.seen:
        expression = definition(doc.type, name)["expression"]
        only = RESOLVED.search(expression)
        found = compiled(expression)(json.loads(json.dumps(doc.resource), parse_float=Decimal))
        doc.seen[name] = [v for v in found if only is None or refers_to(v, only[1])]
    return doc.seen[name]


COMPILED: dict[str, Json] = {}


def compiled(expression: str) -> Json:
    if expression not in COMPILED:
        text = RESOLVED.sub("", expression)
        text = re.sub(r"\((\S+) as (\w+)\)", r"\1.ofType(\2)", text)  # `as` takes one value only
        COMPILED[expression] = fhirpathpy.compile(text, models["r4"])
    return COMPILED[expression]


def refers_to(value: Json, kind: str) -> bool:
    parts = value.get("reference", "").split("/")
    return bool(parts[-2] == kind) if len(parts) > 1 else value.get("type") == kind
