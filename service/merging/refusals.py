"""What two records have that cannot be one person's: somebody has to settle it first."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import Session as DbSession

from service.errors import Problem, UnmergeableError
from service.merging.following import FOLLOWING, rows_of
from service.models.base import Row
from service.models.enrollments import Enrollment, EnrollmentStatus
from service.models.patients import Link, Patient
from service.models.rules import Agreement

CODE = "conflict"
LINKED = "both are linked to records of this hospital: it merges its own first, or a link is undone"
ENROLLED = "both are enrolled in this group: finish one of the enrolments first"
SAME = "both have a row that one person has once, such as a mark at this session"
# Whoever agreed twice to one version agreed: the second stays where it is.
UNITED = tuple(table for table in FOLLOWING if table is not Agreement)


def require_mergeable(session: DbSession, source: Patient, target: Patient) -> None:
    """Raise UnmergeableError, naming each hospital, group and session that stands in the way."""
    problems = (
        *_linked(session, source, target),
        *_enrolled(session, source, target),
        *(each for table in UNITED for each in _same(session, table, source, target)),
    )
    if problems:
        raise UnmergeableError(problems)


def _linked(session: DbSession, source: Patient, target: Patient) -> Iterator[Problem]:
    for connection in sorted(live_links(session, source) & live_links(session, target)):
        yield Problem(f"connections[{connection}]", LINKED, CODE)


def live_links(session: DbSession, person: Patient) -> set[Any]:
    """Return the hospitals whose record this person is linked to."""
    rows: list[Link] = rows_of(session, Link, person.id)
    return {row.connection_id for row in rows if row.undone_at is None}


def _enrolled(session: DbSession, source: Patient, target: Patient) -> Iterator[Problem]:
    for group in sorted(_groups(session, source) & _groups(session, target)):
        yield Problem(f"groups[{group}]", ENROLLED, CODE)


def _groups(session: DbSession, person: Patient) -> set[Any]:
    rows: list[Enrollment] = rows_of(session, Enrollment, person.id)
    return {row.group_id for row in rows if row.status is not EnrollmentStatus.FINISHED}


def _same(
    session: DbSession, table: type[Row], source: Patient, target: Patient
) -> Iterator[Problem]:
    """Yield what a unique key of the table allows one person once only."""
    for names in unique_beside_patient(table):
        both = _values(session, table, source, names) & _values(session, table, target, names)
        for values in sorted(both):
            said = zip(names, values, strict=True)
            element = ".".join(f"{name.removesuffix('_id')}s[{value}]" for name, value in said)
            yield Problem(element, SAME, CODE)


def _values(
    session: DbSession, table: type[Row], person: Patient, names: tuple[str, ...]
) -> set[tuple[Any, ...]]:
    rows = rows_of(session, table, person.id)
    return {tuple(getattr(row, name) for name in names) for row in rows}


def unique_beside_patient(table: type[Row]) -> Iterator[tuple[str, ...]]:
    """Yield the columns that are unique together with the patient's id."""
    mapped = table.__table__  # type: ignore[attr-defined]
    keys = [each for each in mapped.constraints if isinstance(each, UniqueConstraint)]
    for key in (*keys, *(each for each in mapped.indexes if each.unique)):
        names = [column.name for column in key.columns]
        if "patient_id" in names:
            yield tuple(name for name in names if name != "patient_id")
