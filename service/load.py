"""A facilitator's load, for the coordinator alone: groups, their sizes, sessions, what is overdue.

It counts members and names none; no document is made from it (ADR 0023).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Mapped
from sqlmodel import Session as DbSession
from sqlmodel import col, func, select

from service.models.enrollments import Enrollment, EnrollmentStatus
from service.models.facilitation import Supervision
from service.models.groups import Facilitator, GroupStatus, Session, SessionStatus, SupportGroup
from service.standing import Standing, oversight_of, standings, stops

MEMBERS = (EnrollmentStatus.ACTIVE, EnrollmentStatus.ON_HOLD)


@dataclass(frozen=True, kw_only=True)
class Period:
    """From `since` up to, and without, `until`."""

    since: datetime
    until: datetime


@dataclass(frozen=True, kw_only=True)
class GroupLoad:
    """A group that somebody leads now: `members` hold a seat, `sessions` are not cancelled."""

    group_id: UUID
    neutral_name: str
    status: GroupStatus
    members: int
    capacity: int
    sessions: int


@dataclass(frozen=True, kw_only=True)
class Load:
    """What one facilitator carries; `stops_enrollment` says whether their groups are closed."""

    facilitator: Facilitator
    period: Period
    groups: tuple[GroupLoad, ...]
    supervises: int
    standing: Standing
    stops_enrollment: bool


def loads(
    session: DbSession, people: Sequence[Facilitator], period: Period, now: datetime
) -> list[Load]:
    """Return what each of these facilitators carries, in the same order."""
    ids = [each.id for each in people]
    led = _groups(session, ids, period)
    supervised = _counts(session, col(Supervision.supervisor_id), ids)
    found, oversight = standings(session, people, now), oversight_of(session)
    return [
        Load(
            facilitator=person,
            period=period,
            groups=tuple(load for leader, load in led if leader == person.id),
            supervises=supervised.get(person.id, 0),
            standing=found[person.id],
            stops_enrollment=stops(oversight, found[person.id].lapses, now),
        )
        for person in people
    ]


def _groups(
    session: DbSession, leaders: Iterable[UUID], period: Period
) -> list[tuple[UUID | None, GroupLoad]]:
    table = SupportGroup
    led = col(table.facilitator_id).in_(leaders), col(table.status) != GroupStatus.CLOSED
    groups = session.exec(select(table).where(*led).order_by(col(table.id))).all()
    ids = [each.id for each in groups]
    members, sessions = _members(session, ids), _sessions(session, ids, period)
    return [
        (
            each.facilitator_id,
            GroupLoad(
                group_id=each.id,
                neutral_name=each.neutral_name,
                status=each.status,
                members=members.get(each.id, 0),
                capacity=each.capacity,
                sessions=sessions.get(each.id, 0),
            ),
        )
        for each in groups
    ]


def _members(session: DbSession, groups: Iterable[UUID]) -> dict[UUID, int]:
    seated = col(Enrollment.status).in_(MEMBERS)
    return _counts(session, col(Enrollment.group_id), groups, seated)


def _sessions(session: DbSession, groups: Iterable[UUID], period: Period) -> dict[UUID, int]:
    return _counts(
        session,
        col(Session.group_id),
        groups,
        col(Session.status) != SessionStatus.CANCELLED,
        col(Session.start) >= period.since,
        col(Session.start) < period.until,
    )


def _counts(
    session: DbSession,
    of: Mapped[Any],
    ids: Iterable[UUID],
    *where: ColumnElement[bool],
) -> dict[UUID, int]:
    """Return how many rows there are for each of these ids in the column."""
    statement = select(of, func.count()).where(of.in_(ids), *where).group_by(of)
    return {one: count for one, count in session.exec(statement)}  # noqa: C416
