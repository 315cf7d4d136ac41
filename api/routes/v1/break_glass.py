"""Break-the-glass for the privacy officer: who saw what beyond the ceiling and why; reviewed.

https://www.rfc-editor.org/rfc/rfc9110
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from api.routes.v1.calls import Call, Protecting, answer, show_list
from api.routes.v1.paging import Paged, rows_after
from api.routes.v1.preconditions import SeenVersion
from api.routes.v1.schema import Body, Page, RowOut, Text
from service.clock import microseconds
from service.commands import GiveNotice, ReviewGlass
from service.errors import SecretsError
from service.models.glass import BrokenGlass, Emergency, Verdict
from service.rows import get

router = APIRouter(tags=["data subject"])

WHO = ["0199b7c2-6b02-7e11-a2d4-9c3f5e7a1b20"]
HOSPITAL = ["0199b7c2-6a01-7c10-9f21-1b2c3d4e5f60"]
WHEN, END = ["2026-02-03T10:12:00Z"], ["2026-02-03T11:12:00Z"]
WHY = ["Brought in unconscious; I must know what was taken"]
BY = "On whose behalf; the client's name when left out"
PSEUDONYM = "Who it was, by the pseudonym that audit rows have, too"


class Review(Body):
    outcome: Verdict = Field(description="What was found", examples=["justified"])
    end: bool = Field(
        default=False, description="Close it at once where it is still open", examples=[False]
    )
    reviewed_by: Text | None = Field(default=None, description=BY, examples=["Sam Ortiz"])


class Notice(Body):
    given_by: Text | None = Field(default=None, description=BY, examples=["Sam Ortiz"])


class BreakGlassOut(RowOut):
    told_once = True  # the reason is kept encrypted only

    patient_id: UUID = Field(description="Whose data was opened", examples=WHO)
    connection_id: UUID = Field(description="The hospital", examples=HOSPITAL)
    client: str = Field(description="With which client", examples=["harbor-login/ward"])
    by: str = Field(
        validation_alias="person",
        description=PSEUDONYM,
        examples=["5f1d7c80f2b04f0aa1b7f5ce0b4c2a11"],
    )
    purpose: Emergency = Field(description="For what, of v3-ActReason", examples=["ETREAT"])
    reason: str | None = Field(
        description="Why, in the person's words; null where the key that kept it is lost",
        examples=WHY,
    )
    begun_at: datetime = Field(description="From when", examples=WHEN)
    until: datetime = Field(description="Until when", examples=END)
    ended_at: datetime | None = Field(description="When it was ended before", examples=[None])
    ended_by: str | None = Field(description="Who ended it", examples=[None])
    outcome: Verdict | None = Field(
        validation_alias="verdict", description="What was found", examples=["justified"]
    )
    reviewed_at: datetime | None = Field(description="When it was reviewed", examples=WHEN)
    reviewed_by: str | None = Field(description="Who reviewed it", examples=["Sam Ortiz"])
    notice_due: bool = Field(
        description="Whether the patient is still to be told; nothing here tells them",
        examples=[True],
    )
    notice_given_at: datetime | None = Field(
        description="When the patient was told", examples=[None]
    )
    notice_given_by: str | None = Field(description="Who told them", examples=[None])


class BreakGlasses(Page):
    items: list[BreakGlassOut]


Reviewed = Annotated[
    bool | None, Query(description="Only those reviewed, or not", examples=[False])
]
Open = Annotated[bool | None, Query(description="Only those open now, or not", examples=[True])]
Due = Annotated[
    bool | None, Query(description="Only those of which the patient is to be told, or not")
]


@router.get("/break-glass", response_model=BreakGlasses)
def list_break_glass(
    call: Protecting,
    page: Paged,
    reviewed: Reviewed = None,
    open_now: Annotated[Open, Query(alias="open")] = None,
    notice_due: Due = None,
) -> Response:
    """The queue: each time that somebody broke the glass, oldest first."""
    found = _chosen(call, reviewed, open_now, notice_due)

    def work(session: Session) -> tuple[list[BreakGlassOut], str | None]:
        rows, cursor = rows_after(session, found, BrokenGlass, page)
        return _told(call, rows), cursor

    items, cursor = call.read(work)
    call.about(each.patient_id for each in items)
    return show_list(call, BreakGlasses, (items, cursor))


def _chosen(
    call: Call, reviewed: bool | None, open_now: bool | None, notice_due: bool | None
) -> SelectOfScalar[BrokenGlass]:
    found = select(BrokenGlass)
    if reviewed is not None:
        verdict = col(BrokenGlass.verdict)
        found = found.where(verdict.is_not(None) if reviewed else verdict.is_(None))
    if open_now is not None:
        now, closes = microseconds(call.context.clock()), col(BrokenGlass.closes_at)
        found = found.where(closes > now if open_now else closes <= now)
    if notice_due is not None:
        found = found.where(col(BrokenGlass.notice_due).is_(notice_due))
    return found


@router.get("/break-glass/{glass_id}", response_model=BreakGlassOut)
def read_break_glass(call: Protecting, glass_id: UUID) -> Response:
    return _show(call, glass_id)


@router.post("/break-glass/{glass_id}/review", response_model=BreakGlassOut)
def review_break_glass(
    call: Protecting, seen: SeenVersion, glass_id: UUID, body: Review
) -> Response:
    """Record whether it was justified, once; `end` closes it where it is still open."""
    _about(call, glass_id)
    call.execute(
        ReviewGlass(
            glass_id=glass_id,
            verdict=body.outcome,
            reviewed_by=call.by(body.reviewed_by),
            end=body.end,
            if_match=seen,
        )
    )
    return _show(call, glass_id)


@router.post("/break-glass/{glass_id}/notice", response_model=BreakGlassOut)
def give_notice(call: Protecting, seen: SeenVersion, glass_id: UUID, body: Notice) -> Response:
    """Note that the patient was told, which is done elsewhere."""
    _about(call, glass_id)
    by = call.by(body.given_by)
    call.execute(GiveNotice(glass_id=glass_id, given_by=by, if_match=seen))
    return _show(call, glass_id)


def _about(call: Call, glass_id: UUID) -> None:
    """Note in the audit row whom it is about, also where it is refused."""
    row = call.read(lambda session: get(session, BrokenGlass, glass_id))
    call.about([row.patient_id])


def _show(call: Call, glass_id: UUID) -> Response:
    (item,) = call.read(lambda session: _told(call, [get(session, BrokenGlass, glass_id)]))
    call.about([item.patient_id])
    return answer(call, item, item.version)


def _told(call: Call, rows: Sequence[BrokenGlass]) -> list[BreakGlassOut]:
    """Return what is answered about these rows, with the reasons as they were given."""
    return [
        BreakGlassOut.model_validate(row).model_copy(update={"reason": _reason(call, row)})
        for row in rows
    ]


def _reason(call: Call, row: BrokenGlass) -> str | None:
    """Return the reason that was given; None where its key is lost, which stops no review."""
    try:
        return call.context.cipher.decrypt(row.reason).decode()
    except SecretsError:
        return None
