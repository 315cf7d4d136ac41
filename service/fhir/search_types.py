"""The criteria of each type of search parameter, with its modifiers.

https://hl7.org/fhir/R4/search.html#ptypes
"""

from collections.abc import Callable
from functools import partial

from service.errors import InvalidError
from service.fhir.mapping import SearchParameter
from service.fhir.search_criteria import (
    Criteria,
    Scope,
    Values,
    exists,
    indexed,
    lacking,
    unsupported,
)
from service.fhir.search_numbers import numbers, quantities
from service.fhir.search_plan import Criterion, Driver
from service.fhir.search_references import (
    Target,
    by_rows,
    by_subject,
    leading_to,
    searched,
    targets,
)
from service.fhir.search_tokens import members, of_type, tokens
from service.fhir.search_values import (
    Condition,
    all_of,
    any_of,
    compared,
    contains,
    exactly,
    negated,
    one_of,
    searched_moment,
    split,
    starts_with,
)

TOKENS, STRINGS, DATES = "document_tokens", "document_strings", "document_dates"
NUMBERS, REFERENCES = "document_numbers", "document_references"
FEW = frozenset({"identifier", "url"})


def of_parameter(
    scope: Scope, parameter: SearchParameter, values: Values, modifier: str
) -> Criterion:
    """Return what these values ask of the parameter.

    Raises:
        InvalidError: a value is wrong.
        UnsupportedError: the modifier is not executed here.
    """
    if modifier == "missing":
        return _missing(scope, parameter, values)
    return _BY_TYPE[parameter.type](scope, parameter, values, modifier)


def _token(scope: Scope, parameter: SearchParameter, values: Values, modifier: str) -> Criterion:
    name = parameter.name
    sets = scope.rules.value_sets
    if modifier == "":
        few = name in FEW and all(not value.endswith("|") for value in values)
        return indexed(scope, TOKENS, name, tokens(name, values), certain=few)
    if modifier == "text":
        wanted = any_of(starts_with(name, value) for value in values)
        return indexed(scope, STRINGS, f"{name}:text", wanted)
    if modifier == "of-type":
        return indexed(scope, TOKENS, f"{name}:of-type", of_type(name, values), certain=True)
    if modifier == "in":
        return indexed(scope, TOKENS, name, members(name, values, sets))
    if modifier in {"not", "not-in"}:
        wanted = tokens(name, values) if modifier == "not" else members(name, values, sets)
        return Criterion(negated(exists(scope, TOKENS, name, wanted)))
    raise unsupported(modifier)


_STRING_MODIFIERS = {"": starts_with, "contains": contains, "exact": exactly}


def _string(scope: Scope, parameter: SearchParameter, values: Values, modifier: str) -> Criterion:
    if modifier not in _STRING_MODIFIERS:
        raise unsupported(modifier)
    asked, name = _STRING_MODIFIERS[modifier], parameter.name
    return indexed(scope, STRINGS, name, any_of(asked(name, value) for value in values))


def _uri(scope: Scope, parameter: SearchParameter, values: Values, modifier: str) -> Criterion:
    if modifier:
        raise unsupported(modifier)
    wanted = any_of(tokens(parameter.name, [_whole(value)]) for value in values)
    return indexed(scope, TOKENS, parameter.name, wanted, certain=parameter.name in FEW)


def _whole(value: str) -> str:
    """Return a value in which no bar separates anything."""
    return "\\|".join(split(value, "|"))


def _date(scope: Scope, parameter: SearchParameter, values: Values, modifier: str) -> Criterion:
    if modifier:
        raise unsupported(modifier)
    name, a = parameter.name, scope.alias
    if name != scope.kind.date:
        return indexed(scope, DATES, name, moments(scope, name, values, ("i.low", "i.high")))
    wanted = moments(scope, name, values, (f"{a}.date_low", f"{a}.date_high"))
    # Documents without the date have no `date_high`, but a place in the order of `date_low`.
    return Criterion(Condition(f"({a}.date_high IS NOT NULL AND {wanted.sql})", wanted.args))


def moments(scope: Scope, name: str, values: Values, columns: tuple[str, str]) -> Condition:
    """Return what columns with a first and last microsecond must fulfil."""
    return any_of(
        compared(searched_moment(name, value), *columns, now=scope.rules.now) for value in values
    )


def _measured(
    scope: Scope,
    parameter: SearchParameter,
    values: Values,
    modifier: str,
    *,
    read: Callable[[str, Values], Condition],
) -> Criterion:
    if modifier:
        raise unsupported(modifier)
    return indexed(scope, NUMBERS, parameter.name, read(parameter.name, values))


def _reference(
    scope: Scope, parameter: SearchParameter, values: Values, modifier: str
) -> Criterion:
    name = parameter.name
    if modifier == "identifier":
        return indexed(scope, TOKENS, f"{name}:identifier", tokens(name, values), certain=True)
    if modifier and modifier not in targets(parameter, scope.rules):
        raise unsupported(modifier)
    found = searched(parameter, values, scope.rules, modifier)
    return leading(scope, name, found)


def leading(scope: Scope, name: str, found: list[Target]) -> Criterion:
    """Return the criterion that the reference leads to one of these."""
    kind = scope.kind
    direct = [target for target in found if by_subject(kind, name, target.type)]
    rows = [target for target in found if by_rows(kind, name, target.type)]
    if not direct:
        return indexed(scope, REFERENCES, name, leading_to(rows))
    ids = list(dict.fromkeys(target.id for target in direct))
    about = one_of(f"{scope.alias}.subject", ids)
    if not rows:
        return Criterion(about, scoped=True)
    other = indexed(scope, REFERENCES, name, leading_to(rows))
    return Criterion(any_of([about, other.test]), _either(scope, ids, other.driver))


def _either(scope: Scope, ids: list[str], other: Driver | None) -> Driver | None:
    if other is None:
        return None
    own, subject = scope.audience("u"), one_of("u.subject", ids)
    sql = f"SELECT u.number AS key FROM {'documents u'} WHERE {own.sql} AND {subject.sql}"  # noqa: S608
    keys = f"{sql} UNION ALL {other.keys.sql}"
    return Driver(Condition(keys, (*own.args, *subject.args, *other.keys.args)), certain=True)


def _composite(
    scope: Scope, parameter: SearchParameter, values: Values, modifier: str
) -> Criterion:
    if modifier:
        raise unsupported(modifier)
    parts = [scope.kind.by_name[name] for name in parameter.components]
    found = [_together(scope, parameter.name, parts, value) for value in values]
    test = any_of(all_of(one.test for one in each) for each in found)
    return Criterion(test, found[0][0].driver if len(found) == 1 else None)


def _together(scope: Scope, name: str, parts: list[SearchParameter], value: str) -> list[Criterion]:
    texts = split(value, "$")
    if len(texts) != len(parts) or not all(texts):
        joined = "$".join(part.name for part in parts)
        raise InvalidError(f"must be {joined}", element=name)
    return [of_parameter(scope, part, [text], "") for part, text in zip(parts, texts, strict=True)]


_TABLES = {
    "token": (),
    "uri": (),
    "string": (STRINGS,),
    "date": (DATES,),
    "number": (NUMBERS,),
    "quantity": (NUMBERS,),
    "reference": (REFERENCES,),
}


def _missing(scope: Scope, parameter: SearchParameter, values: Values) -> Criterion:
    if list(values) not in (["true"], ["false"]):
        raise InvalidError("must be true or false", element=f"{parameter.name}:missing")
    found = _present(scope, parameter)
    return lacking([found]) if values[0] == "true" else Criterion(found)


def _present(scope: Scope, parameter: SearchParameter) -> Condition:
    if parameter.type == "composite":
        parts = (scope.kind.by_name[name] for name in parameter.components)
        return all_of(_present(scope, part) for part in parts)
    name, a = parameter.name, scope.alias
    found = [exists(scope, table, name) for table in (TOKENS, *_TABLES[parameter.type])]
    if parameter.type == "date" and name == scope.kind.date:
        found.append(Condition(f"{a}.date_high IS NOT NULL"))
    if by_subject(scope.kind, name, None):
        found.append(Condition(f"{a}.subject IS NOT NULL"))
    return any_of(found)


_BY_TYPE: dict[str, Criteria] = {
    "token": _token,
    "string": _string,
    "uri": _uri,
    "date": _date,
    "number": partial(_measured, read=numbers),
    "quantity": partial(_measured, read=quantities),
    "reference": _reference,
    "composite": _composite,
}
