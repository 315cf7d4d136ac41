"""What people do with an alert: take it up, hand it on, close it. No machine closes one."""

from datetime import datetime

from sqlmodel import Session

from service.commands import AcknowledgeAlert, EscalateAlert, ResolveAlert
from service.errors import ValueSetError
from service.models.safety import AlertEventKind
from service.models.screening import Alert
from service.rows import check_version, get, require_text
from service.safety import telling
from service.safety.policy import policy_of
from service.safety.story import note
from service.safety.transitions import Move, moved


def acknowledge(session: Session, command: AcknowledgeAlert, now: datetime) -> Alert:
    """Note who has taken it up; nobody else is told any more."""
    alert = _begun(session, command)
    moved(alert, Move.ACKNOWLEDGE)
    alert.acknowledged_at, alert.acknowledged_by = now, command.by
    alert.due_at, alert.nobody_left_at = None, None
    note(session, alert, AlertEventKind.ACKNOWLEDGED, now, by=command.by)
    return alert


def escalate(session: Session, command: EscalateAlert, now: datetime) -> Alert:
    """Hand it on to who comes next."""
    alert = _begun(session, command)
    telling.escalate(session, alert, now, by=command.by)
    return alert


def resolve(session: Session, command: ResolveAlert, now: datetime) -> Alert:
    """Close it, with what became of it."""
    alert = _begun(session, command)
    known = policy_of(session).dispositions
    if command.disposition not in known:
        raise ValueSetError(f"known are {', '.join(known)}", element="disposition")
    moved(alert, Move.RESOLVE)
    alert.resolved_at, alert.resolved_by = now, command.by
    alert.disposition, alert.close_by = command.disposition, None
    note(session, alert, AlertEventKind.RESOLVED, now, by=command.by, detail=command.disposition)
    return alert


def _begun(session: Session, command: AcknowledgeAlert | EscalateAlert | ResolveAlert) -> Alert:
    alert = get(session, Alert, command.alert_id)
    check_version(alert, command.if_match)
    require_text(command.by, "by")
    return alert
