"""Series of sessions, and the calendars that facilitators subscribe to."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlmodel import Field

from service.models.base import Row, WallTime, enum_text


class SeriesFormat(StrEnum):
    """Whether people may join once the first session has begun."""

    OPEN = "open"
    CLOSED = "closed"


class Series(Row, table=True):
    """Sessions that recur: from when and by which rule they are planned now.

    Those before the `start` were planned by what stood here then.
    """

    __tablename__ = "series"

    group_id: UUID = Field(foreign_key="support_groups.id", index=True)
    rrule: str
    start: datetime = Field(sa_type=WallTime)
    time_zone: str
    minutes: int
    place_id: UUID | None = Field(default=None, foreign_key="places.id")
    format: SeriesFormat = Field(default=SeriesFormat.OPEN, sa_type=enum_text(SeriesFormat))
    minimum_size: int | None = None
    ended_from: date | None = None


class Calendar(Row, table=True):
    """The address of a facilitator's calendar; without a hash there is none."""

    __tablename__ = "calendars"

    facilitator_id: UUID = Field(foreign_key="facilitators.id", unique=True)
    token_hash: str | None = Field(default=None, unique=True, max_length=64)
