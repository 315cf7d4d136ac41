"""What can be asked of series of sessions, and of facilitators' calendars.

Times without an offset are what the clocks show in the series' time zone. Sessions are planned for
so many `weeks` ahead.
"""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from service.commands.unset import UNSET, Unset
from service.models.series import SeriesFormat

WEEKS = 12


@dataclass(frozen=True, kw_only=True)
class CreateSeries:
    group_id: UUID
    rrule: str
    start: datetime
    time_zone: str
    minutes: int
    place_id: UUID | None = None
    format: SeriesFormat = SeriesFormat.OPEN
    minimum_size: int | None = None
    weeks: int = WEEKS


@dataclass(frozen=True, kw_only=True)
class UpdateSeries:
    """Change a series; its sessions follow from `from_date` on, or from today."""

    series_id: UUID
    rrule: str | Unset = UNSET
    start: datetime | Unset = UNSET
    minutes: int | Unset = UNSET
    place_id: UUID | Unset | None = UNSET
    format: SeriesFormat | Unset = UNSET
    minimum_size: int | Unset | None = UNSET
    from_date: date | None = None
    reason: str | None = None
    weeks: int = WEEKS
    if_match: int | None = None


@dataclass(frozen=True, kw_only=True)
class PlanSeries:
    series_id: UUID
    weeks: int = WEEKS


@dataclass(frozen=True, kw_only=True)
class EndSeries:
    """Cancel what lies ahead, from `from_date` on or from now, and plan no more."""

    series_id: UUID
    reason: str
    from_date: date | None = None
    if_match: int | None = None


@dataclass(frozen=True, kw_only=True)
class ExceptOccurrence:
    """Cancel one occurrence, for a `reason`, or move it."""

    series_id: UUID
    occurrence: datetime
    reason: str | None = None
    moved_to: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class AddExtraSession:
    series_id: UUID
    start: datetime
    minutes: int | None = None
    place_id: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class OpenCalendar:
    """Make the address of a facilitator's calendar; the one before ends."""

    facilitator_id: UUID


@dataclass(frozen=True, kw_only=True)
class CloseCalendar:
    facilitator_id: UUID
