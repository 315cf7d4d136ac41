"""The parameters that say what an answer holds: how many, in which order, how much of each.

https://hl7.org/fhir/R4/search.html#Summary
"""

from dataclasses import replace

from service.errors import InvalidError
from service.fhir.includes import read_include
from service.fhir.search_plan import BY_UPDATE, Plan, Reader, Rules, Shape, UnsupportedError
from service.fhir.search_sort import sort_key

CURSOR = "_cursor"
MOST_KEYS = 5
JSON_FORMATS = frozenset({"json", "application/json", "application/fhir+json", "text/json"})


def _count(plan: Plan, name: str, value: str, rules: Rules) -> Plan:
    if not (value.isascii() and value.isdecimal() and len(value) < 10):  # noqa: PLR2004
        raise InvalidError("must be a whole number, 0 or more", element=name)
    number = int(value)
    if number == 0:
        return plan._replace(count_only=True)
    return plan._replace(size=min(number, rules.page_limit))


def _sort(plan: Plan, name: str, value: str, _rules: Rules) -> Plan:
    keys = []
    for text in value.split(",")[:MOST_KEYS]:
        if not text.removeprefix("-"):
            raise InvalidError("must name a parameter", element=name)
        key = sort_key(plan.kind, text)
        if key is None:
            raise UnsupportedError(f"{plan.kind.name} cannot be sorted by one of these here")
        keys.append(key)
    if value.count(",") >= MOST_KEYS:
        raise UnsupportedError(f"sorts by {MOST_KEYS} parameters at most")
    timed = plan.timed or any(key.column == BY_UPDATE.column for key in keys)
    return plan._replace(sort=tuple(keys), timed=timed)


def _summary(plan: Plan, name: str, value: str, _rules: Rules) -> Plan:
    if value == "count":
        return plan._replace(count_only=True)
    return plan._replace(shape=summarised(plan.shape, name, value))


def _elements(plan: Plan, _name: str, value: str, _rules: Rules) -> Plan:
    return plan._replace(shape=replace(plan.shape, elements=frozenset(value.split(","))))


def summarised(shape: Shape, name: str, value: str) -> Shape:
    """Return the shape with this `_summary`."""
    if value not in {"true", "false", "text", "data"}:
        raise InvalidError("must be true, false, text, data or count", element=name)
    return replace(shape, summary="" if value == "false" else value)


def _total(plan: Plan, name: str, value: str, _rules: Rules) -> Plan:
    if value not in {"none", "estimate", "accurate"}:
        raise InvalidError("must be none, estimate or accurate", element=name)
    return plan._replace(total=value != "none")


def _format(plan: Plan, _name: str, _value: str, _rules: Rules) -> Plan:
    return plan  # what is not JSON was refused before


def _pretty(plan: Plan, name: str, value: str, _rules: Rules) -> Plan:
    if value not in {"true", "false"}:
        raise InvalidError("must be true or false", element=name)
    return plan


def _cursor(plan: Plan, _name: str, value: str, _rules: Rules) -> Plan:
    return plan._replace(cursor=value)


CONTROLS: dict[str, Reader] = {
    "_count": _count,
    "_sort": _sort,
    "_summary": _summary,
    "_elements": _elements,
    "_total": _total,
    "_format": _format,
    "_pretty": _pretty,
    CURSOR: _cursor,
}


def _include(plan: Plan, name: str, value: str, rules: Rules) -> Plan:
    found = read_include(name, value, rules.types)
    return plan._replace(includes=(*plan.includes, *found))


# These may stand more than once, and be followed by `:iterate`.
INCLUDES: dict[str, Reader] = {
    f"{name}{how}": _include
    for name in ("_include", "_revinclude")
    for how in ("", ":iterate", ":recurse")
}
