"""Erasures: planned, done as they were planned, and remembered without saying whose.

https://www.rfc-editor.org/rfc/rfc9110
"""

from datetime import date, datetime
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field
from sqlmodel import select

from api.routes.v1.calls import JSON, Call, Protecting, show, show_rows
from api.routes.v1.paging import Paged
from api.routes.v1.schema import Body, Page, RowOut, Schema, Text
from service.models.subjects import Basis, Erasure
from service.subjects.erasing import EraseData, erase
from service.subjects.holding import Kind
from service.subjects.planning import Plan, plan
from service.subjects.retention import Rule, rules_of

router = APIRouter(tags=["data subject"])

DIGEST = ["9f86d081884c7d659a2feaa0c55ad015"]
WHY = ["no rule was stated for how long it is kept"]
BY = "On whose behalf; the client's name when left out"


class PlannedPart(Schema):
    kind: Kind = Field(description="Kind of record", examples=["attendance"])
    rows: int = Field(description="How many there are", examples=[12])
    is_erased: bool = Field(description="Whether they would be erased", examples=[False])
    until: date | None = Field(
        description="The first day on which nothing keeps them; null where that is not known",
        examples=["2046-02-03"],
    )
    why: str = Field(description="Why they are kept", examples=WHY)


class ErasurePlan(Schema):
    patient_id: UUID = Field(description="Whose", examples=["0199b7c2-6b02-7e11-a2d4-9c3f5e7a1b20"])
    digest: str = Field(description="Names this plan, for the erasure itself", examples=DIGEST)
    parts: list[PlannedPart] = Field(
        description="Each kind of record", examples=[[PlannedPart.example()]]
    )
    by_hand: list[str] = Field(description="What somebody has to look at", examples=[[]])


class NewErasure(Body):
    digest: Text = Field(description="Of the plan that was read", examples=DIGEST)
    basis: Basis = Field(description="Why", examples=["request"])
    erased_by: Text | None = Field(default=None, description=BY, examples=["Sam Ortiz"])


class KeptPart(Schema):
    kind: Kind = Field(description="Kind of record", examples=["attendance"])
    rows: int = Field(description="How many there were", examples=[12])
    until: date | None = Field(
        description="Until when, where that is known", examples=["2046-02-03"]
    )
    why: str = Field(description="Why", examples=WHY)


class ErasureOut(RowOut):
    patient_id: UUID | None = Field(
        description="Whose data is kept in part; null where nothing is left", examples=[None]
    )
    basis: Basis = Field(description="Why", examples=["request"])
    began_at: datetime = Field(description="When it began", examples=["2026-02-03T10:12:00Z"])
    done_at: datetime | None = Field(
        description="When it was done; null while it is under way or was stopped",
        examples=["2026-02-03T10:12:01Z"],
    )
    erased_by: str = Field(description="Who did it", examples=["Sam Ortiz"])
    erased: dict[str, int] = Field(
        description="Rows of each kind that were erased", examples=[{"attendance": 12}]
    )
    kept: list[KeptPart] = Field(description="What was kept", examples=[[]])


class Erasures(Page):
    items: list[ErasureOut]


@router.get("/patients/{patient_id}/erasure", response_model=ErasurePlan)
def plan_erasure(call: Protecting, patient_id: UUID) -> Response:
    """Tell what would be erased today, what not, and why; nothing is done."""
    rules, now = _rules(call), call.context.clock()
    found = call.read(lambda session: plan(session, patient_id, rules, now))
    call.about(found.family)
    body = _shown(found).model_dump_json()
    return Response(body, 200, {"Cache-Control": "no-store"}, JSON)


def _rules(call: Call) -> tuple[Rule, ...]:
    settings = call.context.settings
    return rules_of(settings.retention_jurisdiction, settings.retention_file)


def _shown(found: Plan) -> ErasurePlan:
    return ErasurePlan(
        patient_id=found.person,
        digest=found.digest,
        parts=[PlannedPart.model_validate(each) for each in found.parts],
        by_hand=list(found.by_hand),
    )


@router.put("/patients/{patient_id}/erasure", response_model=ErasureOut)
def erase_person(call: Protecting, patient_id: UUID, body: NewErasure) -> Response:
    """Do what was planned; asked again, one that was stopped goes on."""
    given = {**body.values(), "erased_by": call.by(body.erased_by)}
    command = EraseData(patient_id=patient_id, **given)
    call.remember()
    context = call.context
    row = erase(context.database, command, _rules(call), forgotten=context.pseudonyms.forget)
    return show(call, ErasureOut, Erasure, row.id)


@router.get("/erasures", response_model=Erasures)
def list_erasures(call: Protecting, page: Paged) -> Response:
    """All erasures: when, by whom, what was kept and why."""
    return show_rows(call, Erasures, ErasureOut, (select(Erasure), Erasure, page))


@router.get("/erasures/{erasure_id}", response_model=ErasureOut)
def read_erasure(call: Protecting, erasure_id: UUID) -> Response:
    return show(call, ErasureOut, Erasure, erasure_id)
