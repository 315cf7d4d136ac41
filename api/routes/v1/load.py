"""Facilitators' load, for the coordinator alone.

https://www.rfc-editor.org/rfc/rfc9110
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field
from sqlmodel import Session as DbSession
from sqlmodel import select

from api.routes.v1.calls import Call, Overseeing, answer, show_list
from api.routes.v1.paging import Paged, rows_after
from api.routes.v1.preconditions import content_version
from api.routes.v1.schema import Moment, Page, Schema
from service.errors import InvalidError
from service.load import Load, Period, loads
from service.models.groups import Facilitator, GroupStatus
from service.rows import get
from service.standing import CredentialState, LapseKind

router = APIRouter(tags=["coordination"])

USUAL = timedelta(weeks=4)
PERSON = ["0199b7c2-7d11-7f02-b1c4-77ab0e5d1002"]
SUPERVISOR = ["0199b7c2-7d12-7a03-9c5d-88bc1f6e2003"]
STOPS = "Whether their groups take no new members now"
DUE = "The last day for the next session: the one that was set, else by the operator's interval"


class LedGroup(Schema):
    group_id: UUID = Field(
        description="Which group", examples=["0199b7c2-6c1f-7a53-9d3e-5b8f0c2a4e61"]
    )
    neutral_name: str = Field(description="Its neutral name", examples=["Tuesday circle"])
    status: GroupStatus = Field(description="Its state", examples=["active"])
    members: int = Field(description="People with a seat", examples=[9])
    capacity: int = Field(description="Seats", examples=[12])
    sessions: int = Field(description="Sessions in the period, cancelled ones not", examples=[4])


class HeldCredential(Schema):
    credential_id: UUID = Field(
        description="The one of its kind that lasts longest",
        examples=["0199b7c2-7d20-7b14-8d6e-99cd2a7f3004"],
    )
    kind: str = Field(description="Its kind", examples=["Peer support training"])
    expires: date | None = Field(description="Its last day", examples=["2026-02-28"])
    state: CredentialState = Field(
        description="In force, about to expire, or expired", examples=["expired"]
    )


class LapseOut(Schema):
    kind: LapseKind = Field(description="What is not in order", examples=["credential-expired"])
    since: date = Field(description="Since which day", examples=["2026-03-01"])
    credential: str | None = Field(
        description="The kind of credential", examples=["Peer support training"]
    )


class LoadOut(Schema):
    facilitator_id: UUID = Field(description="Who", examples=PERSON)
    family: str = Field(description="Family name", examples=["Okafor"])
    given: str = Field(description="Given name", examples=["Ngozi"])
    active: bool = Field(description="Whether they still lead groups", examples=[True])
    since: datetime = Field(description="The period's beginning", examples=["2026-02-06T00:00:00Z"])
    until: datetime = Field(
        description="The period's end, not part of it", examples=["2026-03-06T00:00:00Z"]
    )
    groups: list[LedGroup] = Field(
        description="Groups they lead now, closed ones not", examples=[[LedGroup.example()]]
    )
    sessions: int = Field(description="Sessions of these groups in the period", examples=[4])
    members: int = Field(description="People with a seat in these groups", examples=[9])
    supervises: int = Field(description="How many they supervise", examples=[2])
    supervisor_id: UUID | None = Field(
        description="The facilitator who supervises them", examples=SUPERVISOR
    )
    contact: str | None = Field(
        description="Who supervises them, if it is no facilitator here", examples=[None]
    )
    last_supervised_on: date | None = Field(
        description="Their last supervision session", examples=["2026-03-04"]
    )
    supervision_due: date | None = Field(description=DUE, examples=["2026-04-01"])
    credentials: list[HeldCredential] = Field(
        description="The credential of each kind", examples=[[HeldCredential.example()]]
    )
    warnings: list[LapseOut] = Field(
        description="Expired credentials and overdue supervision", examples=[[LapseOut.example()]]
    )
    stops_enrollment: bool = Field(description=STOPS, examples=[False])


class Loads(Page):
    items: list[LoadOut]


async def _bounds(
    since: Annotated[
        Moment | None,
        Query(
            description="Count sessions from here; four weeks before `until` when left out",
            examples=["2026-02-06T00:00:00Z"],
        ),
    ] = None,
    until: Annotated[
        Moment | None,
        Query(description="Up to here; now when left out", examples=["2026-03-06T00:00:00Z"]),
    ] = None,
) -> tuple[datetime | None, datetime | None]:
    return since, until


Bounds = Annotated[tuple[datetime | None, datetime | None], Depends(_bounds)]


@router.get("/facilitators/load", response_model=Loads)
def list_loads(call: Overseeing, page: Paged, bounds: Bounds) -> Response:
    """What each facilitator carries, and whose credentials or supervision are not in order."""
    now = call.context.clock()
    period = _period(bounds, now)

    def work(session: DbSession) -> tuple[list[LoadOut], str | None]:
        people, cursor = rows_after(session, select(Facilitator), Facilitator, page)
        return _shown(loads(session, people, period, now)), cursor

    return show_list(call, Loads, call.read(work))


@router.get("/facilitators/{facilitator_id}/load", response_model=LoadOut)
def read_load(call: Overseeing, facilitator_id: UUID, bounds: Bounds) -> Response:
    now = call.context.clock()
    period = _period(bounds, now)
    return _answer(
        call,
        call.read(
            lambda session: _shown(
                loads(session, [get(session, Facilitator, facilitator_id)], period, now)
            )
        ),
    )


def _answer(call: Call, found: Sequence[LoadOut]) -> Response:
    (item,) = found
    return answer(call, item, content_version(item))


def _period(bounds: tuple[datetime | None, datetime | None], now: datetime) -> Period:
    since, until = bounds
    end = until or now
    if since is not None and since >= end:
        raise InvalidError("must lie after `since`", element="until")
    return Period(since=since or end - USUAL, until=end)


def _shown(found: Sequence[Load]) -> list[LoadOut]:
    return [_one(each) for each in found]


def _one(load: Load) -> LoadOut:
    person, standing = load.facilitator, load.standing
    arranged = standing.supervision
    return LoadOut(
        facilitator_id=person.id,
        family=person.family,
        given=person.given,
        active=person.active,
        since=load.period.since,
        until=load.period.until,
        groups=[LedGroup.model_validate(each) for each in load.groups],
        sessions=sum(each.sessions for each in load.groups),
        members=sum(each.members for each in load.groups),
        supervises=load.supervises,
        supervisor_id=arranged.supervisor_id if arranged else None,
        contact=arranged.contact if arranged else None,
        last_supervised_on=standing.last_held_on,
        supervision_due=standing.next_due,
        credentials=[HeldCredential.model_validate(each) for each in standing.credentials],
        warnings=[LapseOut.model_validate(each) for each in standing.lapses],
        stops_enrollment=load.stops_enrollment,
    )
