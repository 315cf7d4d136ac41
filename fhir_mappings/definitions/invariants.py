"""FHIR R4's error-level invariants of the types we handle, by key.

Two rules share the key inv-1, so these carry their type.

https://hl7.org/fhir/R4/conformance-rules.html#constraints
"""

from collections.abc import Iterator
from itertools import chain
from typing import Any

from fhir_mappings.definitions import narrative
from fhir_mappings.definitions.document_invariants import DOCUMENT_RULES
from fhir_mappings.definitions.predicates import (
    Node,
    Rule,
    choice,
    either,
    has,
    in_order,
    needs,
    not_both,
)

UCUM = "http://unitsofmeasure.org"
_CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
_VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
_WHEN = {"C", "CM", "CD", "CV"}


def _range_in_order(found: Node) -> bool:
    low, high = found.get("low"), found.get("high")
    if not low or not high or any(low.get(k) != high.get(k) for k in ("unit", "code", "system")):
        return True
    return "value" not in low or "value" not in high or bool(low["value"] <= high["value"])


def _measures(node: Node) -> bool:
    """Age, Count, Distance: a code if there is a value, and UCUM if there is a system."""
    return (has(node, "code") or not has(node, "value")) and node.get("system", UCUM) == UCUM


def _codings(concept: Node) -> list[tuple[tuple[str, Any], ...]]:
    return [tuple(sorted(coding.items())) for coding in concept.get("coding", ())]


def _value_is_no_component(observation: Node) -> bool:
    if not choice(observation, "value"):
        return True
    own = set(_codings(observation.get("code", {})))
    parts = observation.get("component", ())
    return own.isdisjoint(chain.from_iterable(_codings(part["code"]) for part in parts))


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


def _has_instant(appointment: Node) -> bool:
    may_lack = appointment.get("status") in {"proposed", "cancelled", "waitlist"}
    return may_lack or (has(appointment, "start") and has(appointment, "end"))


def _not_home(node: Node) -> bool:
    return node.get("use") != "home"


def _has_coding(concept: Node, system: str, codes: set[str]) -> bool:
    found = concept.get("coding", ())
    return any(each.get("system") == system and each.get("code") in codes for each in found)


def _abated_is_over(condition: Node) -> bool:
    over = {"resolved", "remission", "inactive"}
    status = condition.get("clinicalStatus", {})
    return not choice(condition, "abatement") or _has_coding(status, _CLINICAL, over)


def _no_status_in_error(condition: Node) -> bool:
    verification = condition.get("verificationStatus", {})
    in_error = _has_coding(verification, _VERIFICATION, {"entered-in-error"})
    return not in_error or not has(condition, "clinicalStatus")


def _behalf_of_practitioner(participant: Node) -> bool:
    """Go by the reference's own words: what cannot be resolved breaks nothing."""
    member = participant.get("member", {})
    parts = member.get("reference", "").partition("/_history/")[0].split("/")
    named = parts[-2] if len(parts) > 1 else member.get("type", "Practitioner")
    return not has(participant, "onBehalfOf") or named in {"Practitioner", ""}


def _entries_only(mode: str, name: str) -> Rule:
    """Only in a list of this mode do entries have the element."""
    return lambda found: (
        found.get("mode") == mode or not any(has(each, name) for each in found.get("entry", ()))
    )


def _trigger_is_told(trigger: Node) -> bool:
    kind = trigger.get("type", "")
    if kind == "named-event":
        return has(trigger, "name")
    if kind == "periodic":
        return choice(trigger, "timing")
    return not kind.startswith("data-") or has(trigger, "data")


# Their condition can never hold: it asks for codes of the system named 'something'.
NEVER_FIRE = frozenset({"ppc-2", "ppc-3", "ppc-4", "ppc-5"})

RULES: dict[str, Rule] = DOCUMENT_RULES | {
    "age-1": lambda n: _measures(n) and n.get("value", 1) > 0,
    "app-1": either("type", "actor"),
    "app-2": lambda n: has(n, "start") == has(n, "end"),
    "app-3": _has_instant,
    "app-4": lambda n: (
        not has(n, "cancelationReason") or n.get("status") in {"noshow", "cancelled"}
    ),
    "att-1": needs("data", "contentType"),
    "cnt-3": lambda n: (
        _measures(n) and n.get("code", "1") == "1" and "." not in str(n.get("value"))
    ),
    "con-1": either("summary", "assessment"),
    "con-2": either("code", "detail"),
    "con-4": _abated_is_over,
    "con-5": _no_status_in_error,
    "cpl-3": not_both("detail", "reference"),
    "cpt-2": needs("value", "system"),
    "ctm-1": _behalf_of_practitioner,
    "dis-1": _measures,
    "dom-2": lambda n: not any("contained" in each for each in n.get("contained", ())),
    "dom-3": _contained_used,
    "dom-4": lambda n: _contained("versionId")(n) and _contained("lastUpdated")(n),
    "dom-5": _contained("security"),
    "drq-1": lambda n: has(n, "path") != has(n, "searchParam"),
    "drq-2": lambda n: has(n, "path") != has(n, "searchParam"),
    "drt-1": lambda n: not has(n, "code") or (n.get("system") == UCUM and has(n, "value")),
    "exp-1": either("expression", "reference"),
    "ext-1": lambda n: has(n, "extension") != choice(n, "value"),
    "gol-1": lambda n: not choice(n, "detail") or has(n, "measure"),
    "grp-1": lambda n: not has(n, "member") or n.get("actual") is True,
    "inv-1@Task": lambda n: in_order(n.get("authoredOn"), n.get("lastModified")),
    "lst-1": not_both("emptyReason", "entry"),
    "lst-2": _entries_only("changes", "deleted"),
    "lst-3": _entries_only("working", "date"),
    "obs-3": either("low", "high", "text"),
    "obs-6": lambda n: not (has(n, "dataAbsentReason") and choice(n, "value")),
    "obs-7": _value_is_no_component,
    "org-1": either("identifier", "name"),
    "org-2": _not_home,
    "org-3": _not_home,
    "pat-1": either("name", "telecom", "address", "organization"),
    "per-1": lambda n: in_order(n.get("start"), n.get("end")),
    "ppc-1": either("policy", "policyRule"),
    "prr-1": needs("orderDetail", "code"),
    "qrs-1": not_both("answer", "item"),
    "qty-3": needs("code", "system"),
    "rat-1": lambda n: (
        has(n, "numerator") == has(n, "denominator") and has(n, "numerator", "extension")
    ),
    "rng-2": _range_in_order,
    "tim-1": needs("duration", "durationUnit"),
    "tim-2": needs("period", "periodUnit"),
    "tim-4": lambda n: n.get("duration", 0) >= 0,
    "tim-5": lambda n: n.get("period", 0) >= 0,
    "tim-6": needs("periodMax", "period"),
    "tim-7": needs("durationMax", "duration"),
    "tim-8": needs("countMax", "count"),
    "tim-9": lambda n: not has(n, "offset") or bool(n.get("when") and _WHEN.isdisjoint(n["when"])),
    "tim-10": not_both("timeOfDay", "when"),
    "trd-1": lambda n: not (has(n, "data") and choice(n, "timing")),
    "trd-2": needs("condition", "data"),
    "trd-3": _trigger_is_told,
    "txt-1": narrative.allowed,
    "txt-2": narrative.speaks,
}
