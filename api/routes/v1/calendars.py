"""The address of a facilitator's calendar: made, made anew, ended.

https://www.rfc-editor.org/rfc/rfc5545
"""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field

from api.routes.v1.calls import Call, Reading, Writing, answer
from api.routes.v1.schema import RowOut
from service.calendars import Opened, existing_calendar
from service.commands import CloseCalendar, OpenCalendar
from service.models.series import Calendar

router = APIRouter(tags=["facilitators"])

FACILITATOR = ["0199b7c2-7d11-7f02-b1c4-77ab0e5d1002"]
ADDRESS = "https://alongside.example/calendar/cal_wJ1nR7k0Yb3qT6xZ9cV2mP5sD8fG4hL1aE7uQ0iO3kM.ics"


class CalendarOut(RowOut):
    facilitator_id: UUID = Field(description="Whose calendar it is", examples=FACILITATOR)
    is_open: bool = Field(description="Whether its address answers", examples=[True])


class CalendarOpened(CalendarOut):
    told_once = True

    address: str = Field(
        description="The address to subscribe to; whoever has it reads the calendar. Shown once",
        examples=[ADDRESS],
    )


@router.get("/facilitators/{facilitator_id}/calendar", response_model=CalendarOut)
def read_calendar(call: Reading, facilitator_id: UUID) -> Response:
    """Whether a facilitator's calendar has an address; which one is not known here."""
    return _show(call, facilitator_id)


@router.post(
    "/facilitators/{facilitator_id}/calendar", status_code=201, response_model=CalendarOpened
)
def open_calendar(call: Writing, facilitator_id: UUID) -> Response:
    """Make an address for a facilitator's calendar; the one before ends."""
    opened: Opened = call.execute(OpenCalendar(facilitator_id=facilitator_id))
    address = call.address(f"/calendar/{opened.token}.ics")
    item = CalendarOpened(**_values(opened.calendar), address=address)
    location = f"/v1/facilitators/{facilitator_id}/calendar"
    return answer(call, item, item.version, location=location)


@router.delete("/facilitators/{facilitator_id}/calendar", response_model=CalendarOut)
def close_calendar(call: Writing, facilitator_id: UUID) -> Response:
    """End the address of a facilitator's calendar."""
    call.execute(CloseCalendar(facilitator_id=facilitator_id))
    return _show(call, facilitator_id)


def _show(call: Call, facilitator_id: UUID) -> Response:
    row = call.read(lambda session: existing_calendar(session, facilitator_id))
    item = CalendarOut(**_values(row))
    return answer(call, item, item.version)


def _values(row: Calendar) -> dict[str, Any]:
    return {**row.model_dump(exclude={"token_hash"}), "is_open": row.token_hash is not None}
