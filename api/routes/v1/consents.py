"""Consents: what a person permits or denies one hospital, by category and period.

https://www.rfc-editor.org/rfc/rfc9110
"""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field, StrictBool
from sqlmodel import select

from api.routes.v1.calls import Reading, Writing, show, show_rows
from api.routes.v1.paging import Paged
from api.routes.v1.preconditions import SeenVersion
from api.routes.v1.schema import Body, Moment, Page, RowOut, Text
from service.commands import RecordConsent, WithdrawConsent
from service.models.consents import Category, Consent, Decision
from service.models.patients import Patient

router = APIRouter(tags=["consents"])

HOSPITAL = ["0199b7c2-5a01-7c90-8f6e-2d4b6a8c0e12"]
PERSON = ["0199b7c2-6b02-7e11-a2d4-9c3f5e7a1b20"]
BY = "On whose behalf; the client's name when left out"
PART2 = "Whether it reaches to groups under 42 CFR Part 2"
NAMED = "Whether the hospital may see the group's public name"


class NewConsent(Body):
    connection_id: UUID = Field(description="Which hospital may have it", examples=HOSPITAL)
    category: Category = Field(description="Which kind of fact", examples=["attendance"])
    decision: Decision = Field(
        default=Decision.PERMIT, description="A denial wins over a permit", examples=["permit"]
    )
    start: Moment | None = Field(
        default=None, description="From when; now when left out", examples=["2026-01-05T17:00:00Z"]
    )
    end: Moment | None = Field(
        default=None,
        description="Until when; open when left out",
        examples=["2027-01-05T17:00:00Z"],
    )
    covers_part2: StrictBool = Field(default=False, description=PART2, examples=[False])
    shows_group_name: StrictBool = Field(default=False, description=NAMED, examples=[False])
    recorded_by: Text | None = Field(default=None, description=BY, examples=["Sam Ortiz"])


class ConsentWithdrawal(Body):
    withdrawn_by: Text | None = Field(default=None, description=BY, examples=["Sam Ortiz"])


class ConsentOut(RowOut):
    patient_id: UUID = Field(description="Whose decision", examples=PERSON)
    connection_id: UUID = Field(description="Which hospital", examples=HOSPITAL)
    category: Category = Field(description="Which kind of fact", examples=["attendance"])
    decision: Decision = Field(description="Permit or deny", examples=["permit"])
    start: datetime = Field(description="From when", examples=["2026-01-05T17:00:00Z"])
    end: datetime | None = Field(description="Until when", examples=["2027-01-05T17:00:00Z"])
    covers_part2: bool = Field(description=PART2, examples=[False])
    shows_group_name: bool = Field(description=NAMED, examples=[False])
    recorded_by: str = Field(description="Who recorded it", examples=["Sam Ortiz"])
    withdrawn_at: datetime | None = Field(
        description="When it was withdrawn", examples=["2026-03-01T09:00:00Z"]
    )
    withdrawn_by: str | None = Field(description="Who withdrew it", examples=["Sam Ortiz"])


class Consents(Page):
    items: list[ConsentOut]


@router.get("/patients/{patient_id}/consents", response_model=Consents)
def list_consents(call: Reading, page: Paged, patient_id: UUID) -> Response:
    """All decisions of a person, those that were withdrawn too."""
    found = select(Consent).where(Consent.patient_id == patient_id)
    person = (Patient, patient_id)
    return show_rows(call, Consents, ConsentOut, (found, Consent, page), within=person)


@router.post("/patients/{patient_id}/consents", status_code=201, response_model=ConsentOut)
def record_consent(call: Writing, patient_id: UUID, body: NewConsent) -> Response:
    given = {**body.values(), "recorded_by": call.by(body.recorded_by)}
    row = call.execute(RecordConsent(patient_id=patient_id, **given))
    return show(call, ConsentOut, Consent, row.id, created="consents")


@router.get("/consents/{consent_id}", response_model=ConsentOut)
def read_consent(call: Reading, consent_id: UUID) -> Response:
    return show(call, ConsentOut, Consent, consent_id)


@router.post("/consents/{consent_id}/withdraw", response_model=ConsentOut)
def withdraw_consent(
    call: Writing, seen: SeenVersion, consent_id: UUID, body: ConsentWithdrawal | None = None
) -> Response:
    """Withdraw it: in force for the next request."""
    by = call.by(body.withdrawn_by if body else None)
    call.execute(WithdrawConsent(consent_id=consent_id, withdrawn_by=by, if_match=seen))
    return show(call, ConsentOut, Consent, consent_id)
