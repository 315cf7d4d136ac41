"""From a plan to SQL: the access filter first, then the criteria, then the page.

The text is the same for SQLite and PostgreSQL; the reader puts its own parameter marks in.
Whatever a parameter asks, a document is found only in the caller's audience, under its ceiling.
https://hl7.org/fhir/R4/search.html
"""

from collections.abc import Sequence
from dataclasses import dataclass

from service.access import Access
from service.fhir.loading import PUBLIC_LOADERS
from service.fhir.mapping import Registry
from service.fhir.search_plan import Plan
from service.fhir.search_values import Condition
from service.models.documents import PUBLIC

PUBLIC_KINDS = frozenset({*PUBLIC_LOADERS, "group"})
VISIBLE = "NOT d.deleted AND d.confidentiality <= ?"

Statement = tuple[str, tuple[object, ...]]


@dataclass(frozen=True)
class Key:
    """Where a page ended: the value it was sorted by, and the id."""

    value: int | str
    id: str


def audiences(registry: Registry, resource_type: str, access: Access) -> tuple[int, ...]:
    """Return the audiences in which the caller may find this type: one, where it can be one.

    With one audience an index is walked in order; a type is public, private or, like
    Organization, both.
    """
    kinds = {m.kind for m in registry.mappings if m.type == resource_type}
    if not kinds & PUBLIC_KINDS:
        return (access.audience,)
    return access.audiences if kinds - PUBLIC_KINDS else (PUBLIC,)


def page_statement(
    plan: Plan,
    where: Sequence[int],
    *,
    ceiling: int,
    after: Key | None = None,
    horizon: int | None = None,
) -> Statement:
    """Return the SELECT of one page and one row more, which tells whether another follows."""
    source, conditions = _matching(plan, where, ceiling, horizon)
    if after is not None:
        conditions.append(_beyond(plan, after))
    direction = "DESC" if plan.sort.descending else "ASC"
    column = plan.sort.column
    order = "d.id" if column == "d.id" else f"{column} {direction}, d.id"
    sql = (
        f"SELECT d.id, {column}, d.content, d.patient_key, d.confidentiality FROM {source.sql}"  # noqa: S608
        f" WHERE {' AND '.join(c.sql for c in conditions)} ORDER BY {order} {direction} LIMIT ?"
    )
    return sql, (*source.args, *_args(conditions), plan.size + 1)


def count_statement(
    plan: Plan, where: Sequence[int], *, ceiling: int, horizon: int | None = None
) -> Statement:
    """Return the SELECT that counts the matches."""
    source, conditions = _matching(plan, where, ceiling, horizon)
    wanted = " AND ".join(c.sql for c in conditions)
    sql = f"SELECT count(*) FROM {source.sql} WHERE {wanted}"  # noqa: S608 - no value is in the text
    return sql, (*source.args, *_args(conditions))


def _matching(
    plan: Plan, where: Sequence[int], ceiling: int, horizon: int | None
) -> tuple[Condition, list[Condition]]:
    conditions = [
        _audience("d", where),
        Condition("d.type = ?", (plan.kind.name,)),
        Condition(VISIBLE, (ceiling,)),
        *plan.conditions,
    ]
    if horizon is not None:
        conditions.append(Condition("d.last_updated < ?", (horizon,)))
    if plan.driver is None:
        return Condition("documents d"), conditions
    table, wanted = plan.driver
    alias, own = table[-1], _audience(table[-1], where)
    keys = (
        f"(SELECT DISTINCT {alias}.id FROM {table} WHERE {own.sql} AND {alias}.type = ?"  # noqa: S608
        f" AND {wanted.sql}) k CROSS JOIN documents d"
    )
    args = (*own.args, plan.kind.name, *wanted.args)
    return Condition(keys, args), [Condition("d.id = k.id"), *conditions]


def _audience(alias: str, where: Sequence[int]) -> Condition:
    marks = ", ".join("?" * len(where))
    sql = f"{alias}.audience = ?" if len(where) == 1 else f"{alias}.audience IN ({marks})"
    return Condition(sql, tuple(where))


def _beyond(plan: Plan, after: Key) -> Condition:
    sign = "<" if plan.sort.descending else ">"
    if plan.sort.column == "d.id":
        return Condition(f"d.id {sign} ?", (after.id,))
    return Condition(f"({plan.sort.column}, d.id) {sign} (?, ?)", (after.value, after.id))


def _args(conditions: Sequence[Condition]) -> tuple[object, ...]:
    return tuple(arg for condition in conditions for arg in condition.args)
