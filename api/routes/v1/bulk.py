"""Many at a time: what the single addresses take and do, once for each row.

https://www.rfc-editor.org/rfc/rfc9110
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from api.routes.v1.calls import Call, Writing
from api.routes.v1.consent_schemas import NewConsent
from api.routes.v1.consents import record_consent
from api.routes.v1.enrollment_schemas import NewEnrollment
from api.routes.v1.enrollments import enroll
from api.routes.v1.links import NewLink, link_patient
from api.routes.v1.patients import NewPatient, create_patient
from api.routes.v1.response_schemas import NewResponse
from api.routes.v1.responses import record_response
from api.routes.v1.rows import MOST_ROWS, Ask, Given, Results, answer_rows
from api.routes.v1.schema import Body

router = APIRouter(tags=["bulk"])

PERSON = "0199b7c2-6b02-7e11-a2d4-9c3f5e7a1b20"
GROUP = "0199b7c2-6c1f-7a53-9d3e-5b8f0c2a4e61"


def rows(like: str, example: dict[str, Any]) -> Any:  # noqa: ANN401 - a field of any type
    return Field(
        min_length=1,
        max_length=MOST_ROWS,
        description=f"Each as the body of POST {like}, with the ids of its address",
        examples=[[example]],
    )


class PatientRows(Body):
    rows: list[Given] = rows("/v1/patients", NewPatient.example())


class LinkRows(Body):
    rows: list[Given] = rows(
        "/v1/patients/{patient_id}/links", {"patient_id": PERSON, **NewLink.example()}
    )


class ConsentRows(Body):
    rows: list[Given] = rows(
        "/v1/patients/{patient_id}/consents", {"patient_id": PERSON, **NewConsent.example()}
    )


class ResponseRows(Body):
    rows: list[Given] = rows(
        "/v1/patients/{patient_id}/responses", {"patient_id": PERSON, **NewResponse.example()}
    )


class EnrollmentRows(Body):
    rows: list[Given] = rows(
        "/v1/groups/{group_id}/enrollments", {"group_id": GROUP, **NewEnrollment.example()}
    )


class OfPerson(BaseModel):
    patient_id: UUID


class OfGroup(BaseModel):
    group_id: UUID


@router.post("/bulk/patients", response_model=Results)
def create_patients(call: Writing, body: PatientRows) -> Response:
    def ask(call: Call, row: Given) -> Response:
        return create_patient(call, NewPatient.model_validate(row))

    return answer_rows(call, body.rows, ask)


@router.post("/bulk/links", response_model=Results)
def link_patients(call: Writing, body: LinkRows) -> Response:
    ask = _addressed(OfPerson, link_patient, NewLink)
    return answer_rows(call, body.rows, ask, addressed="patient_id")


@router.post("/bulk/consents", response_model=Results)
def record_consents(call: Writing, body: ConsentRows) -> Response:
    ask = _addressed(OfPerson, record_consent, NewConsent)
    return answer_rows(call, body.rows, ask, addressed="patient_id")


@router.post("/bulk/responses", response_model=Results)
def record_responses(call: Writing, body: ResponseRows) -> Response:
    """Check, score and keep responses; the result of each names the alert that it has raised."""
    ask = _addressed(OfPerson, record_response, NewResponse)
    return answer_rows(call, body.rows, ask, addressed="patient_id")


@router.post("/bulk/enrollments", response_model=Results)
def enroll_many(call: Writing, body: EnrollmentRows) -> Response:
    """Propose, wait-list or enrol people, row by row, while there are seats."""
    ask = _addressed(OfGroup, enroll, NewEnrollment)
    return answer_rows(call, body.rows, ask, addressed="group_id")


def _addressed(address: type[BaseModel], single: Callable[..., Response], body: type[Body]) -> Ask:
    """Return what asks the single address of a row, whose ids are among the row's fields."""

    def ask(call: Call, row: Given) -> Response:
        ids = dict(address.model_validate(row))
        call.about([ids.get("patient_id")])
        given = {name: value for name, value in row.items() if name not in ids}
        return single(call, **ids, body=body.model_validate(given))

    return ask
