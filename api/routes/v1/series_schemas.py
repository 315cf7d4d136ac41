"""Bodies of series of sessions.

https://docs.pydantic.dev/latest/concepts/models/
"""

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BeforeValidator, Field, PlainSerializer, StringConstraints, WithJsonSchema
from sqlmodel import Session as DbSession

from api.routes.v1.schema import Body, Count, Day, Page, RowOut, Schema, Text, unset
from service.models.base import Row
from service.models.series import Series, SeriesFormat
from service.series import attending

CLOCK = re.compile(r"(19[7-9]\d|[2-8]\d{3})-\d\d-\d\dT\d\d:\d\d(:\d\d)?")
SAID = "must be what the clocks show, without an offset, as in 2026-01-06T18:00:00"


def _wall(value: object) -> object:
    """Refuse an offset, which would say something else than the series' time zone."""
    if isinstance(value, datetime) and value.tzinfo is None:
        return value
    if not isinstance(value, str) or not CLOCK.fullmatch(value):
        raise ValueError(SAID)
    return value


def _shown(value: datetime) -> str:
    return value.isoformat(timespec="seconds")


Wall = Annotated[
    datetime,
    BeforeValidator(_wall),
    PlainSerializer(_shown, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^{CLOCK.pattern}$"}),
]
Rule = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
ZoneName = Annotated[str, StringConstraints(min_length=1, max_length=64)]

GROUP = ["0199b7c2-6c1f-7a53-9d3e-5b8f0c2a4e61"]
PLACE = ["0199b7c2-7d10-7c11-8a9f-1f4be2a9c001"]
RRULE = (
    "RFC 5545: FREQ (DAILY, WEEKLY, MONTHLY), with INTERVAL, BYDAY, BYMONTHDAY, BYSETPOS, WKST,"
    " COUNT or UNTIL"
)
START = "The first session, as the clocks show it there; an occurrence of the rule"
WHERE = "Where, if not at the group's place"
MINUTES = "How long a session lasts"
FORMAT = "`closed`: nobody joins the group once the first session has begun"
MINIMUM = "How many active members it takes; hospitals are not told"
FROM = "From which day on; today when left out"


class NewSeries(Body):
    rrule: Rule = Field(description=RRULE, examples=["FREQ=WEEKLY;BYDAY=TU"])
    start: Wall = Field(description=START, examples=["2026-01-06T18:00:00"])
    time_zone: ZoneName = Field(description="IANA time zone", examples=["America/New_York"])
    minutes: Count = Field(description=MINUTES, examples=[90])
    place_id: UUID | None = Field(default=None, description=WHERE, examples=PLACE)
    format: SeriesFormat = Field(default=SeriesFormat.OPEN, description=FORMAT, examples=["open"])
    minimum_size: Count | None = Field(default=None, description=MINIMUM, examples=[4])


class SeriesUpdate(Body):
    """What is left out stays as it is; sessions still to come follow, those moved by hand stay."""

    rrule: Rule = Field(default_factory=unset, description=RRULE, examples=["FREQ=WEEKLY;BYDAY=WE"])
    start: Wall = Field(
        default_factory=unset,
        description="The first session by the new rule; COUNT begins anew with a new rule",
        examples=["2026-03-04T18:30:00"],
    )
    minutes: Count = Field(default_factory=unset, description=MINUTES, examples=[60])
    place_id: UUID | None = Field(default_factory=unset, description=WHERE, examples=PLACE)
    format: SeriesFormat = Field(default_factory=unset, description=FORMAT, examples=["open"])
    minimum_size: Count | None = Field(default_factory=unset, description=MINIMUM, examples=[5])
    from_date: Day | None = Field(default=None, description=FROM, examples=["2026-03-01"])
    reason: Text | None = Field(
        default=None,
        description="Why sessions are cancelled that fall away; hospitals do not see it",
        examples=["The room is free on Wednesdays only"],
    )


class SeriesEnd(Body):
    reason: Text = Field(
        description="Why what lies ahead is cancelled; hospitals do not see it",
        examples=["The programme ends in June"],
    )
    from_date: Day | None = Field(default=None, description=FROM, examples=["2026-06-01"])


class OccurrenceException(Body):
    """Either a reason, to cancel the occurrence, or when it takes place instead."""

    occurrence: Wall = Field(description="When the series has it", examples=["2026-02-17T18:00:00"])
    reason: Text | None = Field(default=None, description="Why it is cancelled", examples=["Snow"])
    moved_to: Wall | None = Field(
        default=None,
        description="When it takes place instead, in the series' time zone",
        examples=[None, "2026-02-18T18:00:00"],
    )


class ExtraSession(Body):
    start: Wall = Field(
        description="When, in the series' time zone", examples=["2026-02-19T18:00:00"]
    )
    minutes: Count | None = Field(
        default=None, description="How long, if not as the series", examples=[60]
    )
    place_id: UUID | None = Field(
        default=None, description="Where, if not as the series", examples=PLACE
    )


class SeriesOut(RowOut):
    group_id: UUID = Field(description="Whose series it is", examples=GROUP)
    rrule: str = Field(description=RRULE, examples=["FREQ=WEEKLY;BYDAY=TU"])
    start: Wall = Field(
        description="The first session by this rule", examples=["2026-01-06T18:00:00"]
    )
    time_zone: str = Field(description="IANA time zone", examples=["America/New_York"])
    minutes: int = Field(description=MINUTES, examples=[90])
    place_id: UUID | None = Field(description=WHERE, examples=PLACE)
    format: SeriesFormat = Field(description=FORMAT, examples=["open"])
    minimum_size: int | None = Field(description=MINIMUM, examples=[4])
    below_minimum: bool = Field(
        default=False, description="Whether the group has fewer active members", examples=[False]
    )
    ended_from: date | None = Field(
        description="The day from which on it meets no more", examples=["2026-06-01"]
    )

    @classmethod
    def of_rows(cls, session: DbSession, rows: Sequence[Row]) -> list[Self]:
        found = super().of_rows(session, rows)
        sizes = attending(session, [item.group_id for item in found])
        for item in found:
            size = sizes.get(item.group_id, 0)
            item.below_minimum = item.minimum_size is not None and size < item.minimum_size
        return found


class ManySeries(Page):
    items: list[SeriesOut]


class PlanOut(Schema):
    made: int = Field(description="How many sessions were added", examples=[3])
    complete: bool = Field(
        description="Whether all up to the horizon are there; 100 may lie ahead", examples=[True]
    )


def series_out(session: DbSession, row: Series) -> SeriesOut:
    return SeriesOut.of_rows(session, [row])[0]
