"""Alerts are raised with the response, in the same transaction; no machine closes one.

What somebody sends twice is one alert; what was answered worse raises its tier.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from service.commands import ReportDanger
from service.errors import BusinessRuleError, ValueSetError
from service.guard import insert
from service.identifiers import new_id
from service.instruments import Instrument, instrument
from service.models.enrollments import Enrollment
from service.models.groups import SupportGroup
from service.models.safety import AlertEventKind
from service.models.screening import Alert, Response, ResponseStatus
from service.patients import current
from service.progress.worsening import worsened_reliably
from service.rows import get, require_text
from service.safety.evaluation import Finding, evaluate
from service.safety.policy import Policy, policy_of
from service.safety.story import note
from service.safety.telling import arm, send, tell_next
from service.safety.transitions import Move, moved

WORSENED = "worsened-reliably"
CRISIS_RESOURCES = "crisis_resources"  # in a session's info: what the submitter is shown


@dataclass(frozen=True, kw_only=True)
class Circumstances:
    """When, whom a group names, and the group."""

    now: datetime
    contact: str | None


def raise_alert(
    session: Session, response: Response, form: Instrument, around: Circumstances
) -> Alert | None:
    """Return the alert of this response: there already, raised now, or raised to a higher tier."""
    finding = None
    if response.status is not ResponseStatus.ENTERED_IN_ERROR:
        finding = evaluate(policy_of(session), form, response.answers)
    known = alert_of(session, response)
    if known is None:
        return _first(session, response, finding, around) if finding else None
    if finding is not None:
        _again(session, known, finding, response, around.now)
    return known


def first_alert(
    session: Session, response: Response, form: Instrument, around: Circumstances
) -> Alert | None:
    """Return the alert of a response that is new: one that was sent before has one already."""
    if response.status is ResponseStatus.ENTERED_IN_ERROR:
        return None
    finding = evaluate(policy_of(session), form, response.answers)
    if finding is None:
        return None
    known = alert_of(session, response)
    if known is None:
        return _first(session, response, finding, around)
    _again(session, known, finding, response, around.now)
    return known


def alert_of(session: Session, response: Response) -> Alert | None:
    """Return the alert of a response, or of the same one as it was sent before."""
    own = session.exec(select(Alert).where(Alert.response_id == response.id)).first()
    return own or next(iter(session.exec(_same(response))), None)


def _same(response: Response) -> SelectOfScalar[Alert]:
    """Return the statement for alerts of the same form, filled in at the same moment.

    Of the same sender only: what one hospital is answered must not depend on another.
    """
    return (
        select(Alert)
        .where(
            Alert.patient_id == response.patient_id,
            Alert.instrument == response.instrument,
            Alert.authored == response.authored,
            col(Alert.connection_id) == response.connection_id,
        )
        .order_by(col(Alert.id))
    )


def alerts_of(session: Session, responses: Sequence[Response]) -> dict[UUID, Alert]:
    """Return the alert of each response that has one."""
    ids = [each.id for each in responses]
    own = session.exec(select(Alert).where(col(Alert.response_id).in_(ids)))
    found = {each.response_id: each for each in own if each.response_id is not None}
    people = {each.patient_id for each in responses}
    theirs = session.exec(
        select(Alert).where(col(Alert.patient_id).in_(people)).order_by(col(Alert.id).desc())
    )
    same = {(a.patient_id, a.instrument, a.authored, a.connection_id): a for a in theirs}
    policy = policy_of(session)
    for each in responses:
        key = (each.patient_id, each.instrument, each.authored, each.connection_id)
        if each.id not in found and key in same and _finds(policy, each):
            found[each.id] = same[key]
    return found


def _finds(policy: Policy, response: Response) -> bool:
    form = instrument(response.instrument, response.instrument_version)
    return evaluate(policy, form, response.answers) is not None


def _first(
    session: Session,
    response: Response,
    finding: Finding,
    around: Circumstances,
    *,
    shown: bool = True,
) -> Alert:
    alert = Alert(
        id=new_id(),
        created_at=around.now,
        patient_id=response.patient_id,
        response_id=response.id,
        connection_id=response.connection_id,
        group_id=response.group_id,
        instrument=response.instrument,
        authored=response.authored,
        rule=finding.rule,
        tier=finding.tier,
        priority=policy_of(session).tier(finding.tier).priority,
        raised_at=around.now,
        escalation_contact=around.contact,
    )
    return _begin(session, alert, around.now, shown=shown)


def _begin(
    session: Session, alert: Alert, now: datetime, *, by: str | None = None, shown: bool = True
) -> Alert:
    """Write an alert, its story's beginning, and the messages that tell of it.

    `shown` tells that whoever sent it is shown the crisis resources.
    """
    alert.crisis_resources = session.info.get(CRISIS_RESOURCES) if shown else None
    alert.round_began_at = now
    steps_up = _step_up(session, alert, now)
    told = arm(session, alert, now)
    insert(session, alert)
    note(session, alert, AlertEventKind.RAISED, now, by=by, detail=alert.rule)
    if steps_up:
        note(session, alert, AlertEventKind.STEPPED_UP, now)
    send(session, alert, told, now)
    return alert


def _step_up(session: Session, alert: Alert, now: datetime) -> bool:
    """Ask the person's hospitals to take them back where the policy says so; once."""
    if alert.stepped_up_at or alert.tier not in policy_of(session).step_up.tiers:
        return False
    alert.stepped_up_at = now
    return True


def _again(
    session: Session, alert: Alert, finding: Finding, response: Response, now: datetime
) -> None:
    """Note that it came again; a higher tier begins the telling anew, whatever its state."""
    policy = policy_of(session)
    if policy.rank(finding.tier) <= policy.rank(alert.tier):
        if alert.response_id != response.id:
            note(session, alert, AlertEventKind.REPEATED, now)
        return
    moved(alert, Move.WORSEN)
    alert.tier, alert.rule = finding.tier, finding.rule
    alert.priority = policy.tier(finding.tier).priority
    alert.round_began_at, alert.nobody_left_at = now, None
    alert.acknowledged_at = alert.acknowledged_by = None
    alert.resolved_at = alert.resolved_by = alert.disposition = None
    session.add(alert)
    note(session, alert, AlertEventKind.WORSENED, now, detail=alert.rule)
    if _step_up(session, alert, now):
        note(session, alert, AlertEventKind.STEPPED_UP, now)
    tell_next(session, alert, now)


def report_danger(session: Session, command: ReportDanger, now: datetime) -> Alert:
    """Raise an alert because somebody of the programme says that a person is in danger."""
    policy = policy_of(session)
    tier = policy.reports.get(command.kind)
    if tier is None:
        raise ValueSetError(f"known are {', '.join(sorted(policy.reports))}", element="kind")
    require_text(command.reported_by, "reported_by")
    person = current(session, command.patient_id)
    group = _group_of(session, command)
    alert = Alert(
        id=new_id(),
        created_at=now,
        patient_id=person.id,
        group_id=command.group_id,
        rule=f"report {command.kind}",
        tier=tier,
        priority=policy.tier(tier).priority,
        raised_at=now,
        escalation_contact=group.escalation_contact if group else None,
    )
    return _begin(session, alert, now, by=command.reported_by)


def _group_of(session: Session, command: ReportDanger) -> SupportGroup | None:
    if command.group_id is None:
        return None
    group = get(session, SupportGroup, command.group_id, "group_id")
    member = select(Enrollment.id).where(
        Enrollment.group_id == group.id, Enrollment.patient_id == command.patient_id
    )
    if not session.exec(member).first():
        raise BusinessRuleError("the person is not in this group", element="group_id")
    return group


def worsened(session: Session, response: Response, around: Circumstances) -> None:
    """Raise an alert where somebody became worse by more than a reliable change.

    Where the policy has a tier for it, and once for what is sent twice. Staff are told; whoever
    sent the response is answered as ever: it is no emergency.
    """
    tier = policy_of(session).changes.get(WORSENED)
    if tier is None or not worsened_reliably(session, response, around.now):
        return
    if alert_of(session, response) is None:
        finding = Finding(tier=tier, rule=f"{response.instrument} {WORSENED}")
        _first(session, response, finding, around, shown=False)
