"""Series of sessions: a rule, and the sessions that it plans.

https://www.rfc-editor.org/rfc/rfc5545
"""

from uuid import UUID

from fastapi import APIRouter, Response
from sqlmodel import select

from api.routes.v1.calls import (
    JSON,
    Call,
    Reading,
    Writing,
    answer,
    show,
    show_rows,
)
from api.routes.v1.paging import Paged
from api.routes.v1.preconditions import SeenVersion, etag
from api.routes.v1.series_schemas import (
    ExtraSession,
    ManySeries,
    NewSeries,
    OccurrenceException,
    PlanOut,
    SeriesEnd,
    SeriesOut,
    SeriesUpdate,
    series_out,
)
from api.routes.v1.sessions import SessionOut, Sessions
from service.commands import (
    AddExtraSession,
    CreateSeries,
    EndSeries,
    ExceptOccurrence,
    PlanSeries,
    UpdateSeries,
)
from service.models.groups import Session, SupportGroup
from service.models.series import Series
from service.rows import get

router = APIRouter(tags=["series"])


@router.get("/groups/{group_id}/series", response_model=ManySeries)
def list_series(call: Reading, page: Paged, group_id: UUID) -> Response:
    """All series of a group, those that have ended too."""
    found = select(Series).where(Series.group_id == group_id)
    group = (SupportGroup, group_id)
    return show_rows(call, ManySeries, SeriesOut, (found, Series, page), within=group)


@router.post("/groups/{group_id}/series", status_code=201, response_model=SeriesOut)
def create_series(call: Writing, group_id: UUID, body: NewSeries) -> Response:
    """Begin a series; its sessions up to the horizon are planned with it."""
    row = call.execute(CreateSeries(group_id=group_id, **body.values(), weeks=_weeks(call)))
    return _show(call, row.id, created=True)


@router.get("/series/{series_id}", response_model=SeriesOut)
def read_series(call: Reading, series_id: UUID) -> Response:
    """One series. It is always told anew: who joins or leaves does not raise its version."""
    return _show(call, series_id)


@router.patch("/series/{series_id}", response_model=SeriesOut)
def update_series(
    call: Writing, seen: SeenVersion, series_id: UUID, body: SeriesUpdate
) -> Response:
    """Change it from a day on: sessions follow, and those that fall away are cancelled."""
    given = {**body.values(), "weeks": _weeks(call), "if_match": seen}
    call.execute(UpdateSeries(series_id=series_id, **given))
    return _show(call, series_id)


@router.post("/series/{series_id}/plan", response_model=PlanOut)
def plan_series(call: Writing, series_id: UUID) -> Response:
    """Plan the sessions up to the horizon that are not there yet; again, it adds none."""
    done = call.execute(PlanSeries(series_id=series_id, weeks=_weeks(call)))
    row = call.read(lambda session: get(session, Series, series_id))
    return answer(call, PlanOut(made=done.made, complete=done.is_complete), row.row_version)


@router.post("/series/{series_id}/end", response_model=SeriesOut)
def end_series(call: Writing, seen: SeenVersion, series_id: UUID, body: SeriesEnd) -> Response:
    """End it: what lies ahead is cancelled, and nothing more is planned."""
    call.execute(EndSeries(series_id=series_id, **body.values(), if_match=seen))
    return _show(call, series_id)


@router.post("/series/{series_id}/exceptions", response_model=SessionOut)
def except_occurrence(call: Writing, series_id: UUID, body: OccurrenceException) -> Response:
    """Cancel or move one occurrence; the session stays the one it is."""
    row = call.execute(ExceptOccurrence(series_id=series_id, **body.values()))
    return show(call, SessionOut, Session, row.id)


@router.post("/series/{series_id}/extras", status_code=201, response_model=SessionOut)
def add_extra_session(call: Writing, series_id: UUID, body: ExtraSession) -> Response:
    """Add a session beside the rule."""
    row = call.execute(AddExtraSession(series_id=series_id, **body.values()))
    return show(call, SessionOut, Session, row.id, created="sessions")


@router.get("/series/{series_id}/sessions", response_model=Sessions)
def list_sessions_of_series(call: Reading, page: Paged, series_id: UUID) -> Response:
    """All sessions of a series, those that were cancelled too."""
    found = select(Session).where(Session.series_id == series_id)
    return show_rows(call, Sessions, SessionOut, (found, Session, page), within=(Series, series_id))


def _weeks(call: Call) -> int:
    return call.context.settings.series_weeks


def _show(call: Call, series_id: UUID, *, created: bool = False) -> Response:
    item = call.read(lambda session: series_out(session, get(session, Series, series_id)))
    if created:
        return answer(call, item, item.version, location=f"/v1/series/{series_id}")
    headers = {"ETag": etag(item.version), "Cache-Control": "no-store"}
    return Response(item.model_dump_json(by_alias=True), 200, headers, JSON)
