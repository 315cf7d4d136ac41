"""Reference parameters: which documents, or which addresses elsewhere, a value leads to.

https://hl7.org/fhir/R4/search.html#reference
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from service.fhir.index_values import bounded
from service.fhir.mapping import ResourceType, SearchParameter
from service.fhir.search_index import SUBJECT, has_subject
from service.fhir.search_plan import Rules
from service.fhir.search_values import Condition, any_of, one_of, unescaped

CANONICAL = frozenset({"questionnaire"})  # these hold addresses of definitions, not References
PATIENT = "Patient"
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")
_ONLY = re.compile(r"resolve\(\) is (\w+)")


class Target(NamedTuple):
    """A document here, of any type where that is None; or an address, whose type is empty."""

    type: str | None
    id: str


def targets(parameter: SearchParameter, rules: Rules) -> tuple[str, ...]:
    """Return the types served here to which the parameter may lead."""
    only = _ONLY.search(parameter.expression)
    allowed = (only[1],) if only else parameter.targets
    return tuple(name for name in allowed if name in rules.types)


def searched(
    parameter: SearchParameter, values: Sequence[str], rules: Rules, modifier: str = ""
) -> list[Target]:
    """Return where these values lead; the modifier names a type."""
    return [
        target
        for value in values
        for target in _leads_to(parameter, unescaped(value), rules, modifier)
    ]


def _leads_to(
    parameter: SearchParameter, text: str, rules: Rules, modifier: str
) -> Iterator[Target]:
    local = text.removeprefix(rules.base + "/").partition("/_history/")[0]
    if parameter.name in CANONICAL or _ABSOLUTE.match(local):
        if not modifier or f"/{modifier}/" in text:
            yield Target("", bounded(text))
        return
    kind, slash, shown = local.rpartition("/")
    if slash:
        if modifier in {"", kind}:
            yield Target(kind, rules.locate(kind, shown))
        return
    kinds = (modifier,) if modifier else targets(parameter, rules)
    ids = dict.fromkeys(rules.locate(kind, local) for kind in kinds)
    yield from (Target(kinds[0] if len(kinds) == 1 else None, one) for one in ids)


def leading_to(found: Sequence[Target]) -> Condition:
    """Return what a row `i` of references must fulfil to lead to one of these."""
    by_type = defaultdict(list)
    for target in found:
        by_type[target.type].append(target.id)
    return any_of(_of_type(kind, ids) for kind, ids in by_type.items())


def _of_type(kind: str | None, ids: Sequence[str]) -> Condition:
    wanted = one_of("i.target", ids)
    if kind is None:
        return Condition(f"({wanted.sql} AND i.target_type <> '')", wanted.args)
    return Condition(f"({wanted.sql} AND i.target_type = ?)", (*wanted.args, kind))


def by_subject(kind: ResourceType, name: str, target_type: str | None) -> bool:
    """Return whether a reference may be one that `documents.subject` holds."""
    return name in SUBJECT and has_subject(kind) and target_type in {PATIENT, None}


def by_rows(kind: ResourceType, name: str, target_type: str | None) -> bool:
    """Return whether a reference may be one that has a row of its own."""
    return target_type is None or not by_subject(kind, name, target_type)
