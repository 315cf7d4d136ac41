"""Chains and reverse chains: parameters of the documents that one refers to, or that refer to it.

Every document that is joined passes the access filter itself, or a search would be an oracle.
https://hl7.org/fhir/R4/search.html#chaining
"""

from collections.abc import Callable, Iterable

from service.errors import ForbiddenError, InvalidError
from service.fhir.mapping import SearchParameter
from service.fhir.search_criteria import Scope
from service.fhir.search_plan import Criterion, Driver, UnsupportedError
from service.fhir.search_references import CANONICAL, by_rows, by_subject, targets
from service.fhir.search_values import Condition, any_of

HAS = "_has:"
# What the parameter after a chain asks of the document that the chain leads to.
Ask = Callable[[Scope], Criterion]


def chain(scope: Scope, parameter: SearchParameter, modifier: str, ask: Ask) -> Criterion:
    """Return the criterion of `parameter:modifier.[what is asked]`.

    Where several types are possible and none is named, all are tried that the caller may search.

    Raises:
        ForbiddenError: the caller may search none of them.
        UnsupportedError: the parameter is no reference, or none of them has what is asked.
    """
    kinds = targets(parameter, scope.rules)
    if modifier:
        kinds = tuple(kind for kind in kinds if kind == modifier)
    if parameter.type != "reference" or parameter.name in CANONICAL or not kinds:
        raise UnsupportedError("the parameter leads to nothing that is searched here")
    found, refused = [], None
    for kind in kinds:
        try:
            found.append(_through(scope, parameter.name, scope.joined(kind), ask))
        except (ForbiddenError, UnsupportedError) as error:
            refused = _graver(refused, error)
    if refused is not None and not found:
        raise refused
    return either(found)


def _graver(first: Exception | None, second: Exception) -> Exception:
    return first if isinstance(first, ForbiddenError) else second


def _through(scope: Scope, name: str, inner: Scope, ask: Ask) -> Criterion:
    asked = ask(inner)
    ways = []
    if by_subject(scope.kind, name, inner.kind.name):
        ways.append(_by_subject(scope, inner, asked))
    if by_rows(scope.kind, name, inner.kind.name):
        ways.append(_by_rows(scope, name, inner, asked))
    return either(ways)


def _by_subject(scope: Scope, inner: Scope, asked: Criterion) -> Criterion:
    a, b, seen = scope.alias, inner.alias, inner.visible()
    test = Condition(
        f"EXISTS (SELECT {b}.id FROM documents {b} WHERE {b}.id = {a}.subject AND {seen.sql}"  # noqa: S608
        f" AND {asked.test.sql} LIMIT 1 OFFSET 0)",
        (*seen.args, *asked.test.args),
    )
    certain = asked.driver is not None and asked.driver.certain
    return Criterion(test, Driver(_matching(inner, asked), "subject", certain, _seeds(asked)))


def _by_rows(scope: Scope, name: str, inner: Scope, asked: Criterion) -> Criterion:
    a, b, seen, own = scope.alias, inner.alias, inner.visible(), scope.audience("i")
    test = Condition(
        f"EXISTS (SELECT {b}.id FROM document_references i CROSS JOIN documents {b}"  # noqa: S608
        f" WHERE i.document = {a}.number AND i.param = ? AND i.target_type = ?"
        f" AND {b}.id = i.target AND {seen.sql} AND {asked.test.sql} LIMIT 1 OFFSET 0)",
        (name, inner.kind.name, *seen.args, *asked.test.args),
    )
    keys = _matching(inner, asked)
    driver = Condition(
        f"SELECT i.document AS key FROM document_references i WHERE {own.sql} AND i.param = ?"  # noqa: S608
        f" AND i.target_type = ? AND i.target IN ({keys.sql})",
        (*own.args, name, inner.kind.name, *keys.args),
    )
    return Criterion(test, Driver(driver, seeds=_seeds(asked)))


def _seeds(asked: Criterion) -> tuple[Condition, ...]:
    """Return what to count before keys are asked that are made from these."""
    if asked.driver is None or asked.driver.certain:
        return ()
    return (*asked.driver.seeds, asked.driver.keys)


def _matching(inner: Scope, asked: Criterion) -> Condition:
    """Return the SELECT of the ids of the documents that fulfil what is asked."""
    return _selected(inner, asked, f"{inner.alias}.id")


def _selected(inner: Scope, asked: Criterion, column: str) -> Condition:
    b, seen, driver = inner.alias, inner.visible(), asked.driver
    sql = f"SELECT {column} AS key FROM documents {b} WHERE "  # noqa: S608 - names of ours
    args: tuple[object, ...] = ()
    if driver is not None:
        sql += f"{b}.{driver.column} IN ({driver.keys.sql}) AND "
        args = driver.keys.args
    sql += f"{seen.sql} AND {asked.test.sql}"
    return Condition(sql, (*args, *seen.args, *asked.test.args))


def reverse_chain(scope: Scope, name: str, ask: Callable[[Scope, str], Criterion]) -> Criterion:
    """Return the criterion of `_has:Type:reference:[what is asked]`.

    Raises:
        ForbiddenError: the caller may not search that type.
        InvalidError: it has another form.
        UnsupportedError: the type or its reference is not searched here.
    """
    parts = name.removeprefix(HAS).split(":", 2)
    if len(parts) != 3 or not all(parts):  # noqa: PLR2004
        raise InvalidError("must be _has:Type:reference:parameter", element="_has")
    kind = scope.rules.types.get(parts[0])
    parameter = kind.by_name.get(parts[1]) if kind else None
    if parameter is None or parameter.type != "reference" or parameter.name in CANONICAL:
        raise UnsupportedError("the type or its reference is not searched here")
    if scope.kind.name not in targets(parameter, scope.rules):
        raise UnsupportedError(f"{parameter.name} does not lead to {scope.kind.name}")
    inner = scope.joined(parts[0])
    asked = ask(inner, parts[2])
    ways = []
    if by_subject(inner.kind, parameter.name, scope.kind.name):
        ways.append(_had_by_subject(scope, inner, asked))
    if by_rows(inner.kind, parameter.name, scope.kind.name):
        ways.append(_had_by_rows(scope, parameter.name, inner, asked))
    return either(ways)


def _had_by_subject(scope: Scope, inner: Scope, asked: Criterion) -> Criterion:
    a, b, seen = scope.alias, inner.alias, inner.visible()
    test = Condition(
        f"EXISTS (SELECT {b}.id FROM documents {b} WHERE {seen.sql} AND {b}.subject = {a}.id"  # noqa: S608
        f" AND {asked.test.sql} LIMIT 1 OFFSET 0)",
        (*seen.args, *asked.test.args),
    )
    return Criterion(
        test, Driver(_selected(inner, asked, f"{b}.subject"), "id", seeds=_seeds(asked))
    )


def _had_by_rows(scope: Scope, name: str, inner: Scope, asked: Criterion) -> Criterion:
    a, b, seen, own = scope.alias, inner.alias, inner.visible(), inner.audience("i")
    rows = (
        f"FROM document_references i CROSS JOIN documents {b} WHERE {own.sql} AND i.param = ?"
        f" AND i.target_type = ? AND {b}.number = i.document AND {seen.sql} AND {asked.test.sql}"
    )
    args = (*own.args, name, scope.kind.name, *seen.args, *asked.test.args)
    test = Condition(f"EXISTS (SELECT {b}.id {rows} AND i.target = {a}.id LIMIT 1 OFFSET 0)", args)
    sql = f"SELECT i.target AS key {rows}"
    more: tuple[object, ...] = ()
    if asked.driver is not None:
        sql += f" AND {b}.{asked.driver.column} IN ({asked.driver.keys.sql})"
        more = asked.driver.keys.args
    return Criterion(test, Driver(Condition(sql, (*args, *more)), "id", seeds=_seeds(asked)))


def either(found: Iterable[Criterion]) -> Criterion:
    """Return the criterion that one of these is fulfilled."""
    each = list(found)
    if len(each) == 1:
        return each[0]
    return Criterion(any_of(one.test for one in each), _together(each))


def _together(each: list[Criterion]) -> Driver | None:
    drivers = [one.driver for one in each if one.driver is not None]
    if len(drivers) < len(each) or len({driver.column for driver in drivers}) > 1:
        return None
    sql = " UNION ALL ".join(driver.keys.sql for driver in drivers)
    args = tuple(arg for driver in drivers for arg in driver.keys.args)
    certain = all(driver.certain for driver in drivers)
    seeds = tuple(seed for driver in drivers for seed in driver.seeds)
    return Driver(Condition(sql, args), drivers[0].column, certain, seeds)
