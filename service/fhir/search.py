"""From a plan to SQL: the access filter first, then the criteria, then the page.

The text is the same for SQLite and PostgreSQL; the reader puts its own parameter marks in.
Whatever a parameter asks, a document is found only in the caller's audience, under its ceiling,
and for its purpose.
https://hl7.org/fhir/R4/search.html
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from service.access import Access
from service.fhir.loading import PUBLIC_LOADERS
from service.fhir.mapping import Registry
from service.fhir.search_drivers import chosen
from service.fhir.search_plan import Plan, Sort
from service.fhir.search_values import Condition
from service.models.documents import PUBLIC

PUBLIC_KINDS = frozenset({*PUBLIC_LOADERS, "group", "definition"})
VISIBLE = "NOT d.deleted AND d.confidentiality <= ? AND d.purposes & ? <> 0"

Statement = tuple[str, tuple[object, ...]]


# The columns of a row that is found; the values that it is sorted by follow.
COLUMNS = (
    "d.id, coalesce(d.chosen_id, d.id), d.type, d.content, d.patient_key, d.confidentiality,"
    " d.subject"
)


class Found(NamedTuple):
    """A document that a search found; `shown` is the id that its client knows it by."""

    id: str
    shown: str
    type: str
    content: bytes
    patient_key: str | None
    confidentiality: int
    subject: str | None


WIDTH = len(Found._fields)


@dataclass(frozen=True)
class Bounds:
    """What a page of a search lies within.

    `limits` are the caller's; `after`, the values of the sort keys where the page before ended;
    `until` bounds `last_updated` of a timed search, and `created` of another, so that what came
    after the first page stays out of the next ones.
    """

    limits: tuple[int, int]
    after: tuple[int | float | str, ...] | None = None
    until: int | None = None


def audiences(registry: Registry, resource_type: str, access: Access) -> tuple[int, ...]:
    """Return the audiences in which the caller may find this type: one, where it can be one.

    With one audience an index is walked in order; a type is public, private or, like
    Organization, both.
    """
    kinds = {m.kind for m in registry.mappings if m.type == resource_type}
    if not kinds & PUBLIC_KINDS:
        return (access.audience,)
    may_be_sent = registry.by_type[resource_type].writable
    return access.audiences if may_be_sent or kinds - PUBLIC_KINDS else (PUBLIC,)


def page_statement(plan: Plan, where: Sequence[int], bounds: Bounds) -> Statement:
    """Return the SELECT of one page and one row more, which tells whether another follows."""
    source, conditions = _matching(plan, where, bounds.limits)
    if bounds.until is not None:
        conditions.append(_until(plan, bounds.until))
    if bounds.after is not None:
        conditions.append(beyond(plan.order, bounds.after))
    values = "".join(f", {key.column}" for key in plan.order[:-1])
    order = ", ".join(f"{key.column} {'DESC' if key.descending else 'ASC'}" for key in plan.order)
    sql = (
        f"SELECT {COLUMNS}{values} FROM {source.sql}"  # noqa: S608 - no value is in the text
        f" WHERE {' AND '.join(c.sql for c in conditions)} ORDER BY {order} LIMIT ?"
    )
    return sql, (*source.args, *_args(conditions), plan.size + 1)


def pages_statement(plans: Sequence[tuple[Plan, Sequence[int]]], bounds: Bounds) -> Statement:
    """Return the SELECT of one page over several types, each with its plan and audiences."""
    statements = [page_statement(plan, where, bounds) for plan, where in plans]
    if len(statements) == 1:
        return statements[0]
    plan = plans[0][0]
    places = [*range(WIDTH + 1, WIDTH + len(plan.order)), 1]
    order = ", ".join(
        f"{place} {'DESC' if key.descending else 'ASC'}"
        for place, key in zip(places, plan.order, strict=True)
    )
    each = " UNION ALL ".join(
        f"SELECT * FROM ({sql}) p{n}"  # noqa: S608 - nor here
        for n, (sql, _) in enumerate(statements)
    )
    args = tuple(arg for _, found in statements for arg in found)
    return f"{each} ORDER BY {order} LIMIT ?", (*args, plan.size + 1)


def limited(sql: str, args: tuple[object, ...], limit: Condition | None) -> Statement:
    """Return the statement with one condition more at its end, or as it is where there is none."""
    return (sql, args) if limit is None else (f"{sql} AND {limit.sql}", (*args, *limit.args))


def count_statement(plan: Plan, where: Sequence[int], bounds: Bounds) -> Statement:
    """Return the SELECT that counts the matches."""
    source, conditions = _matching(plan, where, bounds.limits)
    if bounds.until is not None:
        conditions.append(_until(plan, bounds.until))
    wanted = " AND ".join(c.sql for c in conditions)
    sql = f"SELECT count(*) FROM {source.sql} WHERE {wanted}"  # noqa: S608 - no value is in the text
    return sql, (*source.args, *_args(conditions))


def _until(plan: Plan, until: int) -> Condition:
    if plan.timed:
        return Condition("d.last_updated < ?", (until,))
    return Condition("d.created <= ?", (until,))


def beyond(order: Sequence[Sort], after: Sequence[int | float | str]) -> Condition:
    """Return what lies after a place in this order: as one comparison of rows, where that can be.

    With mixed directions: beyond the first key's value, or at it and beyond the second's, ...
    """
    columns = [key.column for key in order]
    signs = ["<" if key.descending else ">" for key in order]
    if len(columns) == 1:
        return Condition(f"{columns[0]} {signs[0]} ?", (after[0],))
    if len(set(signs)) == 1:
        marks = ", ".join("?" * len(columns))
        return Condition(f"({', '.join(columns)}) {signs[0]} ({marks})", tuple(after))
    steps, args = [], [after[0]]
    for place, column in enumerate(columns):
        equal = "".join(f"{each} = ? AND " for each in columns[:place])
        steps.append(f"({equal}{column} {signs[place]} ?)")
        args += after[: place + 1]
    return Condition(f"({columns[0]} {signs[0]}= ? AND ({' OR '.join(steps)}))", tuple(args))


def _matching(
    plan: Plan, where: Sequence[int], limits: tuple[int, int]
) -> tuple[Condition, list[Condition]]:
    conditions = [
        _audience("d", where),
        Condition("d.type = ?", (plan.kind.name,)),
        Condition(VISIBLE, limits),
        *plan.conditions,
    ]
    driver = chosen(plan)
    if driver is None:
        return Condition("documents d"), conditions
    few = f"(SELECT DISTINCT u.key FROM ({driver.keys.sql}) u) k CROSS JOIN documents d"  # noqa: S608
    return Condition(few, driver.keys.args), [Condition(f"d.{driver.column} = k.key"), *conditions]


def _audience(alias: str, where: Sequence[int]) -> Condition:
    marks = ", ".join("?" * len(where))
    sql = f"{alias}.audience = ?" if len(where) == 1 else f"{alias}.audience IN ({marks})"
    return Condition(sql, tuple(where))


def _args(conditions: Sequence[Condition]) -> tuple[object, ...]:
    return tuple(arg for condition in conditions for arg in condition.args)
