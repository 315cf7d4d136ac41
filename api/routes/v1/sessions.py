"""Sessions of a group: planned, moved, held, cancelled.

https://www.rfc-editor.org/rfc/rfc9110
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field
from sqlmodel import select

from api.routes.v1.calls import Reading, Writing, show, show_rows
from api.routes.v1.paging import Paged
from api.routes.v1.preconditions import SeenVersion
from api.routes.v1.schema import Body, Moment, Page, RowOut, Text, unset
from api.routes.v1.series_schemas import Wall
from service.commands import CreateSession, UpdateSession
from service.models.groups import Recurrence, Session, SessionStatus, SupportGroup

router = APIRouter(tags=["sessions"])

GROUP = ["0199b7c2-6c1f-7a53-9d3e-5b8f0c2a4e61"]
PLACE = ["0199b7c2-7d10-7c11-8a9f-1f4be2a9c001"]
SERIES = ["0199b7c2-7e20-7b32-9c4d-2a5b8f1e0c03"]


class NewSession(Body):
    start: Moment = Field(
        description="When it begins, with offset", examples=["2026-01-06T18:00:00-05:00"]
    )
    end: Moment = Field(
        description="When it ends, with offset", examples=["2026-01-06T19:30:00-05:00"]
    )
    place_id: UUID | None = Field(
        default=None, description="Where, if not at the group's place", examples=PLACE
    )


class SessionUpdate(Body):
    """What is left out stays as it is."""

    start: Moment = Field(
        default_factory=unset, description="When it begins", examples=["2026-01-07T18:00:00-05:00"]
    )
    end: Moment = Field(
        default_factory=unset, description="When it ends", examples=["2026-01-07T19:30:00-05:00"]
    )
    status: SessionStatus = Field(
        default_factory=unset, description="Held, cancelled, or scheduled", examples=["cancelled"]
    )
    cancel_reason: Text | None = Field(
        default_factory=unset, description="Needed when it is cancelled", examples=["Snow"]
    )
    place_id: UUID | None = Field(
        default_factory=unset, description="Where, if not at the group's place", examples=PLACE
    )


class SessionOut(RowOut):
    group_id: UUID = Field(description="Whose session it is", examples=GROUP)
    start: datetime = Field(description="When it begins", examples=["2026-01-06T23:00:00Z"])
    end: datetime = Field(description="When it ends", examples=["2026-01-07T00:30:00Z"])
    status: SessionStatus = Field(description="Its state", examples=["cancelled"])
    cancel_reason: str | None = Field(description="Why it was cancelled", examples=["Snow"])
    place_id: UUID | None = Field(description="Where, if not at the group's place", examples=PLACE)
    series_id: UUID | None = Field(description="Of which series it is", examples=SERIES)
    recurrence: Recurrence | None = Field(
        description="By the series' rule, extra beside it, or dropped by it", examples=["rule"]
    )
    occurrence: Wall | None = Field(
        description="When the series has it, in its time zone, whatever it was moved to",
        examples=["2026-01-06T18:00:00"],
    )


class Sessions(Page):
    items: list[SessionOut]


@router.get("/groups/{group_id}/sessions", response_model=Sessions)
def list_sessions(
    call: Reading,
    page: Paged,
    group_id: UUID,
    status: Annotated[SessionStatus | None, Query(description="Only these")] = None,
) -> Response:
    found = select(Session).where(Session.group_id == group_id)
    if status is not None:
        found = found.where(Session.status == status)
    group = (SupportGroup, group_id)
    return show_rows(call, Sessions, SessionOut, (found, Session, page), within=group)


@router.post("/groups/{group_id}/sessions", status_code=201, response_model=SessionOut)
def create_session(call: Writing, group_id: UUID, body: NewSession) -> Response:
    row = call.execute(CreateSession(group_id=group_id, **body.values()))
    return show(call, SessionOut, Session, row.id, created="sessions")


@router.get("/sessions/{session_id}", response_model=SessionOut)
def read_session(call: Reading, session_id: UUID) -> Response:
    return show(call, SessionOut, Session, session_id)


@router.patch("/sessions/{session_id}", response_model=SessionOut)
def update_session(
    call: Writing, seen: SeenVersion, session_id: UUID, body: SessionUpdate
) -> Response:
    """Move it, hold it, cancel it with a reason, or take a cancellation back."""
    call.execute(UpdateSession(session_id=session_id, **body.values(), if_match=seen))
    return show(call, SessionOut, Session, session_id)
