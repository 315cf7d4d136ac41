"""Restrictions: a person's data is kept, nothing new is recorded, and nothing goes to a hospital.

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
from service.commands import LiftRestriction, RestrictProcessing
from service.models.patients import Patient
from service.models.subjects import Restriction
from service.rows import get

router = APIRouter(tags=["data subject"])

WHO = ["0199b7c2-6b02-7e11-a2d4-9c3f5e7a1b20"]
WHEN, END = ["2026-02-03T10:12:00Z"], ["2026-03-03T10:12:00Z"]
WHY = ["She says that her address is wrong; until it is checked"]
BY = "On whose behalf; the client's name when left out"


class NewRestriction(Body):
    reason: Text = Field(description="Why", examples=WHY)
    until: Moment | None = Field(
        default=None,
        description="When it ends by itself; left out, somebody lifts it",
        examples=END,
    )
    restricted_by: Text | None = Field(default=None, description=BY, examples=["Sam Ortiz"])


class RestrictionLift(Body):
    lifted_by: Text | None = Field(default=None, description=BY, examples=["Sam Ortiz"])


class RestrictionOut(RowOut):
    patient_id: UUID = Field(description="Whose data it is", examples=WHO)
    reason: str = Field(description="Why", examples=WHY)
    until: datetime | None = Field(description="When it ends by itself", examples=END)
    restricted_at: datetime = Field(description="From when", examples=WHEN)
    restricted_by: str = Field(description="Who restricted it", examples=["Sam Ortiz"])
    lifted_at: datetime | None = Field(description="When it was lifted, or ended", examples=[None])
    lifted_by: str | None = Field(description="Who lifted it", examples=[None])


class Restrictions(Page):
    items: list[RestrictionOut]


@router.get("/patients/{patient_id}/restrictions", response_model=Restrictions)
def list_restrictions(call: Protecting, patient_id: UUID, page: Paged) -> Response:
    """All restrictions of a person, those that have ended too."""
    found = select(Restriction).where(Restriction.patient_id == patient_id)
    within = (Patient, patient_id)
    return show_rows(call, Restrictions, RestrictionOut, (found, Restriction, page), within=within)


@router.post("/patients/{patient_id}/restrictions", status_code=201, response_model=RestrictionOut)
def restrict_processing(call: Protecting, patient_id: UUID, body: NewRestriction) -> Response:
    """Restrict what is done with a person's data from the next request on."""
    given = {**body.values(), "restricted_by": call.by(body.restricted_by)}
    row = call.execute(RestrictProcessing(patient_id=patient_id, **given))
    return show(call, RestrictionOut, Restriction, row.id, created="restrictions")


@router.get("/restrictions/{restriction_id}", response_model=RestrictionOut)
def read_restriction(call: Protecting, restriction_id: UUID) -> Response:
    return show(call, RestrictionOut, Restriction, restriction_id)


@router.post("/restrictions/{restriction_id}/lift", response_model=RestrictionOut)
def lift_restriction(
    call: Protecting, seen: SeenVersion, restriction_id: UUID, body: RestrictionLift
) -> Response:
    """Let the person's links and consents count again."""
    _about(call, restriction_id)
    by = call.by(body.lifted_by)
    call.execute(LiftRestriction(restriction_id=restriction_id, lifted_by=by, if_match=seen))
    return show(call, RestrictionOut, Restriction, restriction_id)


def _about(call: Call, restriction_id: UUID) -> None:
    """Note in the audit row whom it is about, also where it is refused."""
    row = call.read(lambda session: get(session, Restriction, restriction_id))
    call.about([row.patient_id])
