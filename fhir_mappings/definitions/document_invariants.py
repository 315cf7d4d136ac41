"""The invariants of what describes or carries other resources: bundles, questionnaires, code lists.

https://hl7.org/fhir/R4/conformance-rules.html#constraints
"""

from collections.abc import Iterator
from typing import Any

from fhir_mappings.definitions.predicates import (
    Node,
    Rule,
    choice,
    distinct,
    either,
    has,
    needs,
    not_both,
    present,
    unless,
)

_PLAIN = {"decimal", "integer", "string", "open-choice"}
_ANSWERABLE = _PLAIN | {"choice", "date", "dateTime", "time", "quantity"}
_SIMPLE = _PLAIN | {"boolean", "text", "url"}
_REQUESTS = {"batch", "transaction", "history"}
_RESPONSES = {"batch-response", "transaction-response", "history"}


def _link_ids(items: list[Node]) -> Iterator[Any]:
    for item in items:
        yield item.get("linkId")
        yield from _link_ids(item.get("item", []))


def _entries(kinds: set[str], name: str) -> Rule:
    """Every entry of such bundles has the element, and no entry of others."""
    return lambda bundle: all(
        (name in entry) == (bundle.get("type") in kinds) for entry in bundle.get("entry", ())
    )


def _full_urls(bundle: Node) -> bool:
    if bundle.get("type") == "history":
        return True
    return distinct(
        [
            (e["fullUrl"], e.get("resource", {}).get("meta", {}).get("versionId"))
            for e in bundle.get("entry", ())
            if "fullUrl" in e
        ]
    )


def _first(bundle_type: str, resource_type: str) -> Rule:
    return lambda bundle: (
        bundle.get("type") != bundle_type
        or bundle["entry"][0]["resource"]["resourceType"] == resource_type
    )


def _items_by_type(item: Node) -> bool:
    kind = item.get("type")
    return not (kind == "group" and not has(item, "item")) and not (
        kind == "display" and has(item, "item")
    )


def _concept_codes(concepts: list[Node]) -> Iterator[Any]:
    for concept in concepts:
        yield concept.get("code")
        yield from _concept_codes(concept.get("concept", []))


def _one_content(parameter: Node) -> bool:
    if has(parameter, "part"):
        return not choice(parameter, "value") and not has(parameter, "resource")
    return choice(parameter, "value") != has(parameter, "resource")


DOCUMENT_RULES: dict[str, Rule] = {
    "bdl-1": lambda n: not has(n, "total") or n.get("type") in {"searchset", "history"},
    "bdl-2": lambda n: (
        n.get("type") == "searchset" or not any("search" in e for e in n.get("entry", ()))
    ),
    "bdl-3": _entries(_REQUESTS, "request"),
    "bdl-4": _entries(_RESPONSES, "response"),
    "bdl-5": either("resource", "request", "response"),
    "bdl-7": _full_urls,
    "bdl-8": lambda n: "/_history/" not in n.get("fullUrl", ""),
    "bdl-9": lambda n: n.get("type") != "document" or {"system", "value"} <= n["identifier"].keys(),
    "bdl-10": lambda n: n.get("type") != "document" or "timestamp" in n,
    "bdl-11": _first("document", "Composition"),
    "bdl-12": _first("message", "MessageHeader"),
    "cpb-1": either("rest", "messaging", "document"),
    "cpb-2": either("description", "software", "implementation"),
    "cpb-3": lambda n: (
        n.get("kind") == "instance" or not any("endpoint" in m for m in n.get("messaging", ()))
    ),
    "cpb-7": lambda n: distinct([(d["profile"], d["mode"]) for d in n.get("document", ())]),
    "cpb-9": lambda n: distinct([r["type"] for r in n.get("resource", ())]),
    "cpb-12": lambda n: distinct([p["name"] for p in n.get("searchParam", ())]),
    "cpb-14": lambda n: n.get("kind") != "instance" or has(n, "implementation"),
    "cpb-15": lambda n: (
        n.get("kind") != "capability" or (not has(n, "implementation") and has(n, "software"))
    ),
    "cpb-16": unless("kind", "requirements", "implementation", "software"),
    "csd-1": lambda n: distinct(list(_concept_codes(n.get("concept", [])))),
    "inv-1@Parameters": _one_content,
    "que-1": _items_by_type,
    "que-2": lambda n: distinct(present(_link_ids(n.get("item", [])))),
    "que-3": unless("type", "display", "code"),
    "que-4": not_both("answerOption", "answerValueSet"),
    "que-5": lambda n: n.get("type") in _ANSWERABLE or not has(n, "answerOption", "answerValueSet"),
    "que-6": unless("type", "display", "required", "repeats"),
    "que-7": lambda n: n.get("operator") != "exists" or has(n, "answerBoolean"),
    "que-8": lambda n: n.get("type") not in {"group", "display"} or not has(n, "initial"),
    "que-9": unless("type", "display", "readOnly"),
    "que-10": lambda n: n.get("type") in _SIMPLE or not has(n, "maxLength"),
    "que-11": not_both("answerOption", "initial"),
    "que-12": lambda n: len(n.get("enableWhen", ())) <= 2 or has(n, "enableBehavior"),  # noqa: PLR2004 - as R4 has it
    "que-13": lambda n: n.get("repeats") is True or len(n.get("initial", ())) <= 1,
    "vsd-1": either("valueSet", "system"),
    "vsd-2": lambda n: not has(n, "concept", "filter") or has(n, "system"),
    "vsd-3": not_both("concept", "filter"),
    "vsd-6": either("code", "display"),
    "vsd-9": lambda n: has(n, "code") or n.get("abstract") is True,
    "vsd-10": needs("code", "system"),
}
