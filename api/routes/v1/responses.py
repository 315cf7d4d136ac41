"""Questionnaire responses: range-checked and scored by the server, corrected with history.

https://hl7.org/fhir/R4/questionnaireresponse.html
"""

from collections.abc import Mapping
from uuid import UUID

from fastapi import APIRouter
from fastapi import Response as HttpResponse
from sqlmodel import Session as DbSession
from sqlmodel import select

from api.routes.v1.calls import Call, Reading, Writing, answer, show_list
from api.routes.v1.paging import Paged, rows_after
from api.routes.v1.preconditions import SeenVersion
from api.routes.v1.response_schemas import (
    NewResponse,
    ResponseCorrection,
    ResponseOut,
    Responses,
)
from service.commands import CorrectResponse, RecordResponse
from service.errors import InvalidElementsError, Problem, ValueSetError
from service.instruments import Instrument, Item, instrument
from service.models.patients import Patient
from service.models.screening import Response
from service.rows import get

router = APIRouter(tags=["responses"])


@router.get("/patients/{patient_id}/responses", response_model=Responses)
def list_responses(call: Reading, page: Paged, patient_id: UUID) -> HttpResponse:
    crisis_text = call.context.settings.crisis_text

    def work(session: DbSession) -> tuple[list[ResponseOut], str | None]:
        get(session, Patient, patient_id)
        found = select(Response).where(Response.patient_id == patient_id)
        rows, cursor = rows_after(session, found, Response, page)
        items = ResponseOut.of_rows(session, rows)
        return [item.warn(crisis_text) for item in items], cursor

    return show_list(call, Responses, call.read(work))


@router.post("/patients/{patient_id}/responses", status_code=201, response_model=ResponseOut)
def record_response(call: Writing, patient_id: UUID, body: NewResponse) -> HttpResponse:
    """Check, score and keep a response; a safety alert comes back in the same answer."""
    call.read(lambda session: get(session, Patient, patient_id))  # it stands in the address
    answers = score_values(_definition(body), body.answers)
    command = RecordResponse(patient_id=patient_id, **{**body.values(), "answers": answers})
    return _show(call, call.execute(command).response.id, created=True)


@router.get("/responses/{response_id}", response_model=ResponseOut)
def read_response(call: Reading, response_id: UUID) -> HttpResponse:
    return _show(call, response_id)


@router.put("/responses/{response_id}", response_model=ResponseOut)
def correct_response(
    call: Writing, seen: SeenVersion, response_id: UUID, body: ResponseCorrection
) -> HttpResponse:
    """Replace the answers; an alert that was raised stays, whatever they say now."""
    row = call.read(lambda session: get(session, Response, response_id))
    call.about([row.patient_id])
    answers = score_values(instrument(row.instrument, row.instrument_version), body.answers)
    given = {**body.values(), "answers": answers, "corrected_by": call.by(body.corrected_by)}
    call.execute(CorrectResponse(response_id=response_id, **given, if_match=seen))
    return _show(call, response_id)


def score_values(definition: Instrument, answers: Mapping[str, object]) -> dict[str, int]:
    """Return values by linkId; a LOINC answer code is looked up in the list of its own item.

    Raises:
        InvalidElementsError: an answer is neither; ranges are the domain's to check.
    """
    items = {item.link_id: item for item in definition.items}
    values, problems = dict[str, int](), list[Problem]()
    for link_id, given in answers.items():
        found = _score_value(items.get(link_id), given, definition)
        if isinstance(found, int):
            values[link_id] = found
        else:
            problems.append(Problem(f"answers['{link_id}']", found, "value"))
    if problems:
        raise InvalidElementsError(tuple(problems))
    return values


def _score_value(item: Item | None, given: object, definition: Instrument) -> int | str:
    """Return the score value, or the rule that the answer breaks."""
    if item is None:
        return f"must be the linkId of an item of {definition.name} {definition.version}"
    if type(given) is int:
        return given
    if not isinstance(given, str):
        return "must be the number of an answer (a whole number) or its LOINC code"
    if chosen := item.answer(given):
        return chosen.value
    return "must be one of " + ", ".join(each.code for each in item.answers if each.code)


def _definition(body: NewResponse) -> Instrument:
    try:
        return instrument(body.instrument, body.instrument_version)
    except LookupError:
        raise ValueSetError("no such questionnaire here", element="instrument") from None


def _show(call: Call, response_id: UUID, *, created: bool = False) -> HttpResponse:
    def work(session: DbSession) -> ResponseOut:
        return ResponseOut.of_rows(session, [get(session, Response, response_id)])[0]

    item = call.read(work).warn(call.context.settings.crisis_text)
    call.about([item.patient_id])
    location = f"/v1/responses/{response_id}" if created else None
    return answer(call, item, item.version, location=location)
