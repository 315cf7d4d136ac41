"""The waitlist of a group: its order, offers of a seat, and their answers.

https://www.rfc-editor.org/rfc/rfc9110
"""

from uuid import UUID

from fastapi import APIRouter, Response
from sqlmodel import Session as DbSession
from sqlmodel import col, select

from api.routes.v1.calls import Reading, Writing, show, show_list
from api.routes.v1.enrollment_schemas import Answer, EnrollmentOut, WaitingOut, Waitlist
from api.routes.v1.paging import INVALID, Paged, Paging, cut, decode, encode
from api.routes.v1.preconditions import SeenVersion
from service.commands import AnswerOffer, OfferSeat
from service.errors import InvalidError
from service.models.enrollments import Enrollment, EnrollmentStatus
from service.models.groups import SupportGroup
from service.rows import get

router = APIRouter(tags=["waitlist"])

ON_LIST = (EnrollmentStatus.OFFERED, EnrollmentStatus.WAITLISTED)


@router.get("/groups/{group_id}/waitlist", response_model=Waitlist)
def read_waitlist(call: Reading, page: Paged, group_id: UUID) -> Response:
    """Who has an offer, then who waits, the first first."""
    found = call.read(lambda session: _waitlist(session, group_id, page))
    call.about(each.patient_id for each in found[0])
    return show_list(call, Waitlist, found)


@router.post("/groups/{group_id}/offers", response_model=EnrollmentOut)
def offer_seat(call: Writing, group_id: UUID) -> Response:
    """Offer a free seat to the first who waits; a group whose promotion is manual needs it."""
    row = call.execute(OfferSeat(group_id=group_id))
    return show(call, EnrollmentOut, Enrollment, row.id)


@router.post("/enrollments/{enrollment_id}/offer-answer", response_model=EnrollmentOut)
def answer_offer(call: Writing, seen: SeenVersion, enrollment_id: UUID, body: Answer) -> Response:
    """Take the seat, or give it to whoever is next."""
    call.execute(AnswerOffer(enrollment_id=enrollment_id, **body.values(), if_match=seen))
    return show(call, EnrollmentOut, Enrollment, enrollment_id)


def _waitlist(
    session: DbSession, group_id: UUID, page: Paging
) -> tuple[list[WaitingOut], str | None]:
    get(session, SupportGroup, group_id)
    statement = select(Enrollment).where(
        Enrollment.group_id == group_id, col(Enrollment.status).in_(ON_LIST)
    )
    rows = sorted(session.exec(statement), key=_place)
    numbers = {row.id: number for number, row in enumerate(filter(_waits, rows), start=1)}
    after = _after(page.cursor) if page.cursor is not None else None
    rest = [row for row in rows if after is None or _place(row) > after]
    shown, last = cut(rest, page.limit)
    items = [_item(row, numbers.get(row.id)) for row in shown]
    return items, encode(*map(str, _place(last))) if last else None


def _waits(row: Enrollment) -> bool:
    return row.status is EnrollmentStatus.WAITLISTED


def _place(row: Enrollment) -> tuple[int, int]:
    return int(_waits(row)), row.queue_number or 0


def _after(cursor: str) -> tuple[int, int]:
    waits, number = decode(cursor, 2)
    try:
        return int(waits), int(number)
    except ValueError:
        raise InvalidError(INVALID, element="cursor") from None


def _item(row: Enrollment, position: int | None) -> WaitingOut:
    values = {**row.model_dump(), "enrollment_id": row.id, "position": position}
    return WaitingOut.model_validate(values)
