"""Bodies of enrolments, of the waitlist and of its offers.

https://docs.pydantic.dev/latest/concepts/models/
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from pydantic import Field, StrictBool
from sqlmodel import Session as DbSession
from sqlmodel import col, select

from api.routes.v1.schema import Body, Moment, Page, RowOut, Schema, Text
from service.commands import OfferAnswer
from service.models.base import Row
from service.models.enrollments import Enrollment, EnrollmentStatus, EnrollmentStatusChange
from service.standing import LAPSE

PERSON = ["0199b7c2-6b02-7e11-a2d4-9c3f5e7a1b20"]
GROUP = ["0199b7c2-6c1f-7a53-9d3e-5b8f0c2a4e61"]
OTHER = ["0199b7c2-8a10-7d01-9b2c-3c4d5e6f7081"]
BEGAN = "2026-01-05T17:00:00Z"
AHEAD = "With a reason: a free seat out of turn, or the head of the waitlist"
UNTIL = "When the present status ends by itself: an offer expires, a hold is over"


class NewEnrollment(Body):
    patient_id: UUID = Field(description="Who", examples=PERSON)
    status: EnrollmentStatus = Field(
        default=EnrollmentStatus.ACTIVE,
        description="`proposed`, `waitlisted` or `active`",
        examples=["active"],
    )
    start: Moment | None = Field(
        default=None, description="From when; now when left out", examples=[BEGAN]
    )
    ahead_of_waitlist: StrictBool = Field(default=False, description=AHEAD, examples=[False])
    reason: Text | None = Field(
        default=None,
        description="Why; needed with `ahead_of_waitlist`",
        examples=["Asked for by phone"],
    )


class EnrollmentUpdate(Body):
    status: EnrollmentStatus = Field(description="The status from now on", examples=["on-hold"])
    at: Moment | None = Field(
        default=None, description="From when; now when left out", examples=["2026-02-02T17:00:00Z"]
    )
    reason: Text | None = Field(
        default=None,
        description="Why; needed for `on-hold` and `finished`",
        examples=["Travelling"],
    )
    until: Moment | None = Field(
        default=None,
        description="With `on-hold` only: when it becomes active again by itself",
        examples=["2026-03-02T17:00:00Z"],
    )
    ahead_of_waitlist: StrictBool = Field(default=False, description=AHEAD, examples=[False])


class StatusOut(Schema):
    status: EnrollmentStatus = Field(description="The status it had", examples=["active"])
    start: datetime = Field(description="From when", examples=[BEGAN])
    end: datetime | None = Field(
        description="Until when; null for the present", examples=["2026-03-30T17:00:00Z"]
    )
    reason: str | None = Field(
        description="Why it was changed to this", examples=["Seat became free"]
    )


class EnrollmentOut(RowOut):
    patient_id: UUID = Field(description="Who", examples=PERSON)
    group_id: UUID = Field(
        description="In which group", examples=["0199b7c2-6c1f-7a53-9d3e-5b8f0c2a4e61"]
    )
    status: EnrollmentStatus = Field(description="Its present status", examples=["finished"])
    start: datetime = Field(description="From when", examples=[BEGAN])
    end: datetime | None = Field(description="When it finished", examples=["2026-03-30T17:00:00Z"])
    finish_reason: str | None = Field(description="Why it finished", examples=["Moved away"])
    until: datetime | None = Field(description=UNTIL, examples=["2026-03-02T17:00:00Z"])
    missed_offers: int = Field(
        description="Offers that expired; the second one ends the enrolment", examples=[0]
    )
    guest: bool = Field(
        description="A member for one session: somebody who walked in", examples=[False]
    )
    transferred_from_id: UUID | None = Field(
        description="The enrolment in another group that this one goes on from", examples=OTHER
    )
    transferred_to_id: UUID | None = Field(
        default=None, description="The enrolment that goes on from this one", examples=OTHER
    )
    history: list[StatusOut] = Field(
        default=[],
        description="Every status it had, oldest first",
        examples=[[StatusOut.example()]],
    )

    @classmethod
    def of_rows(cls, session: DbSession, rows: Sequence[Row]) -> list[Self]:
        found = super().of_rows(session, rows)
        ids = [row.id for row in rows]
        histories, following = _histories(session, ids), _following(session, ids)
        for item in found:
            item.history = histories[item.id]
            item.transferred_to_id = following.get(item.id)
        return found


class EnrollmentMade(EnrollmentOut):
    warnings: list[str] = Field(
        default=[], description="What the coordinator should be told", examples=[[LAPSE]]
    )


class Enrollments(Page):
    items: list[EnrollmentOut]


class Answer(Body):
    answer: OfferAnswer = Field(description="What the person says", examples=["accept"])
    not_before: Moment | None = Field(
        default=None,
        description="With `decline`: stay on the list, at its end, passed over until then",
        examples=[None],
    )
    reason: Text | None = Field(
        default=None, description="Why, for the history", examples=["Reached by phone"]
    )


class Transfer(Body):
    group_id: UUID = Field(description="To which group", examples=GROUP)
    status: EnrollmentStatus = Field(
        default=EnrollmentStatus.ACTIVE, description="`active` or `waitlisted`", examples=["active"]
    )
    at: Moment | None = Field(
        default=None, description="From when; now when left out", examples=["2026-02-02T17:00:00Z"]
    )
    reason: Text | None = Field(
        default=None,
        description="Why; needed with `ahead_of_waitlist`",
        examples=["Meets closer to home"],
    )
    ahead_of_waitlist: StrictBool = Field(default=False, description=AHEAD, examples=[False])


class WaitingOut(Schema):
    enrollment_id: UUID = Field(description="The enrolment", examples=OTHER)
    version: int = Field(
        validation_alias="row_version", description="What If-Match names", examples=[2]
    )
    patient_id: UUID = Field(description="Who", examples=PERSON)
    status: EnrollmentStatus = Field(description="`waitlisted` or `offered`", examples=["offered"])
    position: int | None = Field(
        description="Place in line; null for who has an offer", examples=[None]
    )
    start: datetime = Field(description="Since when they wait", examples=[BEGAN])
    until: datetime | None = Field(
        description="When the offer expires, or until when they are passed over",
        examples=["2026-01-08T17:00:00Z"],
    )
    missed_offers: int = Field(description="Offers that expired", examples=[0])


class Waitlist(Page):
    items: list[WaitingOut]


def _histories(session: DbSession, ids: Sequence[UUID]) -> dict[UUID, list[StatusOut]]:
    change: Any = EnrollmentStatusChange
    statement = select(EnrollmentStatusChange).where(col(change.enrollment_id).in_(ids))
    found: dict[UUID, list[StatusOut]] = defaultdict(list)
    in_time = (col(change.start), col(change.end).nulls_last(), col(change.id))
    for row in session.exec(statement.order_by(*in_time)):
        found[row.enrollment_id].append(StatusOut.model_validate(row))
    return found


def _following(session: DbSession, ids: Sequence[UUID]) -> dict[UUID | None, UUID]:
    origin = col(Enrollment.transferred_from_id)
    return dict(session.exec(select(origin, Enrollment.id).where(origin.in_(ids))).all())
