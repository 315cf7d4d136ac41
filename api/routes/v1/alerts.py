"""Safety alerts that are open; only a person closes one.

https://www.rfc-editor.org/rfc/rfc9110
"""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field
from sqlmodel import select

from api.routes.v1.calls import Reading, show_rows
from api.routes.v1.paging import Paged
from api.routes.v1.schema import Page, RowOut
from service.models.screening import Alert, AlertState

router = APIRouter(tags=["alerts"])


class AlertOut(RowOut):
    patient_id: UUID = Field(
        description="About whom", examples=["0199b7c2-6b02-7e11-a2d4-9c3f5e7a1b20"]
    )
    response_id: UUID = Field(
        description="The response that raised it",
        examples=["0199b7c2-ae00-7c31-9d4e-5f6071829304"],
    )
    rule: str = Field(description="Questionnaire and item", examples=["phq-9 /44260-8"])
    state: AlertState = Field(description="Open until a person closes it", examples=["open"])
    raised_at: datetime = Field(description="When it was raised", examples=["2026-01-06T23:10:04Z"])
    escalation_contact: str | None = Field(
        description="Who is to be told", examples=["On-call coordinator, 555-0100"]
    )


class Alerts(Page):
    items: list[AlertOut]


@router.get("/alerts", response_model=Alerts)
def list_alerts(call: Reading, page: Paged) -> Response:
    """Open alerts, oldest first."""
    found = select(Alert).where(Alert.state == AlertState.OPEN)
    return show_rows(call, Alerts, AlertOut, (found, Alert, page))
