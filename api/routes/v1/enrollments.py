"""Enrolments of people in groups, with the history of their status.

https://www.rfc-editor.org/rfc/rfc9110
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field
from sqlmodel import Session as DbSession
from sqlmodel import col, select

from api.routes.v1.calls import Reading, Writing, answer, show, show_rows
from api.routes.v1.paging import Paged
from api.routes.v1.preconditions import SeenVersion
from api.routes.v1.schema import Body, Moment, Page, RowOut, Schema, Text
from service.commands import ChangeEnrollment, Enroll
from service.models.base import Row
from service.models.enrollments import Enrollment, EnrollmentStatus, EnrollmentStatusChange
from service.models.groups import SupportGroup
from service.rows import get
from service.standing import LAPSE, warnings_of

router = APIRouter(tags=["enrollments"])

PERSON = ["0199b7c2-6b02-7e11-a2d4-9c3f5e7a1b20"]
BEGAN = "2026-01-05T17:00:00Z"


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


class EnrollmentUpdate(Body):
    status: EnrollmentStatus = Field(description="The status from now on", examples=["on-hold"])
    at: Moment | None = Field(
        default=None, description="From when; now when left out", examples=["2026-02-02T17:00:00Z"]
    )
    reason: Text | None = Field(
        default=None, description="Why; needed when it is finished", examples=["Travelling"]
    )


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
    history: list[StatusOut] = Field(
        default=[],
        description="Every status it had, oldest first",
        examples=[[StatusOut.example()]],
    )

    @classmethod
    def of_rows(cls, session: DbSession, rows: Sequence[Row]) -> list[Self]:
        found = super().of_rows(session, rows)
        histories = _histories(session, [row.id for row in rows])
        for item in found:
            item.history = histories[item.id]
        return found


class EnrollmentMade(EnrollmentOut):
    warnings: list[str] = Field(
        default=[], description="What the coordinator should be told", examples=[[LAPSE]]
    )


class Enrollments(Page):
    items: list[EnrollmentOut]


def _histories(session: DbSession, ids: Sequence[UUID]) -> dict[UUID, list[StatusOut]]:
    change: Any = EnrollmentStatusChange
    statement = select(EnrollmentStatusChange).where(col(change.enrollment_id).in_(ids))
    found: dict[UUID, list[StatusOut]] = defaultdict(list)
    for row in session.exec(statement.order_by(col(change.start), col(change.id))):
        found[row.enrollment_id].append(StatusOut.model_validate(row))
    return found


@router.get("/groups/{group_id}/enrollments", response_model=Enrollments)
def list_enrollments(
    call: Reading,
    page: Paged,
    group_id: UUID,
    status: Annotated[EnrollmentStatus | None, Query(description="Only these")] = None,
) -> Response:
    found = select(Enrollment).where(Enrollment.group_id == group_id)
    if status is not None:
        found = found.where(Enrollment.status == status)
    group = (SupportGroup, group_id)
    return show_rows(call, Enrollments, EnrollmentOut, (found, Enrollment, page), within=group)


@router.post("/groups/{group_id}/enrollments", status_code=201, response_model=EnrollmentMade)
def enroll(call: Writing, group_id: UUID, body: NewEnrollment) -> Response:
    """Propose, wait-list or enrol a person, within the group's capacity."""
    call.about([body.patient_id])
    row = call.execute(Enroll(group_id=group_id, **body.values()))
    found = call.read(lambda session: _made(session, row.id, call.context.clock()))
    return answer(call, found, found.version, location=f"/v1/enrollments/{row.id}")


def _made(session: DbSession, enrollment_id: UUID, now: datetime) -> EnrollmentMade:
    row = get(session, Enrollment, enrollment_id)
    (item,) = EnrollmentMade.of_rows(session, [row])
    item.warnings = warnings_of(session, get(session, SupportGroup, row.group_id), now)
    return item


@router.get("/enrollments/{enrollment_id}", response_model=EnrollmentOut)
def read_enrollment(call: Reading, enrollment_id: UUID) -> Response:
    return show(call, EnrollmentOut, Enrollment, enrollment_id)


@router.patch("/enrollments/{enrollment_id}", response_model=EnrollmentOut)
def change_enrollment(
    call: Writing, seen: SeenVersion, enrollment_id: UUID, body: EnrollmentUpdate
) -> Response:
    """Move it to another status; the history keeps the one before."""
    call.execute(ChangeEnrollment(enrollment_id=enrollment_id, **body.values(), if_match=seen))
    return show(call, EnrollmentOut, Enrollment, enrollment_id)
