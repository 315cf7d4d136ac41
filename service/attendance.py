"""Attendance of a session: all marks in one transaction, corrections keep what was there."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session as DbSession
from sqlmodel import col, select

from service.commands import Mark, RecordAttendance
from service.errors import BusinessRuleError, InvalidElementsError, Problem, VersionError
from service.models.enrollments import (
    Attendance,
    AttendanceChange,
    AttendanceMark,
    Enrollment,
    EnrollmentStatus,
)
from service.models.groups import Session, SessionStatus
from service.rows import get, require_offset

MEMBER = (EnrollmentStatus.ACTIVE, EnrollmentStatus.ON_HOLD, EnrollmentStatus.FINISHED)


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
    held = get(session, Session, command.session_id)
    if held.status is SessionStatus.CANCELLED:
        raise BusinessRuleError("the session is cancelled")
    rows = {row.patient_id: row for row in attendance_of(session, held.id)}
    if command.if_match is not None and attendance_version([*rows.values()]) != command.if_match:
        raise VersionError("attendance was changed meanwhile; read it again")
    members = _members(session, held)
    _check(command.marks, held, members, rows)
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
    statement = select(Enrollment).where(
        Enrollment.group_id == held.group_id, col(Enrollment.status).in_(MEMBER)
    )
    return {
        row.patient_id: row.id
        for row in session.exec(statement.order_by(col(Enrollment.id)))
        if row.start <= held.start and (row.end is None or held.start < row.end)
    }


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
