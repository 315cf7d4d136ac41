"""A resource as it was asked for: a summary, some of its elements, or laid out for people.

What is kept keeps its own text: numbers stay as they were sent.
https://hl7.org/fhir/R4/search.html#summary
"""

import re
from collections.abc import Mapping
from typing import Any

from service.fhir.document_bytes import V3
from service.fhir.lexical import Lexical, compose, overlay, parse
from service.fhir.mapping import Forms
from service.fhir.search_plan import Shape

SUBSETTED = {"system": V3 + "ObservationValue", "code": "SUBSETTED"}
OURS = ("resourceType", "id", "meta")
INDENT = b"  "
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')


def shaped(content: bytes, shape: Shape, forms: Forms) -> bytes:
    """Return the resource in this shape, tagged as not being whole."""
    if shape.whole:
        return content
    lexical = _summarised(parse(content), shape, forms)
    kept = {
        name: text
        for name, text in lexical.members.items()
        if name not in OURS and _is_kept(name.removeprefix("_"), shape, forms)
    }
    meta = lexical.value.get("meta", {})
    return compose(
        kept,
        resource_type=lexical.value["resourceType"],
        id=lexical.value["id"],
        meta={**meta, "tag": [*meta.get("tag", ()), SUBSETTED]},
    )


def _summarised(lexical: Lexical, shape: Shape, forms: Forms) -> Lexical:
    """Leave out of backbone elements what no summary has."""
    if shape.summary != "true":
        return lexical
    return overlay(
        lexical,
        {
            name: _without(lexical.value[name], inner)
            for name, inner in forms.summary.items()
            if name in lexical.value and isinstance(inner, Mapping)
        },
    )


def _is_kept(name: str, shape: Shape, forms: Forms) -> bool:
    if name in forms.always or name in shape.elements:
        return True
    if shape.summary == "data":
        return name != "text"
    if shape.summary == "text":
        return name == "text"
    return shape.summary == "true" and name in forms.summary


def _without(value: Any, inner: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
    """Return a backbone element with what its summary has."""
    if isinstance(value, list):
        return [_without(each, inner) for each in value]
    if not isinstance(value, dict):
        return value
    found = {}
    for name, each in value.items():
        keeps = inner.get(name.removeprefix("_"))
        if keeps is not None:
            found[name] = _without(each, keeps) if isinstance(keeps, Mapping) else each
    return found


def pretty(content: bytes) -> bytes:
    """Return JSON laid out for people; every token stays as it is."""
    parts: list[bytes] = []
    depth, opened = 0, False
    for token in _TOKEN.findall(content):
        if token in b"}]":
            depth -= 1
            parts.append(token if opened else _line(depth) + token)
            opened = False
            continue
        if opened:
            parts.append(_line(depth))
        opened = token in b"{["
        depth += opened
        parts.append(token + (_line(depth) if token == b"," else b" " if token == b":" else b""))
    return b"".join(parts) + b"\n"


def _line(depth: int) -> bytes:
    return b"\n" + INDENT * depth
