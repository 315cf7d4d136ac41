"""The parameters that say what an answer holds: how many, in which order, how much of each.

https://hl7.org/fhir/R4/search.html#Summary
"""

from service.errors import InvalidError
from service.fhir.search_plan import Plan, Reader, Rules, Sort, UnsupportedError

CURSOR = "_cursor"
JSON_FORMATS = frozenset({"json", "application/json", "application/fhir+json", "text/json"})


def _count(plan: Plan, name: str, value: str, rules: Rules) -> Plan:
    if not (value.isascii() and value.isdecimal() and len(value) < 10):  # noqa: PLR2004
        raise InvalidError("must be a whole number, 0 or more", element=name)
    number = int(value)
    if number == 0:
        return plan._replace(count_only=True)
    return plan._replace(size=min(number, rules.page_limit))


def _sort(plan: Plan, name: str, value: str, _rules: Rules) -> Plan:
    first, *more = value.split(",")
    if not first.removeprefix("-"):
        raise InvalidError("must name a parameter", element=name)
    descending = first.startswith("-")
    if more not in ([], ["-_id" if descending else "_id"]):
        raise UnsupportedError("sorts by one parameter here; the id breaks ties")
    dates = [plan.kind.date] if plan.kind.date else []
    columns = {"_id": "d.id", "_lastUpdated": "d.last_updated"}
    columns |= dict.fromkeys(dates, "d.date_low")
    column = columns.get(first.removeprefix("-"))
    if column is None:
        raise UnsupportedError(f"can be sorted by {', '.join(columns)}")
    timed = plan.timed or column == "d.last_updated"
    return plan._replace(sort=Sort(column, descending), timed=timed)


def _summary(plan: Plan, name: str, value: str, _rules: Rules) -> Plan:
    if value == "count":
        return plan._replace(count_only=True)
    if value not in {"true", "false", "text", "data"}:
        raise InvalidError("must be true, false, text, data or count", element=name)
    if value != "false":
        raise UnsupportedError("only count and false are supported")
    return plan


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
    "_total": _total,
    "_format": _format,
    "_pretty": _pretty,
    CURSOR: _cursor,
}
