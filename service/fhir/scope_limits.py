"""Scopes with `?parameter=value`, compiled: what they ask of a document, as search asks it.

A resource fulfils every parameter of one scope at least. What cannot be executed is refused when
a client is registered and when it asks for a token; met all the same, it grants nothing.
https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from service.access import Access
from service.errors import AlongsideError, ValueSetError
from service.fhir.mapping import Registry, ResourceType
from service.fhir.search_chains import HAS, either
from service.fhir.search_criteria import Scope
from service.fhir.search_parameters import criterion
from service.fhir.search_plan import Criterion, Rules, UnsupportedError
from service.fhir.search_values import NOTHING, Condition, all_of, also, any_of
from service.scopes import EVERY, Query
from service.scopes import Scope as Granted

MOST_QUERIES = 50  # of one token or client
MOST_ARGUMENTS = 2_000  # of what they are compiled to; SQLite bounds those of one statement
MOVING = "_lastUpdated"  # what is granted would come and go with every change
NONE = Criterion(NOTHING)
NOWHERE = Rules(base="", now=0, page_size=0, page_limit=0)


def limit(
    rules: Rules, access: Access, name: str, letters: str, alias: str = "d"
) -> Criterion | None:
    """Return what the token asks of a document of this type to grant one of these letters.

    None stands for nothing: all of them are granted, or the type is for `Access.may` to judge.
    """
    queries = access.queries(name, letters)
    if queries is None:
        return None
    scope = Scope(rules.types[name], rules, named=alias)
    return either([_fulfilling(scope, query) for query in sorted(queries, key=sorted)] or [NONE])


def limits(
    rules: Rules, access: Access, names: Iterable[str], letters: str, alias: str = "d"
) -> Condition | None:
    """Return the condition that a document of one of these types is one that is granted."""
    found = []
    for name in names:
        asked = limit(rules, access, name, letters, alias)
        if asked is not None:
            other = Condition(f"{alias}.type <> ?", (name,))
            found.append(any_of([other, also(present(alias), asked.test)]))
    return all_of(found) if found else None


def present(alias: str = "d") -> Condition:
    """Return that there is content which a scope can judge; of a tombstone there is none."""
    return Condition(f"NOT {alias}.deleted")


def _fulfilling(scope: Scope, query: Query) -> Criterion:
    try:
        found = [_asked(scope, name, value) for name, value in sorted(query)]
    except ValueSetError:  # of a search parameter that was given up since
        return NONE
    driver = next((each.driver for each in found if each.driver is not None), None)
    return Criterion(
        all_of(each.test for each in found), driver, scoped=any(each.scoped for each in found)
    )


def require_executable(scopes: Iterable[Granted], registry: Registry) -> None:
    """Refuse scopes with parameters that are not executed here.

    Raises:
        ValueSetError: which one, and why.
    """
    granular = [scope for scope in scopes if scope.query]
    if len(granular) > MOST_QUERIES:
        raise _refused(f"more than {MOST_QUERIES} scopes with ?parameter=value")
    rules = replace(NOWHERE, types=registry.by_type, value_sets=registry.value_sets)
    asked = [
        _asked(Scope(kind, rules), name, value)
        for scope in granular
        for name, value in sorted(scope.query)
        for kind in _kinds(scope, registry.by_type)
    ]
    if sum(len(each.test.args) for each in asked) > MOST_ARGUMENTS:
        raise _refused("the scopes have too many values")


def _kinds(scope: Granted, types: Mapping[str, ResourceType]) -> list[ResourceType]:
    if scope.type == EVERY:
        return list(types.values())
    if scope.type not in types:
        raise _refused(f"{scope.type} is not served here")
    return [types[scope.type]]


def _asked(scope: Scope, name: str, value: str) -> Criterion:
    """Return what one parameter of a scope asks.

    Raises:
        ValueSetError: it is not executed here.
    """
    if "." in name or name.startswith(HAS):
        raise _refused(f"{name}: chains are not taken in a scope")
    if name.partition(":")[0] == MOVING:
        raise _refused(f"{name}: it changes with every version")
    try:
        return criterion(scope, name, value)
    except (AlongsideError, UnsupportedError) as error:
        raise _refused(f"{name}: {error}") from None


def _refused(reason: str) -> ValueSetError:
    return ValueSetError(reason, element="scope")
