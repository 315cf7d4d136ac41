"""Safety alerts: raised by responses and reports, told to people, closed by a person.

https://www.rfc-editor.org/rfc/rfc9110
"""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response
from sqlmodel import Session, col, or_, select

from api.routes.v1.alert_schemas import (
    AlertEventOut,
    AlertOut,
    AlertResolution,
    Alerts,
    AlertStory,
    AlertTaken,
    DangerReport,
    DangerReported,
)
from api.routes.v1.calls import Call, Reading, Writing, answer, show, show_rows
from api.routes.v1.paging import Paged
from api.routes.v1.preconditions import SeenVersion, content_version
from api.routes.v1.schema import Sought
from service import safety
from service.commands import AcknowledgeAlert, EscalateAlert, ReportDanger, ResolveAlert
from service.models.patients import Patient
from service.models.screening import Alert, AlertState
from service.rows import get
from service.safety.overdue import is_overdue
from service.safety.story import events_of

router = APIRouter(tags=["alerts"])


@router.get("/alerts", response_model=Alerts)
def list_alerts(
    call: Reading,
    page: Paged,
    state: Annotated[
        AlertState | None, Query(description="Only these; all but the resolved when left out")
    ] = None,
    tier: Annotated[Sought | None, Query(description="Only of this tier", max_length=64)] = None,
    due: Annotated[
        bool, Query(description="Only those that nobody took up, or resolved, in time")
    ] = False,
    unreached: Annotated[
        bool, Query(description="Only those of which nobody is left to be told")
    ] = False,
) -> Response:
    """Alerts that are not resolved, oldest first."""
    found = select(Alert)
    if state is None:
        found = found.where(Alert.state != AlertState.RESOLVED)
    else:
        found = found.where(Alert.state == state)
    if tier is not None:
        found = found.where(Alert.tier == tier)
    if due:
        found = found.where(or_(*is_overdue(call.context.clock())))
    if unreached:
        found = found.where(col(Alert.nobody_left_at).is_not(None))
    return show_rows(call, Alerts, AlertOut, (found, Alert, page))


@router.get("/alerts/{alert_id}", response_model=AlertOut)
def read_alert(call: Reading, alert_id: UUID) -> Response:
    return show(call, AlertOut, Alert, alert_id)


@router.get("/alerts/{alert_id}/events", response_model=AlertStory)
def read_alert_events(call: Reading, alert_id: UUID) -> Response:
    """All that happened to it: who was addressed, told or not, who took it up and closed it."""

    def work(session: Session) -> AlertStory:
        call.about([get(session, Alert, alert_id).patient_id])
        events = events_of(session, alert_id)
        return AlertStory(items=[AlertEventOut.model_validate(each) for each in events])

    story = call.read(work)
    return answer(call, story, content_version(story))


@router.post("/alerts/{alert_id}/acknowledge", response_model=AlertOut)
def acknowledge_alert(
    call: Writing, seen: SeenVersion, alert_id: UUID, body: AlertTaken | None = None
) -> Response:
    """Say that you have taken it up; nobody else is told any more."""
    return _moved(call, alert_id, AcknowledgeAlert, if_match=seen, by=body and body.by)


@router.post("/alerts/{alert_id}/escalate", response_model=AlertOut)
def escalate_alert(
    call: Writing, seen: SeenVersion, alert_id: UUID, body: AlertTaken | None = None
) -> Response:
    """Hand it on to who comes next."""
    return _moved(call, alert_id, EscalateAlert, if_match=seen, by=body and body.by)


@router.post("/alerts/{alert_id}/resolve", response_model=AlertOut)
def resolve_alert(
    call: Writing, seen: SeenVersion, alert_id: UUID, body: AlertResolution
) -> Response:
    """Close it, with what became of it; somebody has acknowledged it before."""
    more = {"disposition": body.disposition, "by": body.by}
    return _moved(call, alert_id, ResolveAlert, if_match=seen, **more)


def _moved(call: Call, alert_id: UUID, command: type[Any], **given: Any) -> Response:  # noqa: ANN401
    row = call.read(lambda session: get(session, Alert, alert_id))
    call.about([row.patient_id])
    call.execute(command(alert_id=alert_id, **{**given, "by": call.by(given["by"])}))
    return show(call, AlertOut, Alert, alert_id)


@router.post(
    "/patients/{patient_id}/danger-reports", status_code=201, response_model=DangerReported
)
def report_danger(call: Writing, patient_id: UUID, body: DangerReport) -> Response:
    """Say that somebody is in danger; on-call is told, and the answer says what to do now."""
    call.read(lambda session: get(session, Patient, patient_id))  # it stands in the address
    given = {**body.values(), "reported_by": call.by(body.reported_by)}
    row: Alert = call.execute(ReportDanger(patient_id=patient_id, **given))
    policy = call.read(safety.policy_of)
    reported = DangerReported(
        id=row.id,
        tier=row.tier,
        instruction=policy.tier(row.tier).peer,
        crisis_text=call.context.settings.crisis_text,
    )
    return answer(call, reported, row.row_version, location=f"/v1/alerts/{row.id}")
