"""A patient's progress, as numbers and as a chart.

https://www.w3.org/TR/SVG2/
"""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from sqlmodel import Session as DbSession

from api.routes.v1.calls import Call, Reading, show_list
from api.routes.v1.pictures import Png, Svg
from api.routes.v1.progress_schemas import ProgressList, ProgressOut
from api.routes.v1.schema import Moment, Sought
from service.charts import Chart, png, svg
from service.errors import ValueSetError
from service.progress.reading import attendance_of, is_part2, progress_of
from service.progress.series import Progress
from service.redisclosure import notice

router = APIRouter(tags=["progress"])

Only = Annotated[
    Sought | None, Query(max_length=64, description="Only this questionnaire", examples=["phq-9"])
]
Drawn = Annotated[
    Sought, Query(max_length=64, description="Which questionnaire", examples=["phq-9"])
]
Part = Annotated[
    Sought | None,
    Query(max_length=64, description="Which score of it; the total when left out"),
]
Since = Annotated[
    Moment | None,
    Query(
        description="Only points from then on; the baseline stays what it is",
        examples=["2026-01-01T00:00:00Z"],
    ),
]


@router.get("/patients/{patient_id}/progress", response_model=ProgressList)
def list_progress(
    call: Reading, patient_id: UUID, instrument: Only = None, since: Since = None
) -> Response:
    """Each score over time, with what has changed by each named rule."""
    now = call.context.clock()
    found = call.read(lambda session: progress_of(session, patient_id, now, instrument))
    return show_list(call, ProgressList, ([ProgressOut.of(each, since) for each in found], None))


@router.get("/patients/{patient_id}/progress.svg", response_class=Svg, response_model=None)
def draw_progress(
    call: Reading, patient_id: UUID, instrument: Drawn, score: Part = None
) -> Response:
    """The chart of one score, which names nobody."""
    return Svg(svg(_chart(call, patient_id, instrument, score)))


@router.get("/patients/{patient_id}/progress.png", response_class=Png, response_model=None)
def picture_progress(
    call: Reading, patient_id: UUID, instrument: Drawn, score: Part = None
) -> Response:
    """The same chart as a picture, black on white."""
    return Png(png(svg(_chart(call, patient_id, instrument, score))))


def _chart(call: Call, patient_id: UUID, name: str, score: str | None) -> Chart:
    now = call.context.clock()

    def work(session: DbSession) -> Chart:
        found = progress_of(session, patient_id, now, name)
        visits = attendance_of(session, patient_id)
        shown = _of_score(found, score)
        protected = is_part2(session, patient_id, shown.form)
        return Chart(progress=shown, visits=visits, now=now, notice=notice(part2=protected))

    return call.read(work)


def _of_score(found: list[Progress], score: str | None) -> Progress:
    for each in found:
        if each.score.id == (score or each.form.primary.id):
            return each
    raise ValueSetError("the questionnaire reports no such score", element="score")
