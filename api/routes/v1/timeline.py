"""A patient's timeline: enrolments, sessions with marks, totals with bands, consents.

https://www.rfc-editor.org/rfc/rfc9110
"""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field

from api.routes.v1.calls import Reading, show_list
from api.routes.v1.paging import INVALID, Paged, cut, decode, encode
from api.routes.v1.schema import NEXT, Page, Schema
from service.errors import InvalidError
from service.models.consents import Category, Decision
from service.models.enrollments import AttendanceMark, EnrollmentStatus
from service.models.screening import ResponseStatus
from service.timeline import Entry, Key, timeline

router = APIRouter(tags=["timeline"])

ENTRY = ["0199b7c2-b001-7d41-8e5f-607182930415"]
GROUP = ["0199b7c2-6c1f-7a53-9d3e-5b8f0c2a4e61"]


class EntryOut(Schema):
    at: datetime = Field(description="When it happened", examples=["2026-01-06T23:00:00Z"])
    id: UUID = Field(description="Id of this entry", examples=ENTRY)


class EnrollmentEntryOut(EntryOut):
    kind: Literal["enrollment"] = Field(
        description="An enrolment got this status", examples=["enrollment"]
    )
    enrollment_id: UUID = Field(description="Which enrolment", examples=ENTRY)
    group_id: UUID = Field(description="In which group", examples=GROUP)
    status: EnrollmentStatus = Field(description="The status", examples=["active"])
    reason: str | None = Field(description="Why", examples=["Seat became free"])


class AttendanceEntryOut(EntryOut):
    kind: Literal["attendance"] = Field(
        description="A session, attended or missed", examples=["attendance"]
    )
    session_id: UUID = Field(description="Which session", examples=ENTRY)
    group_id: UUID = Field(description="Of which group", examples=GROUP)
    mark: AttendanceMark = Field(description="How it was attended", examples=["present"])


class ResponseEntryOut(EntryOut):
    kind: Literal["response"] = Field(
        description="A questionnaire was filled in", examples=["response"]
    )
    instrument: str = Field(description="Which questionnaire", examples=["phq-9"])
    status: ResponseStatus = Field(description="FHIR status", examples=["completed"])
    total: int | None = Field(description="Total score", examples=[10])
    band: str | None = Field(description="Severity band", examples=["moderate"])


class ConsentEntryOut(EntryOut):
    kind: Literal["consent", "consent-withdrawal"] = Field(
        description="A decision began, or was withdrawn", examples=["consent"]
    )
    consent_id: UUID = Field(description="Which consent", examples=ENTRY)
    connection_id: UUID = Field(
        description="About which hospital", examples=["0199b7c2-5a01-7c90-8f6e-2d4b6a8c0e12"]
    )
    category: Category | None = Field(
        description="Which kind of fact; null where it is about several, or all",
        examples=["attendance"],
    )
    categories: list[Category] = Field(
        description="Which kinds of fact; none stands for all", examples=[["attendance"]]
    )
    decision: Decision = Field(description="Permit or deny", examples=["permit"])
    withdrawn: bool = Field(description="Whether it was withdrawn", examples=[False])


TimelineEntry = Annotated[
    EnrollmentEntryOut | AttendanceEntryOut | ResponseEntryOut | ConsentEntryOut,
    Field(discriminator="kind"),
]


class Timeline(Page):
    items: list[TimelineEntry]

    @classmethod
    def example(cls) -> dict[str, Any]:
        """Return a page with one entry of each kind."""
        kinds = (ConsentEntryOut, EnrollmentEntryOut, AttendanceEntryOut, ResponseEntryOut)
        shown = [kind.example() for kind in kinds]
        return {"items": shown, "next": NEXT}


@router.get("/patients/{patient_id}/timeline", response_model=Timeline)
def read_timeline(call: Reading, page: Paged, patient_id: UUID) -> Response:
    """Oldest first."""
    after = _key(page.cursor) if page.cursor is not None else None
    found = call.read(
        lambda session: timeline(session, patient_id, after=after, limit=page.limit + 1)
    )
    entries, last = cut(found, page.limit)
    return show_list(call, Timeline, (entries, _cursor(last) if last else None))


def _cursor(last: Entry) -> str:
    return encode(last.at.isoformat(), last.kind, last.id.hex)


def _key(cursor: str) -> Key:
    at, kind, last = decode(cursor, 3)
    try:
        moment, entry_id = datetime.fromisoformat(at), UUID(hex=last)
    except ValueError:
        raise InvalidError(INVALID, element="cursor") from None
    if moment.tzinfo is None:
        raise InvalidError(INVALID, element="cursor")
    return moment, kind, entry_id
