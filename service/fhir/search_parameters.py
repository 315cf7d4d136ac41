"""A query string, read against what the type declares: a plan, or what is wrong with it.

https://hl7.org/fhir/R4/search.html
"""

from collections.abc import Sequence

from service.errors import InvalidElementsError, InvalidError, Problem
from service.fhir.mapping import ResourceType, SearchParameter
from service.fhir.search_chains import HAS, chain, reverse_chain
from service.fhir.search_criteria import Scope
from service.fhir.search_plan import Criterion, Pairs, Plan, Reader, Rules, UnsupportedError
from service.fhir.search_results import CONTROLS, CURSOR, INCLUDES
from service.fhir.search_types import moments, of_parameter
from service.fhir.search_values import NOTHING, Condition, alternatives, one_of, unescaped

MOST_PARAMETERS = 50
MOST_ARGUMENTS = 30_000  # of one statement, which SQLite bounds
COMMON = {
    parameter.name: parameter
    for parameter in (
        SearchParameter("_profile", "uri", "Resource.meta.profile"),
        SearchParameter("_security", "token", "Resource.meta.security"),
        SearchParameter("_source", "uri", "Resource.meta.source"),
        SearchParameter("_tag", "token", "Resource.meta.tag"),
    )
}


def read_query(kind: ResourceType, pairs: Pairs, rules: Rules, *, strict: bool) -> Plan:
    """Return the plan of a query.

    Raises:
        ForbiddenError: a parameter asks about a type that the caller may not search.
        InvalidError: a value is wrong; or, when strict, a parameter is not supported.
    """
    if len(pairs) > MOST_PARAMETERS:
        raise InvalidError(f"more than {MOST_PARAMETERS} parameters", element="query")
    scope = Scope(kind, rules)
    plan = Plan(kind=kind, size=rules.page_size)
    seen: set[str] = set()
    for name, value in pairs:
        if name in CONTROLS and name in seen:
            raise InvalidError("the parameter may stand once", element=name)
        seen.add(name)
        plan = _read(plan, scope, name, value)
    if strict and plan.ignored:
        raise InvalidElementsError(plan.ignored)
    plan = _limited(plan, rules.limit(kind.name, scope.alias))
    require_bounded([plan])
    return plan


def require_bounded(plans: Sequence[Plan]) -> None:
    """Raise InvalidError where one statement of all these would have too many arguments."""
    if sum(map(_arguments, plans)) > MOST_ARGUMENTS:
        raise InvalidError(f"more than {MOST_ARGUMENTS} values", element="query")


def _limited(plan: Plan, limit: Criterion | None) -> Plan:
    """Return the plan with what the caller's scopes ask of each document."""
    return plan if limit is None else _with(plan, limit)


def _with(plan: Plan, found: Criterion) -> Plan:
    return plan._replace(
        conditions=(*plan.conditions, found.test),
        drivers=plan.drivers if found.driver is None else (*plan.drivers, found.driver),
        scoped=plan.scoped or found.scoped,
        timed=plan.timed or found.timed,
    )


def _arguments(plan: Plan) -> int:
    """Return how many arguments its statement may have, whatever it begins with."""
    most = max((len(driver.keys.args) for driver in plan.drivers), default=0)
    return most + sum(len(condition.args) for condition in plan.conditions)


def _read(plan: Plan, scope: Scope, name: str, value: str) -> Plan:
    if not value:
        raise InvalidError("the parameter has no value", element=_shown(name))
    try:
        done = _asked(plan, scope, name, value)
    except UnsupportedError as error:
        problem = Problem(_shown(name), str(error), "not-supported")
        return plan._replace(ignored=(*plan.ignored, problem))
    return done if name == CURSOR else done._replace(used=(*done.used, (name, value)))


def _shown(name: str) -> str:
    """Return a parameter's name as it may be repeated to the caller."""
    return "".join(c for c in name[:64] if c.isascii() and (c.isalnum() or c in "-_:.$")) or "query"


def _asked(plan: Plan, scope: Scope, name: str, value: str) -> Plan:
    if read := _READERS.get(name):
        return read(plan, name, value, scope.rules)
    return _with(plan, criterion(scope, name, value))


_READERS: dict[str, Reader] = {**CONTROLS, **INCLUDES}


def criterion(scope: Scope, name: str, value: str) -> Criterion:
    """Return what one parameter asks, through all its chains.

    Raises:
        ForbiddenError: it asks about a type that the caller may not search.
        InvalidError: its value is wrong.
        UnsupportedError: it is not executed here.
    """
    if name.startswith(HAS):
        return reverse_chain(scope, name, lambda inner, rest: criterion(inner, rest, value))
    head, dot, rest = name.partition(".")
    bare, colon, modifier = head.partition(":")
    parameter = scope.kind.by_name.get(bare) or COMMON.get(bare)
    if parameter is not None and dot:
        return chain(scope, parameter, modifier, lambda inner: criterion(inner, rest, value))
    if parameter is not None and bool(modifier) == bool(colon):
        return of_parameter(scope, parameter, alternatives(bare, value), modifier)
    if parameter is None and name in _OWN:
        return _OWN[name](scope, name, value)
    raise UnsupportedError(f"not a search parameter of {scope.kind.name} here")


def _id(scope: Scope, name: str, value: str) -> Criterion:
    kind = scope.kind.name
    ids = [scope.rules.locate(kind, unescaped(one)) for one in alternatives(name, value)]
    return Criterion(one_of(f"{scope.alias}.id", ids), scoped=True)


def _last_updated(scope: Scope, name: str, value: str) -> Criterion:
    column = f"{scope.alias}.last_updated"
    return Criterion(moments(scope, name, alternatives(name, value), (column, column)), timed=True)


def _last_updated_missing(_scope: Scope, name: str, value: str) -> Criterion:
    if value not in {"true", "false"}:
        raise InvalidError("must be true or false", element=name)
    return Criterion(NOTHING if value == "true" else Condition("1 = 1"))


_OWN = {
    "_id": _id,
    "_lastUpdated": _last_updated,
    "_lastUpdated:missing": _last_updated_missing,
}
