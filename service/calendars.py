"""The calendar that a facilitator's phone subscribes to, at an address that is its own key.

Only the hash of the address' token is kept. What is served names groups by their neutral names,
and nobody: phones show calendars to others.
"""

import hashlib
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel import Session as DbSession
from sqlmodel import col, select

from service.commands import CloseCalendar, OpenCalendar
from service.errors import NotFoundError
from service.models.groups import Facilitator, Place, Session, SessionStatus, SupportGroup
from service.models.series import Calendar, Series
from service.recurrence import moment, zone
from service.rows import apply, get

BITS = 256
PREFIX = "cal_"  # so that a token can be told in a text, and taken out of it
TOKEN = re.compile(r"cal_[\w-]{43}", re.ASCII)
PAST = timedelta(weeks=12)


@dataclass(frozen=True)
class Opened:
    """A calendar with its token, which is known here once."""

    calendar: Calendar
    token: str


@dataclass(frozen=True)
class Event:
    """One session as a calendar shows it; `recurrence_id` is when its series would have it."""

    uid: UUID
    recurrence_id: datetime | None
    start: datetime
    end: datetime
    summary: str
    place: str
    is_cancelled: bool
    revision: int
    revised_at: datetime


def open_calendar(session: DbSession, command: OpenCalendar, _now: datetime) -> Opened:
    """Make an address for a facilitator's calendar; the one before ends."""
    get(session, Facilitator, command.facilitator_id)
    token = PREFIX + secrets.token_urlsafe(BITS // 8)
    row = calendar_of(session, command.facilitator_id)
    if row is None:
        row = Calendar(facilitator_id=command.facilitator_id)
        session.add(row)
    row.token_hash = hashed(token)
    return Opened(row, token)


def close_calendar(session: DbSession, command: CloseCalendar, _now: datetime) -> None:
    """End the address of a facilitator's calendar."""
    apply(existing_calendar(session, command.facilitator_id), {"token_hash": None})


def existing_calendar(session: DbSession, facilitator_id: UUID) -> Calendar:
    """Return a facilitator's calendar, whether its address still answers or not.

    Raises:
        NotFoundError: there is no such facilitator, or no address was ever made.
    """
    get(session, Facilitator, facilitator_id)
    row = calendar_of(session, facilitator_id)
    if row is None:
        raise NotFoundError("the facilitator has no calendar")
    return row


def calendar_of(session: DbSession, facilitator_id: UUID) -> Calendar | None:
    statement = select(Calendar).where(Calendar.facilitator_id == facilitator_id)
    return session.exec(statement).first()


def hashed(token: str) -> str:
    """Return what is kept of a token; it is random, and so cannot be guessed from this."""
    return hashlib.sha256(token.encode()).hexdigest()


def events(session: DbSession, token: str, now: datetime) -> tuple[UUID, list[Event]] | None:
    """Return whose calendar a token opens and what stands in it; None where it opens none.

    A token that is not known asks the same of the database as one that is.
    """
    statement = select(Calendar, Facilitator).join(
        Facilitator, col(Facilitator.id) == col(Calendar.facilitator_id)
    )
    found = session.exec(statement.where(Calendar.token_hash == hashed(token))).first()
    calendar, leads = found or (Calendar(facilitator_id=NOBODY), None)
    shown = list(_events(session, calendar.facilitator_id, now - PAST))
    return (calendar.facilitator_id, shown) if leads is not None and leads.active else None


NOBODY = UUID(int=0)


def _events(session: DbSession, facilitator_id: UUID, since: datetime) -> Iterator[Event]:
    led = select(SupportGroup).where(SupportGroup.facilitator_id == facilitator_id)
    groups = {each.id: each for each in session.exec(led)}
    mine = select(Session).where(col(Session.group_id).in_(groups), Session.end > since)
    rows = session.exec(mine.order_by(col(Session.start), col(Session.id))).all()
    recurring = select(Series).where(col(Series.group_id).in_(groups))
    zones = {each.id: zone(each.time_zone) for each in session.exec(recurring)}
    where = [row.place_id or groups[row.group_id].place_id for row in rows]
    places = {p.id: p for p in session.exec(select(Place).where(col(Place.id).in_(set(where))))}
    for row, place_id in zip(rows, where, strict=True):
        place = places.get(place_id) if place_id else None
        yield _event(row, groups[row.group_id], place, zones)


def _event(
    row: Session, group: SupportGroup, place: Place | None, zones: dict[UUID, ZoneInfo]
) -> Event:
    occurrence = None
    if row.series_id and row.occurrence:
        occurrence = moment(row.occurrence, zones[row.series_id])
    return Event(
        uid=row.series_id or row.id,
        recurrence_id=occurrence,
        start=row.start,
        end=row.end,
        summary=group.neutral_name,
        place=", ".join(filter(None, (place.name, place.line, place.city))) if place else "",
        is_cancelled=row.status is SessionStatus.CANCELLED,
        revision=row.row_version - 1,
        revised_at=row.revised_at or row.created_at,
    )
