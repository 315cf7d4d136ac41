"""Enrolments of people in groups, with the history of their status.

https://www.rfc-editor.org/rfc/rfc9110
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from sqlmodel import Session as DbSession
from sqlmodel import select

from api.routes.v1.calls import Reading, Writing, answer, show, show_rows
from api.routes.v1.enrollment_schemas import (
    EnrollmentMade,
    EnrollmentOut,
    Enrollments,
    EnrollmentUpdate,
    NewEnrollment,
    Transfer,
)
from api.routes.v1.paging import Paged
from api.routes.v1.preconditions import SeenVersion
from service.commands import ChangeEnrollment, Enroll, TransferEnrollment
from service.models.enrollments import Enrollment, EnrollmentStatus
from service.models.groups import SupportGroup
from service.rows import get
from service.standing import warnings_of

router = APIRouter(tags=["enrollments"])


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
    """Propose, wait-list or enrol a person, within the group's capacity and past nobody."""
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


@router.post("/enrollments/{enrollment_id}/transfer", status_code=201, response_model=EnrollmentOut)
def transfer_enrollment(
    call: Writing, seen: SeenVersion, enrollment_id: UUID, body: Transfer
) -> Response:
    """End it and begin one in another group, whose seats and waitlist hold as for anyone."""
    command = TransferEnrollment(enrollment_id=enrollment_id, **body.values(), if_match=seen)
    row = call.execute(command)
    return show(call, EnrollmentOut, Enrollment, row.id, created="enrollments")
