"""Bodies of safety alerts: how far they have come, what may be done, and their stories."""

from collections.abc import Sequence
from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import Field
from sqlmodel import Session

from api.routes.v1.schema import Body, Page, RowOut, Schema, Text
from service import safety
from service.models.base import Row
from service.models.safety import AlertEventKind
from service.models.screening import AlertState
from service.safety.transitions import Move, allowed

PERSON = ["0199b7c2-6b02-7e11-a2d4-9c3f5e7a1b20"]
GROUP = ["0199b7c2-6c1f-7a53-9d3e-5b8f0c2a4e61"]
CONTACT = ["0199b7c2-b001-7d31-9e4f-5a6b7c8d9e01"]
WHEN = ["2026-01-06T23:10:04Z"]
LATER = ["2026-01-06T23:15:04Z"]
BY = "The person who does it; the client's name when left out"
WHO = ["Sam Ortiz"]


class AlertOut(RowOut):
    patient_id: UUID = Field(description="About whom", examples=PERSON)
    response_id: UUID | None = Field(
        description="The response that raised it; null where somebody reported a danger",
        examples=["0199b7c2-ae00-7c31-9d4e-5f6071829304"],
    )
    group_id: UUID | None = Field(description="In which group", examples=GROUP)
    rule: str = Field(
        description="Questionnaire and item, or what was reported", examples=["phq-9 /44260-8"]
    )
    tier: str = Field(description="How urgent, by the safety policy", examples=["red"])
    instruction: str = Field(
        default="", description="What to do", examples=["Red safety alert. Read it now."]
    )
    state: AlertState = Field(
        description="How far it has come; only a person resolves it", examples=["open"]
    )
    allowed: list[Move] = Field(
        default=[],
        description="What a person may do with it now",
        examples=[["acknowledge", "escalate"]],
    )
    raised_at: datetime = Field(description="When it was raised", examples=WHEN)
    escalation_contact: str | None = Field(
        description="Whom the group names", examples=["On-call coordinator, 555-0100"]
    )
    due_at: datetime | None = Field(
        description="By when somebody must acknowledge it; null once somebody has", examples=LATER
    )
    close_by: datetime | None = Field(
        description="By when it must be resolved", examples=["2026-01-07T23:10:04Z"]
    )
    nobody_left_at: datetime | None = Field(
        description="Since when nobody is left to be told of it: tell somebody yourself",
        examples=LATER,
    )
    acknowledged_at: datetime | None = Field(description="When it was taken up", examples=LATER)
    acknowledged_by: str | None = Field(description="By whom", examples=WHO)
    resolved_at: datetime | None = Field(
        description="When it was resolved", examples=["2026-01-07T09:00:00Z"]
    )
    resolved_by: str | None = Field(description="By whom", examples=WHO)
    disposition: str | None = Field(
        description="What became of it", examples=["person-reached-safe"]
    )

    @classmethod
    def of_rows(cls, session: Session, rows: Sequence[Row]) -> list[Self]:
        policy = safety.policy_of(session)
        found = super().of_rows(session, rows)
        for item in found:
            item.allowed = allowed(item.state)
            item.instruction = policy.tier(item.tier).staff
        return found


class Alerts(Page):
    items: list[AlertOut]


class AlertTaken(Body):
    by: Text | None = Field(default=None, description=BY, examples=WHO)


class AlertResolution(AlertTaken):
    disposition: Text = Field(
        description="A code of the safety policy; there is no text",
        examples=["person-reached-safe"],
    )


class AlertEventOut(Schema):
    at: datetime = Field(description="When", examples=WHEN)
    kind: AlertEventKind = Field(description="What happened", examples=["told"])
    state: AlertState = Field(description="The state after it", examples=["notified"])
    tier: str = Field(description="The tier after it", examples=["red"])
    by: str | None = Field(description="Which person did it; null is the service", examples=WHO)
    contact_id: UUID | None = Field(description="Which contact it is about", examples=CONTACT)
    detail: str | None = Field(
        description="The rule, the disposition, the step, or why somebody was not reached",
        examples=["the webhook answers 503"],
    )


class AlertStory(Schema):
    items: list[AlertEventOut] = Field(
        description="All that happened, oldest first", examples=[[AlertEventOut.example()]]
    )


class DangerReport(Body):
    kind: Text = Field(
        default="imminent-danger",
        description="A kind of report of the safety policy",
        examples=["imminent-danger"],
    )
    group_id: UUID | None = Field(default=None, description="In which group", examples=GROUP)
    reported_by: Text | None = Field(
        default=None, description="On whose behalf; the client's name when left out", examples=WHO
    )


class DangerReported(Schema):
    """What a peer is told: an instruction, and whom to call."""

    id: UUID = Field(description="The alert", examples=["0199b7c2-af10-7b21-8c3d-4e5f60718293"])
    tier: str = Field(description="How urgent", examples=["red"])
    instruction: str = Field(description="What to do now", examples=["Contact on-call now."])
    crisis_text: str = Field(
        description="To be shown at once: this is no emergency service",
        examples=["This service is not an emergency system and nobody watches it. ..."],
    )
