"""Sessions of a group: planned, moved, held, cancelled."""

from datetime import datetime

from sqlmodel import Session as DbSession
from sqlmodel import col, select

from service.commands import CreateSession, UpdateSession, changes
from service.enrollments import follow_session
from service.errors import BusinessRuleError, InvalidError
from service.models.enrollments import Attendance
from service.models.groups import GroupStatus, Place, Session, SessionStatus, SupportGroup
from service.rows import apply, check_version, get, require_offset, require_text

MOVES = {
    SessionStatus.SCHEDULED: {SessionStatus.HELD, SessionStatus.CANCELLED},
    SessionStatus.HELD: set[SessionStatus](),
    SessionStatus.CANCELLED: {SessionStatus.SCHEDULED},
}


def create_session(session: DbSession, command: CreateSession, _now: datetime) -> Session:
    """Plan a session."""
    group = get(session, SupportGroup, command.group_id)
    if group.status is GroupStatus.CLOSED:
        raise BusinessRuleError("the group is closed")
    row = Session(
        group_id=command.group_id,
        start=require_offset(command.start, "start"),
        end=require_offset(command.end, "end"),
        place_id=command.place_id,
    )
    _check(session, row)
    session.add(row)
    return row


def update_session(session: DbSession, command: UpdateSession, now: datetime) -> Session:
    """Move a session, hold it, cancel it with a reason, or take a cancellation back."""
    row = get(session, Session, command.session_id)
    check_version(row, command.if_match)
    given = changes(command)
    for name in ("start", "end"):
        if name in given:
            given[name] = require_offset(given[name], name)
    with session.no_autoflush:
        _check_move(session, row, given.get("status", row.status))
        apply(row, {k: v for k, v in given.items() if k not in {"session_id", "if_match"}})
        if row.status is not SessionStatus.CANCELLED:
            apply(row, {"cancel_reason": None})
        _check(session, row)
        _check_arrivals(session, row)
        if session.is_modified(row):
            row.revised_at = now
    follow_session(session, row)
    return row


def _check_move(session: DbSession, row: Session, status: SessionStatus) -> None:
    if status is row.status:
        return
    if status not in MOVES[row.status]:
        legal = ", ".join(sorted(one.value for one in MOVES[row.status])) or "nothing"
        message = f"a session that is {row.status.value} can become {legal}"
        raise BusinessRuleError(message, element="status")
    recorded = select(Attendance.id).where(Attendance.session_id == row.id)
    if status is SessionStatus.CANCELLED and session.exec(recorded).first():
        raise BusinessRuleError("attendance of this session is recorded", element="status")


def _check(session: DbSession, row: Session) -> None:
    if row.end <= row.start:
        raise InvalidError("must lie after the start", element="end")
    if row.status is SessionStatus.CANCELLED:
        require_text(row.cancel_reason, "cancel_reason")
    if row.place_id:
        get(session, Place, row.place_id, "place_id")


def _check_arrivals(session: DbSession, row: Session) -> None:
    """Refuse to move a session away from an arrival that was recorded in it."""
    late = select(Attendance.arrived_at).where(
        Attendance.session_id == row.id, col(Attendance.arrived_at).is_not(None)
    )
    if any(not row.start <= moment < row.end for moment in session.exec(late) if moment):
        raise BusinessRuleError("a recorded arrival would lie outside it", element="start")
