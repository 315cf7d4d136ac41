"""Who agreed to which version of the rules, when and how; hospitals are never told.

https://www.rfc-editor.org/rfc/rfc9110
"""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field
from sqlmodel import select

from api.routes.v1.calls import Reading, Writing, show, show_rows
from api.routes.v1.paging import Paged
from api.routes.v1.schema import Body, Moment, Page, RowOut, Text
from service.commands import RecordAgreement
from service.models.patients import Patient
from service.models.rules import Agreement, AgreementMethod

router = APIRouter(tags=["rules"])

RULES = ["0199b7c2-d001-7f63-a071-8293041526f7"]
ENROLLMENT = ["0199b7c2-8a10-7d01-9b2c-3c4d5e6f7081"]
AGREED = ["2026-01-05T17:00:00Z"]
REFERENCE = "Where the signature is found; needed with `e-signature`"
WITNESS = "Who heard it; needed with `verbal`"


class NewAgreement(Body):
    rules_id: UUID = Field(description="The version", examples=RULES)
    method: AgreementMethod = Field(description="How they agreed", examples=["verbal"])
    enrollment_id: UUID | None = Field(
        default=None, description="With which enrolment, if with one", examples=[None]
    )
    agreed_at: Moment | None = Field(
        default=None, description="When; now when left out", examples=AGREED
    )
    reference: Text | None = Field(default=None, description=REFERENCE, examples=[None])
    witness: Text | None = Field(default=None, description=WITNESS, examples=["Ngozi Okafor"])
    recorded_by: Text | None = Field(
        default=None,
        description="On whose behalf; the client's name when left out",
        examples=["Sam Ortiz"],
    )


class AgreementOut(RowOut):
    patient_id: UUID = Field(
        description="Who agreed", examples=["0199b7c2-6b02-7e11-a2d4-9c3f5e7a1b20"]
    )
    rules_id: UUID = Field(description="To which version", examples=RULES)
    enrollment_id: UUID | None = Field(
        description="With which enrolment, if with one", examples=ENROLLMENT
    )
    agreed_at: datetime = Field(description="When", examples=AGREED)
    method: AgreementMethod = Field(description="How", examples=["verbal"])
    reference: str | None = Field(description=REFERENCE, examples=["sign.example/7f3a"])
    witness: str | None = Field(description=WITNESS, examples=["Ngozi Okafor"])
    recorded_by: str = Field(description="Who recorded it", examples=["Sam Ortiz"])


class Agreements(Page):
    items: list[AgreementOut]


@router.get("/patients/{patient_id}/agreements", response_model=Agreements)
def list_agreements(call: Reading, page: Paged, patient_id: UUID) -> Response:
    found = select(Agreement).where(Agreement.patient_id == patient_id)
    person = (Patient, patient_id)
    return show_rows(call, Agreements, AgreementOut, (found, Agreement, page), within=person)


@router.post("/patients/{patient_id}/agreements", status_code=201, response_model=AgreementOut)
def record_agreement(call: Writing, patient_id: UUID, body: NewAgreement) -> Response:
    """Record that a person agreed to a version; 409 when that is recorded already."""
    given = {**body.values(), "recorded_by": call.by(body.recorded_by)}
    row = call.execute(RecordAgreement(patient_id=patient_id, **given))
    return show(call, AgreementOut, Agreement, row.id, created="agreements")


@router.get("/agreements/{agreement_id}", response_model=AgreementOut)
def read_agreement(call: Reading, agreement_id: UUID) -> Response:
    return show(call, AgreementOut, Agreement, agreement_id)
