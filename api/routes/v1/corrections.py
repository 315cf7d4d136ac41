"""Requests for correction: asked, decided, told; what is wrong is corrected where it stands.

https://www.rfc-editor.org/rfc/rfc9110
"""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field
from sqlmodel import select

from api.routes.v1.calls import Call, Protecting, show, show_rows
from api.routes.v1.paging import Paged
from api.routes.v1.preconditions import SeenVersion
from api.routes.v1.schema import Body, Moment, Page, RowOut, Text
from service.commands import AddDisagreement, AskCorrection, DecideCorrection, RecordTold
from service.models.patients import Patient
from service.models.subjects import CorrectionRequest, CorrectionState
from service.rows import get

router = APIRouter(tags=["data subject"])

WHO = ["0199b7c2-6b02-7e11-a2d4-9c3f5e7a1b20"]
WHEN = ["2026-02-03T10:12:00Z"]
ABOUT = ["The session of 12 January: she was there, and is marked absent"]
DECISION = ["The mark was changed to present; the facilitator's list agrees"]
DISAGREEMENT = ["I was there for the whole hour"]
BY = "On whose behalf; the client's name when left out"


class NewCorrection(Body):
    about: Text = Field(description="What is said to be wrong", examples=ABOUT)
    asked_by: Text = Field(
        description="Who asks: the person, or who speaks for them", examples=["the person"]
    )
    asked_at: Moment | None = Field(
        default=None, description="When; now when left out", examples=WHEN
    )


class Decided(Body):
    accepted: bool = Field(description="Whether something was changed", examples=[True])
    decision: Text = Field(description="What was changed, or why nothing was", examples=DECISION)
    decided_by: Text | None = Field(default=None, description=BY, examples=["Sam Ortiz"])


class Disagreement(Body):
    statement: Text = Field(
        description="What the person says against the refusal", examples=DISAGREEMENT
    )


class Told(Body):
    told_by: Text | None = Field(default=None, description=BY, examples=["Sam Ortiz"])


class CorrectionOut(RowOut):
    patient_id: UUID = Field(description="Who asks for it", examples=WHO)
    asked_at: datetime = Field(description="When it was asked for", examples=WHEN)
    asked_by: str = Field(description="Who asked", examples=["the person"])
    about: str = Field(description="What is said to be wrong", examples=ABOUT)
    state: CorrectionState = Field(description="How far it has come", examples=["accepted"])
    decided_at: datetime | None = Field(description="When it was decided", examples=WHEN)
    decided_by: str | None = Field(description="Who decided", examples=["Sam Ortiz"])
    decision: str | None = Field(
        description="What was changed, or why nothing was", examples=DECISION
    )
    disagreement: str | None = Field(
        description="What the person says against a refusal", examples=[None]
    )
    told_at: datetime | None = Field(
        description="When the person was told of the decision", examples=WHEN
    )
    told_by: str | None = Field(description="Who told them", examples=["Sam Ortiz"])


class Corrections(Page):
    items: list[CorrectionOut]


@router.get("/patients/{patient_id}/corrections", response_model=Corrections)
def list_corrections(call: Protecting, patient_id: UUID, page: Paged) -> Response:
    """What a person asked to have corrected."""
    found = select(CorrectionRequest).where(CorrectionRequest.patient_id == patient_id)
    chosen = (found, CorrectionRequest, page)
    return show_rows(call, Corrections, CorrectionOut, chosen, within=(Patient, patient_id))


@router.post("/patients/{patient_id}/corrections", status_code=201, response_model=CorrectionOut)
def ask_correction(call: Protecting, patient_id: UUID, body: NewCorrection) -> Response:
    """Record that a person says that something is wrong."""
    row = call.execute(AskCorrection(patient_id=patient_id, **body.values()))
    return show(call, CorrectionOut, CorrectionRequest, row.id, created="corrections")


@router.get("/corrections/{correction_id}", response_model=CorrectionOut)
def read_correction(call: Protecting, correction_id: UUID) -> Response:
    return show(call, CorrectionOut, CorrectionRequest, correction_id)


@router.post("/corrections/{correction_id}/decide", response_model=CorrectionOut)
def decide_correction(
    call: Protecting, seen: SeenVersion, correction_id: UUID, body: Decided
) -> Response:
    """Record what was decided, once."""
    given = {**body.values(), "decided_by": call.by(body.decided_by)}
    return _done(call, correction_id, DecideCorrection, given, seen)


@router.post("/corrections/{correction_id}/disagree", response_model=CorrectionOut)
def add_disagreement(
    call: Protecting, seen: SeenVersion, correction_id: UUID, body: Disagreement
) -> Response:
    """Attach what the person says against a refusal; the export has it too."""
    return _done(call, correction_id, AddDisagreement, body.values(), seen)


@router.post("/corrections/{correction_id}/tell", response_model=CorrectionOut)
def record_told(call: Protecting, seen: SeenVersion, correction_id: UUID, body: Told) -> Response:
    """Note that the person was told what was decided."""
    return _done(call, correction_id, RecordTold, {"told_by": call.by(body.told_by)}, seen)


def _done(
    call: Call, correction_id: UUID, command: type, given: dict[str, object], seen: int | None
) -> Response:
    """Execute the command; the audit row names the person also where it is refused."""
    row = call.read(lambda session: get(session, CorrectionRequest, correction_id))
    call.about([row.patient_id])
    call.execute(command(correction_id=correction_id, **given, if_match=seen))
    return show(call, CorrectionOut, CorrectionRequest, correction_id)
