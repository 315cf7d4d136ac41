"""Concerns about a group or a session: raised by anyone, read and closed by the coordinator.

https://www.rfc-editor.org/rfc/rfc9110
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field, StrictBool
from sqlmodel import Session as DbSession
from sqlmodel import select

from api.routes.v1.calls import Call, Coordinating, Overseeing, Writing, answer, show, show_rows
from api.routes.v1.paging import Paged
from api.routes.v1.preconditions import SeenVersion
from api.routes.v1.schema import Body, Page, RowOut, Schema, Text
from service.commands import AcknowledgeConcern, CloseConcern, RaiseConcern
from service.concerns import overdue
from service.models.base import Row
from service.models.concerns import (
    Concern,
    ConcernKind,
    ConcernState,
    ConcernStatement,
    Severity,
)
from service.standing import oversight_of

router = APIRouter(tags=["concerns"])

GROUP = ["0199b7c2-6c1f-7a53-9d3e-5b8f0c2a4e61"]
SESSION = ["0199b7c2-9c1f-7a53-9d3e-5b8f0c2a4e61"]
CONCERN = "0199b7c2-c001-7e52-9f60-718293041526"
BY = "On whose behalf; the client's name when left out"
HOLD = "Whether the group is put on hold with it, so that it takes no new members"
STATEMENT = "What was seen, in few words and without what members said; null when nothing was said"
STATEMENTS = ["A visitor offered supplements as a replacement for medication."]
CRISIS = "Text of the operator's setting, such as whom to call in a crisis"


class NewConcern(Body):
    kind: ConcernKind = Field(description="What it is about", examples=["misinformation"])
    severity: Severity = Field(description="As you judge it", examples=["medium"])
    session_id: UUID | None = Field(
        default=None, description="At which session of the group", examples=[None]
    )
    statement: Text | None = Field(default=None, description=STATEMENT, examples=STATEMENTS)
    raised_by: Text | None = Field(default=None, description=BY, examples=["Sam Ortiz"])


class ConcernRaised(Schema):
    """All that is answered to whoever raised it."""

    id: UUID = Field(description="The concern", examples=[CONCERN])
    crisis_text: str | None = Field(
        description="To be shown at once where it is about safeguarding: this is no emergency"
        " service",
        examples=[CRISIS],
    )


class ConcernTaken(Body):
    by: Text | None = Field(default=None, description=BY, examples=["Sam Ortiz"])
    hold_group: StrictBool = Field(default=False, description=HOLD, examples=[True])


class ConcernOut(RowOut):
    """The notice: what the supervisor is told."""

    group_id: UUID = Field(description="About which group", examples=GROUP)
    session_id: UUID | None = Field(description="At which session", examples=SESSION)
    kind: ConcernKind = Field(description="What it is about", examples=["misinformation"])
    severity: Severity = Field(description="As whoever raised it judged", examples=["medium"])
    state: ConcernState = Field(description="How far it has come", examples=["open"])
    raised_at: datetime = Field(description="When", examples=["2026-01-06T23:10:04Z"])
    supervisor_id: UUID | None = Field(
        description="For which supervisor", examples=["0199b7c2-7d12-7a03-9c5d-88bc1f6e2003"]
    )
    contact: str | None = Field(
        description="For whom, if it is no facilitator here; null with `supervisor_id` null when"
        " the group named nobody",
        examples=["On-call coordinator, 555-0100"],
    )
    acknowledge_by: datetime | None = Field(
        default=None,
        description="From when it is overdue; null once somebody has acknowledged it",
        examples=["2026-01-07T23:10:04Z"],
    )
    acknowledged_at: datetime | None = Field(
        description="When somebody took it up", examples=["2026-01-07T08:00:00Z"]
    )
    acknowledged_by: str | None = Field(description="Who", examples=["Sam Ortiz"])
    closed_at: datetime | None = Field(
        description="When it was closed", examples=["2026-01-09T16:00:00Z"]
    )
    closed_by: str | None = Field(description="By whom", examples=["Sam Ortiz"])
    address: str = Field(
        default="",
        description="Where it can be read, with its statement",
        examples=[f"/v1/concerns/{CONCERN}"],
    )

    @classmethod
    def of_rows(cls, session: DbSession, rows: Sequence[Row]) -> list[Self]:
        found = super().of_rows(session, rows)
        within = oversight_of(session).acknowledge_within
        for item in found:
            if item.state is ConcernState.OPEN:
                item.acknowledge_by = item.raised_at + within
            item.address = f"/v1/concerns/{item.id}"
        return found


class WholeConcern(ConcernOut):
    raised_by: str = Field(default="", description="Who raised it", examples=["Sam Ortiz"])
    statement: str | None = Field(default=None, description=STATEMENT, examples=STATEMENTS)

    @classmethod
    def of_rows(cls, session: DbSession, rows: Sequence[Row]) -> list[Self]:
        found = super().of_rows(session, rows)
        for item in found:
            said = select(ConcernStatement).where(ConcernStatement.concern_id == item.id)
            statement = session.exec(said).one()
            item.raised_by, item.statement = statement.raised_by, statement.statement
        return found


class Concerns(Page):
    items: list[ConcernOut]


@router.post("/groups/{group_id}/concerns", status_code=201, response_model=ConcernRaised)
def raise_concern(call: Writing, group_id: UUID, body: NewConcern) -> Response:
    """Raise one; it reaches the facilitator's supervisor, else the group's escalation contact."""
    given = {**body.values(), "raised_by": call.by(body.raised_by)}
    row: Concern = call.execute(RaiseConcern(group_id=group_id, **given))
    safeguarding = row.kind is ConcernKind.SAFEGUARDING
    text = call.context.settings.crisis_text if safeguarding else None
    raised = ConcernRaised(id=row.id, crisis_text=text)
    return answer(call, raised, row.row_version, location=f"/v1/concerns/{row.id}")


@router.get("/concerns", response_model=Concerns)
def list_concerns(
    call: Overseeing,
    page: Paged,
    state: Annotated[ConcernState | None, Query(description="Only these")] = None,
    supervisor_id: Annotated[UUID | None, Query(description="Only for this supervisor")] = None,
    late: Annotated[
        bool, Query(alias="overdue", description="Only those that nobody acknowledged in time")
    ] = False,
) -> Response:
    """The notices, oldest first; what was said is in the concern itself."""
    context = call.context
    found = overdue(context.settings.oversight, context.clock()) if late else select(Concern)
    if state is not None:
        found = found.where(Concern.state == state)
    if supervisor_id is not None:
        found = found.where(Concern.supervisor_id == supervisor_id)
    return show_rows(call, Concerns, ConcernOut, (found, Concern, page))


@router.get("/concerns/{concern_id}", response_model=WholeConcern)
def read_concern(call: Overseeing, concern_id: UUID) -> Response:
    """The concern with its statement."""
    return show(call, WholeConcern, Concern, concern_id)


@router.post("/concerns/{concern_id}/acknowledge", response_model=ConcernOut)
def acknowledge_concern(
    call: Coordinating, seen: SeenVersion, concern_id: UUID, body: ConcernTaken | None = None
) -> Response:
    """Say that somebody has taken it up; the group can be put on hold with it."""
    call.execute(AcknowledgeConcern(concern_id=concern_id, **_taken(call, body), if_match=seen))
    return show(call, ConcernOut, Concern, concern_id)


@router.post("/concerns/{concern_id}/close", response_model=ConcernOut)
def close_concern(
    call: Coordinating, seen: SeenVersion, concern_id: UUID, body: ConcernTaken | None = None
) -> Response:
    """Close it; the group can be put on hold with it."""
    call.execute(CloseConcern(concern_id=concern_id, **_taken(call, body), if_match=seen))
    return show(call, ConcernOut, Concern, concern_id)


def _taken(call: Call, body: ConcernTaken | None) -> dict[str, Any]:
    given = body or ConcernTaken()
    return {"by": call.by(given.by), "hold_group": given.hold_group}
