"""The accounting of disclosures of one person: as JSON, as a FHIR Bundle, and as PDF.

https://www.ecfr.gov/current/title-45/section-164.528
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field
from sqlmodel import Session, select

from api.accounted import bundle_of
from api.audit_pdf import Line, Report, pdf
from api.routes.v1.audit import AT, CLIENT, PERSON, Since, Until, names_of, within
from api.routes.v1.calls import Call, Protecting
from api.routes.v1.schema import Schema
from service.audit.accounting import Accounting, account
from service.audit.entries import AuditEntry
from service.audit.people import with_merged
from service.audit.reading import Asked
from service.clock import EPOCH
from service.models.groups import Programme
from service.models.patients import Patient
from service.rows import get

router = APIRouter(tags=["audit"])


class DisclosureOut(Schema):
    at: datetime = Field(description="When", examples=AT)
    client: str | None = Field(description="By which client", examples=CLIENT)
    person: str | None = Field(description="On whose behalf", examples=[None])
    method: str = Field(description="How", examples=["GET"])
    what: str = Field(description="What", examples=["/fhir/Observation"])
    purpose: str | None = Field(description="For what purpose", examples=["TREAT"])


class RecipientOut(Schema):
    connection_id: UUID = Field(description="The hospital", examples=PERSON)
    name: str = Field(description="Its name", examples=["Harbor"])
    disclosures: list[DisclosureOut] = Field(
        description="What it got, the newest first", examples=[[DisclosureOut.example()]]
    )


class AccountingOut(Schema):
    patient_id: UUID = Field(description="Of whom", examples=PERSON)
    complete: bool = Field(description="Whether there were no more", examples=[True])
    recipients: list[RecipientOut] = Field(
        description="Who got something", examples=[[RecipientOut.example()]]
    )


@router.get("/patients/{patient_id}/disclosures", response_model=AccountingOut)
def account_of_disclosures(
    call: Protecting,
    patient_id: UUID,
    since: Since = None,
    until: Until = None,
    form: Annotated[
        Literal["json", "fhir", "pdf"],
        Query(alias="format", description="json, fhir (a Bundle of AuditEvents) or pdf"),
    ] = "json",
) -> Response:
    """Return which hospital got what about this person, when, and for what purpose."""
    return call.read(
        lambda session: _accounted(call, session, patient_id, within(Asked(), since, until), form)
    )


def _accounted(call: Call, session: Session, patient_id: UUID, asked: Asked, form: str) -> Response:
    person = get(session, Patient, patient_id)
    names = names_of(session, patient_id)
    found = account(session, call.context.audit_reader.engine, names, asked)
    headers = {"Cache-Control": "no-store"}
    if form == "pdf":
        return Response(pdf(_report(call, session, person, found)), 200, headers, "application/pdf")
    if form == "fhir":
        own = with_merged(session, patient_id)
        body = bundle_of(call.context, session, found.rows, own)
        return Response(body, 200, headers, "application/fhir+json")
    told = AccountingOut(
        patient_id=patient_id,
        complete=found.complete,
        recipients=[
            RecipientOut(
                connection_id=each.connection_id,
                name=each.name,
                disclosures=[_disclosure(row) for row in each.rows],
            )
            for each in found.recipients
        ],
    )
    return Response(told.model_dump_json(by_alias=True), 200, headers, "application/json")


def _disclosure(row: AuditEntry) -> DisclosureOut:
    return DisclosureOut(
        at=_at(row),
        client=row.client,
        person=row.person,
        method=row.method,
        what=row.path,
        purpose=row.purpose,
    )


def _at(row: AuditEntry) -> datetime:
    return EPOCH + timedelta(microseconds=row.at)


def _report(call: Call, session: Session, person: Patient, found: Accounting) -> Report:
    born = f", born {person.birth_date}" if person.birth_date else ""
    return Report(
        person=f"{person.given} {person.family}{born}",
        programme=session.exec(select(Programme.name)).first() or "",
        made=call.context.clock().astimezone(UTC),
        hospitals=[(each.name, [_line(row) for row in each.rows]) for each in found.recipients],
        complete=found.complete,
    )


def _line(row: AuditEntry) -> Line:
    who = " for ".join(each for each in (row.client, row.person) if each)
    return Line(_at(row), who, f"{row.method} {row.path}", row.purpose or "not said")
