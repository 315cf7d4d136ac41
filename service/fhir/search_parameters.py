"""A query string, read against what the type declares: a plan, or what is wrong with it.

https://hl7.org/fhir/R4/search.html
"""

from collections.abc import Sequence

from service.errors import InvalidElementsError, InvalidError, Problem
from service.fhir.mapping import ResourceType, SearchParameter
from service.fhir.search_plan import Pairs, Plan, Reader, Rules, UnsupportedError
from service.fhir.search_results import CONTROLS, CURSOR
from service.fhir.search_values import (
    NOTHING,
    Condition,
    alternatives,
    any_of,
    compared,
    searched_moment,
    starts_with,
    token,
    unescaped,
)

MOST_PARAMETERS = 50
SUBJECT = frozenset({"patient", "subject"})
SELECTIVE = frozenset({"identifier"})


def read_query(kind: ResourceType, pairs: Pairs, rules: Rules, *, strict: bool) -> Plan:
    """Return the plan of a query.

    Raises:
        InvalidError: a value is wrong; or, when strict, a parameter is not supported.
    """
    if len(pairs) > MOST_PARAMETERS:
        raise InvalidError(f"more than {MOST_PARAMETERS} parameters", element="query")
    plan = Plan(kind=kind, size=rules.page_size)
    seen: set[str] = set()
    for name, value in pairs:
        if name in CONTROLS and name in seen:
            raise InvalidError("the parameter may stand once", element=name)
        seen.add(name)
        plan = _read(plan, name, value, rules)
    if strict and plan.ignored:
        raise InvalidElementsError(plan.ignored)
    return plan


def _read(plan: Plan, name: str, value: str, rules: Rules) -> Plan:
    if not value:
        raise InvalidError("the parameter has no value", element=_shown(name))
    try:
        done = _READERS.get(name, _criterion)(plan, name, value, rules)
    except UnsupportedError as error:
        problem = Problem(_shown(name), str(error), "not-supported")
        return plan._replace(ignored=(*plan.ignored, problem))
    return done if name == CURSOR else done._replace(used=(*done.used, (name, value)))


def _shown(name: str) -> str:
    """Return a parameter's name as it may be repeated to the caller."""
    return "".join(c for c in name[:64] if c.isascii() and (c.isalnum() or c in "-_:.$")) or "query"


def _criterion(plan: Plan, name: str, value: str, rules: Rules) -> Plan:
    bare, _, modifier = name.partition(":")
    found = next((p for p in plan.kind.parameters if p.name == bare), None)
    if found is None:
        raise UnsupportedError(f"not a search parameter of {plan.kind.name} here")
    if bare in SUBJECT:
        return _reference(plan, name, value, rules)
    if modifier and (found.type, modifier) != ("string", "contains"):
        raise UnsupportedError("the modifier is not supported")
    return _BY_TYPE.get(found.type, _unsearchable)(plan, found, value, rules, modifier)


def _token(plan: Plan, found: SearchParameter, value: str, _rules: Rules, _modifier: str) -> Plan:
    wanted = any_of(token(found.name, one) for one in alternatives(found.name, value))
    return _indexed(plan, "document_tokens t", found.name, wanted)


def _string(plan: Plan, found: SearchParameter, value: str, _rules: Rules, modifier: str) -> Plan:
    anywhere = modifier == "contains"
    name = found.name
    wanted = any_of(starts_with(name, one, anywhere=anywhere) for one in alternatives(name, value))
    return _indexed(plan, "document_strings s", name, wanted)


def _indexed(plan: Plan, table: str, param: str, wanted: Condition) -> Plan:
    """Ask an index table: first, where few will match, else for each document met."""
    alias = table[-1]
    mine = Condition(f"{alias}.param = ? AND {wanted.sql}", (param, *wanted.args))
    if plan.driver is None and (param in SELECTIVE or alias == "s"):
        return plan._replace(driver=(table, mine))
    where = f"{alias}.id = d.id AND {mine.sql}"
    sql = f"EXISTS (SELECT 1 FROM {table} WHERE {where})"  # noqa: S608 - no value is in the text
    return plan.also(Condition(sql, mine.args))


def _date(plan: Plan, found: SearchParameter, value: str, rules: Rules, _modifier: str) -> Plan:
    if found.name != plan.kind.date:
        return _unsearchable(plan, found, value, rules, "")
    wanted = _moments(found.name, value, ("d.date_low", "d.date_high"), rules)
    # Documents without the date have no `date_high`, but a place in the order of `date_low`.
    return plan.also(Condition(f"(d.date_high IS NOT NULL AND {wanted.sql})", wanted.args))


def _moments(name: str, value: str, columns: tuple[str, str], rules: Rules) -> Condition:
    return any_of(
        compared(searched_moment(name, one), *columns, now=rules.now)
        for one in alternatives(name, value)
    )


def _unsearchable(
    _plan: Plan, found: SearchParameter, _value: str, _rules: Rules, _modifier: str
) -> Plan:
    raise UnsupportedError(f"{found.name} is not searched here")


_BY_TYPE = {"token": _token, "string": _string, "date": _date, "reference": _unsearchable}


def _reference(plan: Plan, name: str, value: str, rules: Rules) -> Plan:
    modifier = name.partition(":")[2]
    if modifier not in {"", "Patient"}:
        raise UnsupportedError("the modifier is not supported")
    ids = tuple(
        found
        for one in alternatives(name, value)
        if (found := _patient_id(unescaped(one), rules.base)) is not None
    )
    if not ids:
        return plan.also(NOTHING)
    wanted = "d.subject = ?" if len(ids) == 1 else f"d.subject IN ({_marks(ids)})"
    return plan.also(Condition(wanted, ids))


def _patient_id(reference: str, base: str) -> str | None:
    """Return the id of a Patient here, or None where it is something else or elsewhere."""
    local = reference.removeprefix(base + "/")
    kind, slash, document_id = local.partition("/")
    if not slash:
        return local
    return document_id if kind == "Patient" and "/" not in document_id else None


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _id(plan: Plan, name: str, value: str, _rules: Rules) -> Plan:
    ids = tuple(unescaped(one) for one in alternatives(name, value))
    return plan.also(Condition(f"d.id IN ({_marks(ids)})", ids))


def _last_updated(plan: Plan, name: str, value: str, rules: Rules) -> Plan:
    wanted = _moments(name, value, ("d.last_updated", "d.last_updated"), rules)
    return plan.also(wanted)._replace(timed=True)


_READERS: dict[str, Reader] = {"_id": _id, "_lastUpdated": _last_updated, **CONTROLS}
