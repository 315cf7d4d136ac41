"""Memberships as measuring knows them, and which one a person's progress is counted from."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session as DbSession
from sqlmodel import col, select

from service.driver import columns
from service.models.enrollments import Enrollment, EnrollmentStatus, EnrollmentStatusChange
from service.models.groups import Session, SessionStatus
from service.progress.occasions import Membership

Periods = list[tuple[datetime, datetime | None]]


def memberships(session: DbSession, keys: Iterable[UUID], by: str = "id") -> list[Membership]:
    """Return what has been a membership, by its own or another key; a guest's visit is none."""
    rows = [row for row in columns(session, Enrollment, keys, by) if not row["guest"]]
    active: dict[UUID, Periods] = defaultdict(list)
    ids = [row["id"] for row in rows]
    for change in columns(session, EnrollmentStatusChange, ids, "enrollment_id"):
        if change["status"] is EnrollmentStatus.ACTIVE:
            active[change["enrollment_id"]].append((change["start"], change["end"]))
    return [
        Membership(
            enrollment_id=row["id"],
            patient_id=row["patient_id"],
            group_id=row["group_id"],
            start=row["start"],
            end=row["end"],
            active=tuple(sorted(active[row["id"]], key=lambda period: period[0])),
        )
        for row in rows
        if active[row["id"]]
    ]


def held(session: DbSession, groups: Iterable[UUID]) -> dict[UUID, list[datetime]]:
    """Return when each group's sessions ended that were held."""
    found: dict[UUID, list[datetime]] = defaultdict(list)
    where = col(Session.group_id).in_(set(groups)), Session.status == SessionStatus.HELD
    for group_id, end in session.exec(select(Session.group_id, Session.end).where(*where)):
        found[group_id].append(end)
    return found


def index_date(
    periods: Sequence[tuple[datetime, datetime | None]], now: datetime
) -> datetime | None:
    """Return when the membership began that progress is counted from.

    Of those in force the one that began first; where none is, the one that ended last.
    """
    begun = [each for each in periods if each[0] <= now]
    if not begun:
        return None
    going = [start for start, end in begun if end is None or end > now]
    if going:
        return min(going)
    return max(begun, key=lambda each: (each[1] or now, each[0]))[0]
