"""Links: our patient is this patient of that hospital; undone, never deleted.

https://www.rfc-editor.org/rfc/rfc9110
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field, StringConstraints
from sqlmodel import select

from api.routes.v1.calls import Reading, Writing, show, show_rows
from api.routes.v1.paging import Paged
from api.routes.v1.preconditions import SeenVersion
from api.routes.v1.schema import Body, Page, RowOut, Text
from service.commands import LinkPatient, UndoLink
from service.models.patients import Link, LinkMethod, Patient

router = APIRouter(tags=["links"])

# https://hl7.org/fhir/R4/datatypes.html#id and #uri
FhirId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.\-]{1,64}$")]
Uri = Annotated[str, StringConstraints(pattern=r"^\S+$", max_length=500)]

HOSPITAL = ["0199b7c2-5a01-7c90-8f6e-2d4b6a8c0e12"]
PERSON = ["0199b7c2-6b02-7e11-a2d4-9c3f5e7a1b20"]
EHR_ID = ["eq081-VQEgP8drUUqCWzHfw3"]
MRN_SYSTEM = ["https://hospital-a.example/mrn"]
BY = "Who is sure that it is the same person; the client's name when left out"
UNDONE_BY = "On whose behalf; the client's name when left out"


class NewLink(Body):
    connection_id: UUID = Field(description="Which hospital", examples=HOSPITAL)
    ehr_patient_id: FhirId = Field(description="Id of its FHIR Patient", examples=EHR_ID)
    mrn: Text = Field(description="Its medical record number", examples=["MRN-204811"])
    mrn_system: Uri | None = Field(
        default=None, description="The hospital's usual one when left out", examples=MRN_SYSTEM
    )
    method: LinkMethod = Field(
        default=LinkMethod.MANUAL, description="How it was established", examples=["mrn"]
    )
    confirmed_by: Text | None = Field(default=None, description=BY, examples=["Sam Ortiz"])


class LinkUndo(Body):
    reason: Text = Field(description="Why", examples=["Linked to a namesake"])
    undone_by: Text | None = Field(default=None, description=UNDONE_BY, examples=["Sam Ortiz"])


class LinkOut(RowOut):
    patient_id: UUID = Field(description="Our patient", examples=PERSON)
    connection_id: UUID = Field(description="Which hospital", examples=HOSPITAL)
    ehr_patient_id: str = Field(description="Id of its FHIR Patient", examples=EHR_ID)
    mrn: str = Field(description="Its medical record number", examples=["MRN-204811"])
    mrn_system: str = Field(description="System of that number", examples=MRN_SYSTEM)
    method: LinkMethod = Field(description="How it was established", examples=["mrn"])
    confirmed_by: str = Field(description="Who confirmed it", examples=["Sam Ortiz"])
    confirmed_at: datetime = Field(
        description="When it was confirmed", examples=["2026-01-05T17:02:11Z"]
    )
    undone_at: datetime | None = Field(
        description="When it was undone", examples=["2026-02-01T09:00:00Z"]
    )
    undone_by: str | None = Field(description="Who undid it", examples=["Sam Ortiz"])
    undone_reason: str | None = Field(
        description="Why it was undone", examples=["Linked to a namesake"]
    )


class Links(Page):
    items: list[LinkOut]


@router.get("/patients/{patient_id}/links", response_model=Links)
def list_links(call: Reading, page: Paged, patient_id: UUID) -> Response:
    """All links of a person, those that were undone too."""
    found = select(Link).where(Link.patient_id == patient_id)
    return show_rows(call, Links, LinkOut, (found, Link, page), within=(Patient, patient_id))


@router.post("/patients/{patient_id}/links", status_code=201, response_model=LinkOut)
def link_patient(call: Writing, patient_id: UUID, body: NewLink) -> Response:
    given = {**body.values(), "confirmed_by": call.by(body.confirmed_by)}
    row = call.execute(LinkPatient(patient_id=patient_id, **given))
    return show(call, LinkOut, Link, row.id, created="links")


@router.get("/links/{link_id}", response_model=LinkOut)
def read_link(call: Reading, link_id: UUID) -> Response:
    return show(call, LinkOut, Link, link_id)


@router.post("/links/{link_id}/undo", response_model=LinkOut)
def undo_link(call: Writing, seen: SeenVersion, link_id: UUID, body: LinkUndo) -> Response:
    """Undo a link: the hospital reads nothing of the person from the next request on."""
    by = call.by(body.undone_by)
    call.execute(UndoLink(link_id=link_id, undone_by=by, reason=body.reason, if_match=seen))
    return show(call, LinkOut, Link, link_id)
