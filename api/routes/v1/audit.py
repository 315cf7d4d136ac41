"""Audit rows, for the privacy officer.

https://hl7.org/fhir/R4/security.html#audit
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field
from sqlmodel import Session, col, select

from api.routes.v1.calls import Call, Protecting, show_list
from api.routes.v1.paging import Paged, decode, encode
from api.routes.v1.schema import Moment, Page, Schema, Sought
from service.audit.details import installation_key
from service.audit.entries import AuditEntry
from service.audit.partitions import id_at
from service.audit.people import names_in_rows, with_merged
from service.audit.reading import Asked, opened, read
from service.clock import EPOCH
from service.models.connections import Connection

router = APIRouter(tags=["audit"])

REQUEST = ["0199b7c2b0017d418e5f607182930415"]
PERSON = ["0199b7c2-6c1f-7a53-9d3e-5b8f0c2a4e61"]
AT = ["2026-01-05T17:02:11.482913Z"]
CLIENT = ["harbor-ehr"]
Since = Annotated[Moment | None, Query(description="From this time on", examples=AT)]
Until = Annotated[Moment | None, Query(description="Before this time", examples=AT)]


class AuditOut(Schema):
    id: str = Field(description="The request's id, as X-Request-Id told it", examples=REQUEST)
    at: datetime = Field(description="When it was asked", examples=AT)
    client: str | None = Field(description="Which client", examples=CLIENT)
    person: str | None = Field(description="On whose behalf", examples=[None])
    connection_id: UUID | None = Field(description="Of which hospital", examples=PERSON)
    address: str | None = Field(description="From where", examples=["192.0.2.7"])
    method: str = Field(description="The method; CLI is a command", examples=["GET"])
    route: str = Field(description="What was asked, without ids", examples=["/fhir/Patient/{id}"])
    path: str = Field(description="What was asked", examples=["/fhir/Patient/0f1e2d3c"])
    query: str | None = Field(description="With which parameters", examples=["_count=20"])
    status: int = Field(description="The answer's; 0 where nobody got it", examples=[200])
    decision: str | None = Field(description="Why it was refused, if known", examples=[None])
    purpose: str | None = Field(description="For what purpose", examples=["TREAT"])
    patients: list[UUID | None] = Field(
        description="Who was read or changed; null is who was forgotten", examples=[PERSON]
    )


class Audited(Page):
    items: list[AuditOut]


@router.get("/audit", response_model=Audited)
def list_audit(
    call: Protecting,
    page: Paged,
    client: Annotated[Sought | None, Query(max_length=200, description="Of this client")] = None,
    patient_id: Annotated[UUID | None, Query(description="About this person")] = None,
    since: Since = None,
    until: Until = None,
) -> Response:
    """Return what was asked, the newest first."""
    asked = within(Asked(client=client), since, until)
    if page.cursor:
        (before,) = decode(page.cursor, 1)
        asked = replace(asked, before=min(before, asked.before or before))
    if patient_id is not None:
        call.about([patient_id])
        names = call.read(lambda session: names_of(session, patient_id))
        asked = replace(asked, patients=names)
    rows = read(call.context.audit_reader.engine, asked, page.limit + 1)
    items = call.read(lambda session: _shown(call, session, rows[: page.limit]))
    following = encode(rows[page.limit - 1].request_id) if len(rows) > page.limit else None
    return show_list(call, Audited, (items, following))


def within(asked: Asked, since: datetime | None, until: datetime | None) -> Asked:
    """Return what is asked, of this time only."""
    return replace(
        asked,
        since=id_at(since) if since else asked.since,
        before=id_at(until) if until else asked.before,
    )


def names_of(session: Session, patient_id: UUID) -> set[str]:
    """Return what rows call this person, with every record that was merged into theirs."""
    return names_in_rows(session, with_merged(session, patient_id))


def _shown(call: Call, session: Session, rows: Sequence[AuditEntry]) -> list[AuditOut]:
    statement = select(Connection.number, Connection.id).where(
        col(Connection.number).in_({row.audience for row in rows if row.audience})
    )
    hospitals = dict(session.exec(statement).all())
    found = opened(session, installation_key(call.context.key), rows)
    return [
        AuditOut(
            id=row.request_id,
            at=EPOCH + timedelta(microseconds=row.at),
            client=row.client,
            person=row.person,
            connection_id=hospitals.get(row.audience or 0),
            address=row.address,
            method=row.method,
            route=row.path,
            path=each.path,
            query=each.query,
            status=row.status,
            decision=row.decision,
            purpose=row.purpose,
            patients=list(each.patients),
        )
        for each in found
        for row in [each.entry]
    ]
