"""Which rows follow a person from one record to another, and back.

A new table with a patient's id takes its place here, or among the reasons of
`tests/service/merging/test_every_column.py`.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlmodel import Session as DbSession
from sqlmodel import col, select

from service.models.base import Row
from service.models.consents import Consent
from service.models.enrollments import Attendance, Enrollment
from service.models.glass import BrokenGlass
from service.models.merges import Merge, MergeMove, Moving
from service.models.patients import Link
from service.models.rules import Agreement
from service.models.screening import Alert, Response
from service.models.subjects import CorrectionRequest, Restriction

# Each has `patient_id`; what hangs on another comes after it.
FOLLOWING: tuple[type[Row], ...] = (
    Link,
    Consent,
    Enrollment,
    Agreement,
    Attendance,
    Response,
    Alert,
    Restriction,
    CorrectionRequest,
    BrokenGlass,
)
# What a row of these was to begin with: its documents, or the hospital's Patient, keep their ids.
FIRST: dict[type[Row], str] = {Link: "known_as_id", Enrollment: "made_for_id"}


def rows_of(session: DbSession, table: type[Row], patient_id: UUID) -> list[Any]:
    """Return the rows of a table that are this patient's, oldest first."""
    column = table.__table__.c.patient_id  # type: ignore[attr-defined]
    return list(session.exec(select(table).where(column == patient_id).order_by(col(table.id))))


def move(session: DbSession, merge: Merge) -> None:
    """Make everything of the source the target's, and remember what was moved."""
    agreed = {row.rules_id for row in rows_of(session, Agreement, merge.target_id)}
    for table in FOLLOWING:
        for row in rows_of(session, table, merge.source_id):
            if isinstance(row, Agreement) and row.rules_id in agreed:
                continue  # to one version a person agrees once
            row.patient_id = merge.target_id
            if (first := FIRST.get(table)) and getattr(row, first) is None:
                setattr(row, first, merge.source_id)
            remember(session, merge, row)


def remember(session: DbSession, merge: Merge, row: Row, moving: Moving = Moving.MOVED) -> None:
    name = str(row.__tablename__)
    session.add(MergeMove(merge_id=merge.id, table_name=name, row_id=row.id, moving=moving))


def remembered(session: DbSession, merge: Merge, moving: Moving) -> dict[str, set[UUID]]:
    """Return the ids of the rows to which this was done, by table."""
    where = (MergeMove.merge_id == merge.id, MergeMove.moving == moving)
    found: dict[str, set[UUID]] = defaultdict(set)
    for each in session.exec(select(MergeMove).where(*where)):
        found[each.table_name].add(each.row_id)
    return found


def put_back(session: DbSession, merge: Merge) -> set[UUID]:
    """Give the source back what was moved and what hangs on it; return whose links went back.

    What was made since stays, save what a hospital sent that knows the person by the source.
    """
    going = remembered(session, merge, Moving.MOVED)
    returning = _returning(session, merge, going)
    _sent_since(session, merge, going, returning)
    for table in FOLLOWING:
        name = str(table.__tablename__)
        for row in rows_of(session, table, merge.target_id):
            if row.id in going[name] or _hangs_on(row, going):
                going[name].add(row.id)
                row.patient_id = merge.source_id
                _begin_again(row, merge)
    return returning


def _begin_again(row: Any, merge: Merge) -> None:  # noqa: ANN401 - a row that follows
    first = FIRST.get(type(row))
    if first and getattr(row, first) == merge.source_id:
        setattr(row, first, None)


def _returning(session: DbSession, merge: Merge, going: dict[str, set[UUID]]) -> set[UUID]:
    """Return the hospitals that know the person by the source; links made since go back too."""
    links: list[Link] = rows_of(session, Link, merge.target_id)
    moved = going[Link.__tablename__]
    names = {merge.source_id} | {row.known_as_id for row in links if row.id in moved}
    moved |= {row.id for row in links if row.known_as_id in names}
    latest = {row.connection_id: row for row in sorted(links, key=_age)}
    return {connection for connection, row in latest.items() if row.id in moved}


def _age(row: Link) -> tuple[object, UUID]:
    return row.confirmed_at, row.id


def _sent_since(
    session: DbSession, merge: Merge, going: dict[str, set[UUID]], returning: set[UUID]
) -> None:
    """Let go what these hospitals have sent since: it names the Patient that they go on reading."""
    going[Response.__tablename__] |= {
        row.id
        for row in rows_of(session, Response, merge.target_id)
        if row.connection_id in returning and row.created_at >= merge.merged_at
    }


def _hangs_on(row: Row, going: dict[str, set[UUID]]) -> bool:
    """Tell whether the row belongs to one that goes, such as an alert to its response."""
    return any(getattr(row, name) in going[parent] for name, parent in parents(type(row)))


def parents(table: type[Row]) -> Iterable[tuple[str, str]]:
    """Yield the columns of a table that refer to rows that follow, with these rows' table."""
    tables = {str(each.__tablename__) for each in FOLLOWING}
    for column in table.__table__.columns:  # type: ignore[attr-defined]
        for key in column.foreign_keys:
            if key.column.table.name in tables:
                yield column.name, key.column.table.name
