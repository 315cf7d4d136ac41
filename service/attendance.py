"""Attendance of a session: all marks in one transaction, corrections keep what was there.

Who came without being a member is marked as a guest (ADR 0022).
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session as DbSession
from sqlmodel import col, or_, select

from service.commands import Mark, RecordAttendance, RecordWalkIn
from service.enrollments import admit_guest
from service.errors import BusinessRuleError, InvalidElementsError, Problem, VersionError
from service.models.enrollments import (
    Attendance,
    AttendanceChange,
    AttendanceMark,
    Enrollment,
    EnrollmentStatus,
    EnrollmentStatusChange,
)
from service.models.groups import Session, SessionStatus
from service.patients import current
from service.restrictions import RULE, restricted
from service.rows import get, require_offset

MEMBER = (EnrollmentStatus.ACTIVE, EnrollmentStatus.ON_HOLD)
CAME = {AttendanceMark.PRESENT, AttendanceMark.LATE}


def attendance_of(session: DbSession, session_id: UUID) -> list[Attendance]:
    """Return the marks of a session, in the order they were first recorded."""
    statement = select(Attendance).where(Attendance.session_id == session_id)
    return list(session.exec(statement.order_by(col(Attendance.id))))


def attendance_version(rows: Sequence[Attendance]) -> int:
    """Return a number that grows with every new mark and every correction."""
    return sum(row.row_version for row in rows)


def record_attendance(
    session: DbSession, command: RecordAttendance, now: datetime
) -> list[Attendance]:
    """Record or correct marks; the same request again changes nothing."""
    held = _taking_place(session, command.session_id)
    return _record(session, held, command, _members(session, held), now)


def record_walk_in(session: DbSession, command: RecordWalkIn, now: datetime) -> list[Attendance]:
    """Mark somebody who came: a member as a member, anybody else as a guest of this session."""
    held, mark = _taking_place(session, command.session_id), command.mark
    current(session, mark.patient_id, "patient_id")
    if mark.mark not in CAME:
        raise BusinessRuleError("who walked in came: present or late", element="mark")
    members = _members(session, held)
    known = {*members, *(row.patient_id for row in attendance_of(session, held.id))}
    if mark.patient_id not in known:
        members[mark.patient_id] = admit_guest(session, held, mark.patient_id).id
    marked = RecordAttendance(
        session_id=held.id,
        marks=(mark,),
        recorded_by=command.recorded_by,
        if_match=command.if_match,
    )
    return _record(session, held, marked, members, now)


def _taking_place(session: DbSession, session_id: UUID) -> Session:
    held = get(session, Session, session_id)
    if held.status is SessionStatus.CANCELLED:
        raise BusinessRuleError("the session is cancelled")
    return held


def _record(
    session: DbSession,
    held: Session,
    command: RecordAttendance,
    members: dict[UUID, UUID],
    now: datetime,
) -> list[Attendance]:
    rows = {row.patient_id: row for row in attendance_of(session, held.id)}
    if command.if_match is not None and attendance_version([*rows.values()]) != command.if_match:
        raise VersionError("attendance was changed meanwhile; read it again")
    _check(command.marks, held, members, rows)
    _refuse_restricted(session, command.marks, now)
    for mark in command.marks:
        if row := rows.get(mark.patient_id):
            _correct(session, row, mark, by=command.recorded_by, now=now)
        else:
            session.add(_new(held, mark, members[mark.patient_id], command.recorded_by))
    if command.marks and held.status is SessionStatus.SCHEDULED:
        held.status = SessionStatus.HELD
    session.flush()
    return attendance_of(session, held.id)


def _members(session: DbSession, held: Session) -> dict[UUID, UUID]:
    """Return the enrolment of everyone who was a member when the session began."""
    then = EnrollmentStatusChange
    statement = (
        select(Enrollment.patient_id, Enrollment.id)
        .join(then, col(then.enrollment_id) == col(Enrollment.id))
        .where(
            Enrollment.group_id == held.group_id,
            col(Enrollment.guest).is_(False),
            col(then.status).in_(MEMBER),
            col(then.start) <= held.start,
            or_(col(then.end).is_(None), col(then.end) > held.start),
        )
        .order_by(col(Enrollment.id))
    )
    return dict(session.exec(statement).all())


def _check(
    marks: Sequence[Mark],
    held: Session,
    members: dict[UUID, UUID],
    rows: dict[UUID, Attendance],
) -> None:
    problems, seen = [], set[UUID]()
    for number, mark in enumerate(marks):
        at = f"marks[{number}]"
        if mark.patient_id in seen:
            problems.append(Problem(f"{at}.patient_id", "stands twice", "duplicate"))
        elif mark.patient_id not in members and mark.patient_id not in rows:
            rule = "must be a member of the group when the session began"
            problems.append(Problem(f"{at}.patient_id", rule, "business-rule"))
        seen.add(mark.patient_id)
        problems += _check_arrival(mark, held, f"{at}.arrived_at")
    if problems:
        raise InvalidElementsError(tuple(problems))


def _refuse_restricted(session: DbSession, marks: Sequence[Mark], now: datetime) -> None:
    stopped = restricted(session, [each.patient_id for each in marks], now)
    problems = tuple(
        Problem(f"marks[{number}].patient_id", RULE, "business-rule")
        for number, mark in enumerate(marks)
        if mark.patient_id in stopped
    )
    if problems:
        raise InvalidElementsError(problems)


def _check_arrival(mark: Mark, held: Session, element: str) -> list[Problem]:
    if mark.arrived_at is None:
        return []
    if mark.mark is not AttendanceMark.LATE:
        return [Problem(element, "is given with the mark `late` only", "business-rule")]
    if not held.start <= require_offset(mark.arrived_at, element) < held.end:
        return [Problem(element, "must lie within the session", "business-rule")]
    return []


def _new(held: Session, mark: Mark, enrollment_id: UUID, by: str) -> Attendance:
    return Attendance(
        session_id=held.id,
        patient_id=mark.patient_id,
        enrollment_id=enrollment_id,
        mark=mark.mark,
        arrived_at=mark.arrived_at,
        recorded_by=by,
    )


def _correct(session: DbSession, row: Attendance, mark: Mark, *, by: str, now: datetime) -> None:
    if (row.mark, row.arrived_at) == (mark.mark, mark.arrived_at):
        return
    session.add(
        AttendanceChange(
            attendance_id=row.id,
            mark=row.mark,
            arrived_at=row.arrived_at,
            recorded_by=row.recorded_by,
            replaced_at=now,
            replaced_by=by,
        )
    )
    row.mark, row.arrived_at, row.recorded_by = mark.mark, mark.arrived_at, by
