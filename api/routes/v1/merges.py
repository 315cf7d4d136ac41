"""Merges: two of our patients turned out to be one person; undone, never deleted.

https://www.rfc-editor.org/rfc/rfc9110
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field
from sqlmodel import col, or_, select

from api.routes.v1.calls import Call, Reading, Writing, show, show_rows
from api.routes.v1.paging import Paged
from api.routes.v1.preconditions import SeenVersion
from api.routes.v1.schema import Body, Count, Page, RowOut, Text
from service.commands import MergePatients, UnmergePatients
from service.models.merges import Merge
from service.rows import get

router = APIRouter(tags=["merges"])

TARGET = ["0199b7c2-6b02-7e11-a2d4-9c3f5e7a1b20"]
SOURCE = ["0199b7c2-6b0a-7c4e-b1f3-2a5d7c9e0f31"]
WHEN = ["2026-02-03T10:12:00Z"]
WHY = ["Registered by herself and sent by her clinic"]
UNDONE_WHY = ["Sisters at one address"]
BY = "Who is sure that they are one person; the client's name when left out"
UNDONE_BY = "On whose behalf; the client's name when left out"
VERSION = "The version of that patient that you have seen: 412 when it is not the current one"


class NewMerge(Body):
    source_id: UUID = Field(
        description="The record that is retired; all it has becomes this patient's", examples=SOURCE
    )
    reason: Text = Field(description="Why they are one person", examples=WHY)
    merged_by: Text | None = Field(default=None, description=BY, examples=["Sam Ortiz"])
    source_version: Count | None = Field(default=None, description=VERSION, examples=[1])
    target_version: Count | None = Field(default=None, description=VERSION, examples=[3])


class MergeUndo(Body):
    reason: Text = Field(description="Why", examples=UNDONE_WHY)
    undone_by: Text | None = Field(default=None, description=UNDONE_BY, examples=["Sam Ortiz"])


class MergeOut(RowOut):
    source_id: UUID = Field(description="The record that was retired", examples=SOURCE)
    target_id: UUID = Field(description="The record that took its place", examples=TARGET)
    merged_at: datetime = Field(description="When", examples=WHEN)
    merged_by: str = Field(description="Who was sure of it", examples=["Sam Ortiz"])
    reason: str = Field(description="Why", examples=WHY)
    undone_at: datetime | None = Field(
        description="When it was undone", examples=["2026-02-10T09:00:00Z"]
    )
    undone_by: str | None = Field(description="Who undid it", examples=["Sam Ortiz"])
    undone_reason: str | None = Field(description="Why it was undone", examples=UNDONE_WHY)

    @property
    def people(self) -> Sequence[UUID | None]:
        return self.source_id, self.target_id


class Merges(Page):
    items: list[MergeOut]


@router.post("/patients/{patient_id}/merges", status_code=201, response_model=MergeOut)
def merge_patients(call: Writing, patient_id: UUID, body: NewMerge) -> Response:
    """Merge another record into this patient."""
    call.about([body.source_id])
    given = {**body.values(), "merged_by": call.by(body.merged_by)}
    row = call.execute(MergePatients(target_id=patient_id, **given))
    return show(call, MergeOut, Merge, row.id, created="merges")


@router.get("/merges", response_model=Merges)
def list_merges(
    call: Reading,
    page: Paged,
    patient_id: Annotated[
        UUID | None, Query(description="Only merges from or into this patient")
    ] = None,
) -> Response:
    """All merges, those that were undone too."""
    found = select(Merge)
    if patient_id is not None:
        found = found.where(
            or_(col(Merge.source_id) == patient_id, col(Merge.target_id) == patient_id)
        )
    return show_rows(call, Merges, MergeOut, (found, Merge, page))


@router.get("/merges/{merge_id}", response_model=MergeOut)
def read_merge(call: Reading, merge_id: UUID) -> Response:
    return show(call, MergeOut, Merge, merge_id)


@router.post("/merges/{merge_id}/undo", response_model=MergeOut)
def undo_merge(call: Writing, seen: SeenVersion, merge_id: UUID, body: MergeUndo) -> Response:
    """Part the two again: what was moved goes back, what was recorded since stays."""
    _about_both(call, merge_id)
    by = call.by(body.undone_by)
    call.execute(
        UnmergePatients(merge_id=merge_id, undone_by=by, reason=body.reason, if_match=seen)
    )
    return show(call, MergeOut, Merge, merge_id)


def _about_both(call: Call, merge_id: UUID) -> None:
    """Note in the audit row whom it is about, also where it is refused."""
    row = call.read(lambda session: get(session, Merge, merge_id))
    call.about([row.source_id, row.target_id])
