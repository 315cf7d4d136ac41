"""Supervision of facilitators, for the coordinator alone: who, when, and when next.

https://www.rfc-editor.org/rfc/rfc9110
"""

from datetime import date
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field
from sqlmodel import Session as DbSession
from sqlmodel import select

from api.routes.v1.calls import Call, Coordinating, Overseeing, answer, show, show_rows
from api.routes.v1.paging import Paged
from api.routes.v1.preconditions import SeenVersion
from api.routes.v1.schema import Body, Day, Page, RowOut, Text
from service.commands import ArrangeSupervision, RecordSupervision
from service.errors import NotFoundError
from service.facilitators import supervision_of
from service.models.facilitation import SupervisionSession
from service.models.groups import Facilitator
from service.rows import get

router = APIRouter(tags=["coordination"])

PERSON = ["0199b7c2-7d11-7f02-b1c4-77ab0e5d1002"]
SUPERVISOR = ["0199b7c2-7d12-7a03-9c5d-88bc1f6e2003"]
CONTACT = ["Dr. Lee, 555-0101"]
BY = "On whose behalf; the client's name when left out"
DUE = "The last day for the next session, where one was set; else the operator's interval counts"


class SupervisionIn(Body):
    supervisor_id: UUID | None = Field(
        default=None, description="The facilitator who supervises", examples=SUPERVISOR
    )
    contact: Text | None = Field(
        default=None, description="Who supervises, if it is no facilitator here", examples=[None]
    )
    next_due: Day | None = Field(default=None, description=DUE, examples=["2026-04-01"])


class SupervisionOut(RowOut):
    facilitator_id: UUID = Field(description="Who is supervised", examples=PERSON)
    supervisor_id: UUID | None = Field(
        description="The facilitator who supervises", examples=SUPERVISOR
    )
    contact: str | None = Field(
        description="Who supervises, if it is no facilitator here", examples=CONTACT
    )
    next_due: date | None = Field(description=DUE, examples=["2026-04-01"])


class NewSupervisionSession(Body):
    held_on: Day = Field(description="The day it was held", examples=["2026-03-04"])
    next_due: Day | None = Field(default=None, description=DUE, examples=["2026-04-01"])
    recorded_by: Text | None = Field(default=None, description=BY, examples=["Sam Ortiz"])


class SupervisionSessionOut(RowOut):
    facilitator_id: UUID = Field(description="Who was supervised", examples=PERSON)
    supervisor_id: UUID | None = Field(
        description="The facilitator who supervised", examples=SUPERVISOR
    )
    contact: str | None = Field(
        description="Who supervised, if it was no facilitator here", examples=CONTACT
    )
    held_on: date = Field(description="The day it was held", examples=["2026-03-04"])
    recorded_by: str = Field(description="Who said so", examples=["Sam Ortiz"])


class SupervisionSessions(Page):
    items: list[SupervisionSessionOut]


@router.get("/facilitators/{facilitator_id}/supervision", response_model=SupervisionOut)
def read_supervision(call: Overseeing, facilitator_id: UUID) -> Response:
    """Who supervises a facilitator; 404 while nobody does."""
    return _show(call, facilitator_id)


@router.put("/facilitators/{facilitator_id}/supervision", response_model=SupervisionOut)
def arrange_supervision(
    call: Coordinating, seen: SeenVersion, facilitator_id: UUID, body: SupervisionIn
) -> Response:
    """Say who supervises: another facilitator, or a contact who is named."""
    call.execute(ArrangeSupervision(facilitator_id=facilitator_id, **body.values(), if_match=seen))
    return _show(call, facilitator_id)


@router.get(
    "/facilitators/{facilitator_id}/supervision-sessions", response_model=SupervisionSessions
)
def list_supervision_sessions(call: Overseeing, page: Paged, facilitator_id: UUID) -> Response:
    found = select(SupervisionSession).where(SupervisionSession.facilitator_id == facilitator_id)
    return show_rows(
        call,
        SupervisionSessions,
        SupervisionSessionOut,
        (found, SupervisionSession, page),
        within=(Facilitator, facilitator_id),
    )


@router.post(
    "/facilitators/{facilitator_id}/supervision-sessions",
    status_code=201,
    response_model=SupervisionSessionOut,
)
def record_supervision(
    call: Coordinating, facilitator_id: UUID, body: NewSupervisionSession
) -> Response:
    """Record one that was held, with whoever supervises now; `next_due` is set or emptied."""
    given = {**body.values(), "recorded_by": call.by(body.recorded_by)}
    row = call.execute(RecordSupervision(facilitator_id=facilitator_id, **given))
    created = "supervision-sessions"
    return show(call, SupervisionSessionOut, SupervisionSession, row.id, created=created)


@router.get("/supervision-sessions/{supervision_session_id}", response_model=SupervisionSessionOut)
def read_supervision_session(call: Overseeing, supervision_session_id: UUID) -> Response:
    return show(call, SupervisionSessionOut, SupervisionSession, supervision_session_id)


def _show(call: Call, facilitator_id: UUID) -> Response:
    def work(session: DbSession) -> SupervisionOut:
        row = supervision_of(session, get(session, Facilitator, facilitator_id))
        if row is None:
            raise NotFoundError("nobody supervises this facilitator yet")
        return SupervisionOut.model_validate(row)

    found = call.read(work)
    return answer(call, found, found.version)
