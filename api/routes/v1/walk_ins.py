"""Who came to a session without being a member of its group.

https://www.rfc-editor.org/rfc/rfc9110
"""

from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field

from api.routes.v1.attendance import (
    ARRIVED,
    BY,
    PERSON,
    OneMarkOut,
    refused_as_one,
    show_mark,
)
from api.routes.v1.calls import Writing
from api.routes.v1.preconditions import SeenVersion
from api.routes.v1.schema import Body, Moment, Text
from service.commands import Mark, RecordWalkIn
from service.models.enrollments import AttendanceMark

router = APIRouter(tags=["attendance"])


class WalkIn(Body):
    patient_id: UUID = Field(description="Who came", examples=PERSON)
    mark: AttendanceMark = Field(
        default=AttendanceMark.PRESENT, description="`present` or `late`", examples=["present"]
    )
    arrived_at: Moment | None = Field(
        default=None, description="With the mark `late` only", examples=[None, *ARRIVED]
    )
    recorded_by: Text | None = Field(default=None, description=BY, examples=["Ngozi Okafor"])


@router.post("/sessions/{session_id}/walk-ins", response_model=OneMarkOut)
def record_walk_in(call: Writing, seen: SeenVersion, session_id: UUID, body: WalkIn) -> Response:
    """Mark somebody who came: as a guest of this session, unless they were a member then."""
    call.about([body.patient_id])
    mark = Mark(patient_id=body.patient_id, mark=body.mark, arrived_at=body.arrived_at)
    by = call.by(body.recorded_by)
    command = RecordWalkIn(session_id=session_id, mark=mark, recorded_by=by, if_match=seen)
    with refused_as_one():
        call.execute(command)
    return show_mark(call, session_id, body.patient_id)
