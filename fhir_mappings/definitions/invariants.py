"""FHIR R4's error-level invariants of the types we handle, by key.

Not here: ppc-2 to ppc-5 can never fire (their system is the placeholder 'something'), and
trd-3 is of TriggerDefinition, which is reached by extensions only.

https://hl7.org/fhir/R4/conformance-rules.html#constraints
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import chain
from typing import Any

from fhir_mappings.definitions import narrative

Node = dict[str, Any]
Rule = Callable[[Any], bool]

UCUM = "http://unitsofmeasure.org"
_TIMED = 11


def _has(node: Node, *names: str) -> bool:
    """Tell whether one of the elements is there, if only by its extensions."""
    return any(name in node or f"_{name}" in node for name in names)


def _choice(node: Node, name: str) -> bool:
    """Tell whether some type of a choice element such as value[x] is there."""
    at = len(name)
    return any(
        key.startswith(name) and key[at : at + 1].isupper()
        for key in (k.removeprefix("_") for k in node)
    )


def _distinct(values: list[Any]) -> bool:
    return len(values) == len(set(values))


def _present(values: Iterator[Any]) -> list[Any]:
    return [value for value in values if value is not None]


def _in_order(period: Node) -> bool:
    start, end = period.get("start"), period.get("end")
    if not (isinstance(start, str) and isinstance(end, str)):
        return True
    if len(start) < _TIMED or len(end) < _TIMED:
        shorter = min(len(start), len(end), _TIMED - 1)
        return start[:shorter] <= end[:shorter]
    return datetime.fromisoformat(start) <= datetime.fromisoformat(end)


def _range_in_order(found: Node) -> bool:
    low, high = found.get("low"), found.get("high")
    if not low or not high or any(low.get(k) != high.get(k) for k in ("unit", "code", "system")):
        return True
    return "value" not in low or "value" not in high or bool(low["value"] <= high["value"])


def _measures(node: Node) -> bool:
    """Age, Count, Distance: a code if there is a value, and UCUM if there is a system."""
    return (_has(node, "code") or not _has(node, "value")) and node.get("system", UCUM) == UCUM


def _codings(concept: Node) -> list[tuple[tuple[str, Any], ...]]:
    return [tuple(sorted(coding.items())) for coding in concept.get("coding", ())]


def _value_is_no_component(observation: Node) -> bool:
    if not _choice(observation, "value"):
        return True
    own = set(_codings(observation.get("code", {})))
    parts = observation.get("component", ())
    return own.isdisjoint(chain.from_iterable(_codings(part["code"]) for part in parts))


def _link_ids(items: list[Node]) -> Iterator[Any]:
    for item in items:
        yield item.get("linkId")
        yield from _link_ids(item.get("item", []))


def _texts(node: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        yield from chain.from_iterable(map(_texts, node.values()))
    elif isinstance(node, list):
        yield from chain.from_iterable(map(_texts, node))


def _contained_used(resource: Node) -> bool:
    contained = resource.get("contained")
    if not contained:
        return True
    local = {text for text in _texts(resource) if text.startswith("#")}
    return all(f"#{each.get('id')}" in local or "#" in set(_texts(each)) for each in contained)


def _contained(name: str) -> Rule:
    """No contained resource has this element of meta."""
    return lambda resource: (
        not any(name in each.get("meta", {}) for each in resource.get("contained", ()))
    )


def _entries(kinds: set[str], name: str) -> Rule:
    """Every entry of such bundles has the element, and no entry of others."""
    return lambda bundle: all(
        (name in entry) == (bundle.get("type") in kinds) for entry in bundle.get("entry", ())
    )


def _full_urls(bundle: Node) -> bool:
    if bundle.get("type") == "history":
        return True
    return _distinct(
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


def _has_instant(appointment: Node) -> bool:
    may_lack = appointment.get("status") in {"proposed", "cancelled", "waitlist"}
    return may_lack or (_has(appointment, "start") and _has(appointment, "end"))


def _unless(name: str, value: str, *forbidden: str) -> Rule:
    """An element with this code has none of the others."""
    return lambda node: node.get(name) != value or not _has(node, *forbidden)


def _needs(name: str, *needed: str) -> Rule:
    """Where the element is, one of the others is too."""
    return lambda node: not _has(node, name) or _has(node, *needed)


def _not_both(one: str, other: str) -> Rule:
    return lambda node: not (_has(node, one) and _has(node, other))


def _either(*names: str) -> Rule:
    return lambda node: _has(node, *names)


def _not_home(node: Node) -> bool:
    return node.get("use") != "home"


def _items_by_type(item: Node) -> bool:
    kind = item.get("type")
    return not (kind == "group" and not _has(item, "item")) and not (
        kind == "display" and _has(item, "item")
    )


_PLAIN = {"decimal", "integer", "string", "open-choice"}
_ANSWERABLE = _PLAIN | {"choice", "date", "dateTime", "time", "quantity"}
_SIMPLE = _PLAIN | {"boolean", "text", "url"}
_WHEN = {"C", "CM", "CD", "CV"}
_REQUESTS = {"batch", "transaction", "history"}
_RESPONSES = {"batch-response", "transaction-response", "history"}

RULES: dict[str, Rule] = {
    "age-1": lambda n: _measures(n) and n.get("value", 1) > 0,
    "app-1": _either("type", "actor"),
    "app-2": lambda n: _has(n, "start") == _has(n, "end"),
    "app-3": _has_instant,
    "app-4": lambda n: (
        not _has(n, "cancelationReason") or n.get("status") in {"noshow", "cancelled"}
    ),
    "att-1": _needs("data", "contentType"),
    "bdl-1": lambda n: not _has(n, "total") or n.get("type") in {"searchset", "history"},
    "bdl-2": lambda n: (
        n.get("type") == "searchset" or not any("search" in e for e in n.get("entry", ()))
    ),
    "bdl-3": _entries(_REQUESTS, "request"),
    "bdl-4": _entries(_RESPONSES, "response"),
    "bdl-5": _either("resource", "request", "response"),
    "bdl-7": _full_urls,
    "bdl-8": lambda n: "/_history/" not in n.get("fullUrl", ""),
    "bdl-9": lambda n: n.get("type") != "document" or {"system", "value"} <= n["identifier"].keys(),
    "bdl-10": lambda n: n.get("type") != "document" or "timestamp" in n,
    "bdl-11": _first("document", "Composition"),
    "bdl-12": _first("message", "MessageHeader"),
    "cnt-3": lambda n: (
        _measures(n) and n.get("code", "1") == "1" and "." not in str(n.get("value"))
    ),
    "cpb-1": _either("rest", "messaging", "document"),
    "cpb-2": _either("description", "software", "implementation"),
    "cpb-3": lambda n: (
        n.get("kind") == "instance" or not any("endpoint" in m for m in n.get("messaging", ()))
    ),
    "cpb-7": lambda n: _distinct([(d["profile"], d["mode"]) for d in n.get("document", ())]),
    "cpb-9": lambda n: _distinct([r["type"] for r in n.get("resource", ())]),
    "cpb-12": lambda n: _distinct([p["name"] for p in n.get("searchParam", ())]),
    "cpb-14": lambda n: n.get("kind") != "instance" or _has(n, "implementation"),
    "cpb-15": lambda n: (
        n.get("kind") != "capability" or (not _has(n, "implementation") and _has(n, "software"))
    ),
    "cpb-16": _unless("kind", "requirements", "implementation", "software"),
    "cpt-2": _needs("value", "system"),
    "dis-1": _measures,
    "dom-2": lambda n: not any("contained" in each for each in n.get("contained", ())),
    "dom-3": _contained_used,
    "dom-4": lambda n: _contained("versionId")(n) and _contained("lastUpdated")(n),
    "dom-5": _contained("security"),
    "drq-1": lambda n: _has(n, "path") != _has(n, "searchParam"),
    "drq-2": lambda n: _has(n, "path") != _has(n, "searchParam"),
    "drt-1": lambda n: not _has(n, "code") or (n.get("system") == UCUM and _has(n, "value")),
    "exp-1": _either("expression", "reference"),
    "ext-1": lambda n: _has(n, "extension") != _choice(n, "value"),
    "grp-1": lambda n: not _has(n, "member") or n.get("actual") is True,
    "obs-3": _either("low", "high", "text"),
    "obs-6": lambda n: not (_has(n, "dataAbsentReason") and _choice(n, "value")),
    "obs-7": _value_is_no_component,
    "org-1": _either("identifier", "name"),
    "org-2": _not_home,
    "org-3": _not_home,
    "pat-1": _either("name", "telecom", "address", "organization"),
    "per-1": _in_order,
    "ppc-1": _either("policy", "policyRule"),
    "qrs-1": _not_both("answer", "item"),
    "qty-3": _needs("code", "system"),
    "que-1": _items_by_type,
    "que-2": lambda n: _distinct(_present(_link_ids(n.get("item", [])))),
    "que-3": _unless("type", "display", "code"),
    "que-4": _not_both("answerOption", "answerValueSet"),
    "que-5": lambda n: (
        n.get("type") in _ANSWERABLE or not _has(n, "answerOption", "answerValueSet")
    ),
    "que-6": _unless("type", "display", "required", "repeats"),
    "que-7": lambda n: n.get("operator") != "exists" or _has(n, "answerBoolean"),
    "que-8": lambda n: n.get("type") not in {"group", "display"} or not _has(n, "initial"),
    "que-9": _unless("type", "display", "readOnly"),
    "que-10": lambda n: n.get("type") in _SIMPLE or not _has(n, "maxLength"),
    "que-11": _not_both("answerOption", "initial"),
    "que-12": lambda n: len(n.get("enableWhen", ())) <= 2 or _has(n, "enableBehavior"),  # noqa: PLR2004 - as R4 has it
    "que-13": lambda n: n.get("repeats") is True or len(n.get("initial", ())) <= 1,
    "rat-1": lambda n: (
        _has(n, "numerator") == _has(n, "denominator") and _has(n, "numerator", "extension")
    ),
    "rng-2": _range_in_order,
    "tim-1": _needs("duration", "durationUnit"),
    "tim-2": _needs("period", "periodUnit"),
    "tim-4": lambda n: n.get("duration", 0) >= 0,
    "tim-5": lambda n: n.get("period", 0) >= 0,
    "tim-6": _needs("periodMax", "period"),
    "tim-7": _needs("durationMax", "duration"),
    "tim-8": _needs("countMax", "count"),
    "tim-9": lambda n: not _has(n, "offset") or bool(n.get("when") and _WHEN.isdisjoint(n["when"])),
    "tim-10": _not_both("timeOfDay", "when"),
    "trd-1": lambda n: not (_has(n, "data") and _choice(n, "timing")),
    "trd-2": _needs("condition", "data"),
    "txt-1": narrative.allowed,
    "txt-2": narrative.speaks,
}
