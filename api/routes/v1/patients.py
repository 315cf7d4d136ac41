"""Patients of the programme.

https://www.rfc-editor.org/rfc/rfc9110
"""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field, StringConstraints
from sqlmodel import Session, col, select

from api.routes.v1.calls import Reading, Writing, show, show_rows
from api.routes.v1.paging import Paged
from api.routes.v1.preconditions import SeenVersion
from api.routes.v1.schema import Body, Day, Page, RowOut, Text, unset
from service.commands import CreatePatient, UpdatePatient
from service.models.base import Row
from service.models.patients import Gender, Patient
from service.models.subjects import Restriction
from service.restrictions import unlifted

router = APIRouter(tags=["patients"])

# https://www.rfc-editor.org/rfc/rfc5646#section-2.1
Language = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$")]
BORN = ["1988-04-17"]
PHONE = ["555-0142"]
EMAIL = ["lucia.rivera@example.org"]


class NewPatient(Body):
    family: Text = Field(description="Family name", examples=["Rivera"])
    given: Text = Field(description="Given name", examples=["Lucia"])
    gender: Gender = Field(
        default=Gender.UNKNOWN, description="Administrative gender", examples=["female"]
    )
    birth_date: Day | None = Field(default=None, description="Day of birth", examples=BORN)
    phone: Text | None = Field(default=None, description="Telephone", examples=PHONE)
    email: Text | None = Field(default=None, description="E-mail address", examples=EMAIL)
    line: Text | None = Field(default=None, description="Street", examples=["4 Elm Street"])
    city: Text | None = Field(default=None, description="City", examples=["Springfield"])
    state: Text | None = Field(default=None, description="State", examples=["MA"])
    postal_code: Text | None = Field(default=None, description="Postal code", examples=["01101"])
    country: Text | None = Field(default=None, description="Country", examples=["US"])
    language: Language | None = Field(default=None, description="BCP 47", examples=["es"])


class PatientUpdate(Body):
    """What is left out stays as it is; null empties a field that may be empty."""

    family: Text = Field(default_factory=unset, description="Family name", examples=["Rivera"])
    given: Text = Field(default_factory=unset, description="Given name", examples=["Lucía"])
    gender: Gender = Field(
        default_factory=unset, description="Administrative gender", examples=["female"]
    )
    birth_date: Day | None = Field(default_factory=unset, description="Day of birth", examples=BORN)
    phone: Text | None = Field(default_factory=unset, description="Telephone", examples=PHONE)
    email: Text | None = Field(default_factory=unset, description="E-mail", examples=EMAIL)
    language: Language | None = Field(default_factory=unset, description="BCP 47", examples=["es"])


class PatientOut(RowOut):
    family: str = Field(description="Family name", examples=["Rivera"])
    given: str = Field(description="Given name", examples=["Lucia"])
    gender: Gender = Field(description="Administrative gender", examples=["female"])
    birth_date: date | None = Field(description="Day of birth", examples=BORN)
    phone: str | None = Field(description="Telephone", examples=PHONE)
    email: str | None = Field(description="E-mail address", examples=EMAIL)
    line: str | None = Field(description="Street", examples=["4 Elm Street"])
    city: str | None = Field(description="City", examples=["Springfield"])
    state: str | None = Field(description="State", examples=["MA"])
    postal_code: str | None = Field(description="Postal code", examples=["01101"])
    country: str | None = Field(description="Country", examples=["US"])
    language: str | None = Field(description="BCP 47", examples=["es"])
    restricted: bool = Field(
        default=False,
        description="Whether nothing new is recorded, and nothing goes to a hospital, for now",
        examples=[False],
    )
    merged_into_id: UUID | None = Field(
        description="The record that took the place of this one; null while it is in use",
        examples=["0199b7c2-6b0a-7c4e-b1f3-2a5d7c9e0f31"],
    )

    @property
    def person(self) -> UUID | None:
        return self.id

    @classmethod
    def of_rows(cls, session: Session, rows: Sequence[Row]) -> list[Self]:
        ids = [row.id for row in rows]  # whose end has come was lifted before this is answered
        stopped = set(session.exec(unlifted().where(col(Restriction.patient_id).in_(ids))))
        found = super().of_rows(session, rows)
        return [each.model_copy(update={"restricted": each.id in stopped}) for each in found]


class Patients(Page):
    items: list[PatientOut]


@router.get("/patients", response_model=Patients)
def list_patients(call: Reading, page: Paged) -> Response:
    return show_rows(call, Patients, PatientOut, (select(Patient), Patient, page))


@router.post("/patients", status_code=201, response_model=PatientOut)
def create_patient(call: Writing, body: NewPatient) -> Response:
    row = call.execute(CreatePatient(**body.values()))
    return show(call, PatientOut, Patient, row.id, created="patients")


@router.get("/patients/{patient_id}", response_model=PatientOut)
def read_patient(call: Reading, patient_id: UUID) -> Response:
    return show(call, PatientOut, Patient, patient_id)


@router.patch("/patients/{patient_id}", response_model=PatientOut)
def update_patient(
    call: Writing, seen: SeenVersion, patient_id: UUID, body: PatientUpdate
) -> Response:
    call.execute(UpdatePatient(patient_id=patient_id, **body.values(), if_match=seen))
    return show(call, PatientOut, Patient, patient_id)
