"""Guests: who came to a session without being a member, and is one for that session alone.

A guest takes no seat and no place on the waitlist, and is on no roster: the room was full or not,
they were in it. Whoever is to stay is enrolled as everyone is (ADR 0022).
"""

from uuid import UUID

from sqlmodel import Session as DbSession
from sqlmodel import col, select

from service.enrollments.history import ACTIVE, FINISHED
from service.models.enrollments import Attendance, Enrollment, EnrollmentStatusChange
from service.models.groups import Session

GUEST = "Guest at one session"


def admit_guest(session: DbSession, held: Session, patient_id: UUID) -> Enrollment:
    """Return an enrolment that lasts as long as the session."""
    row = Enrollment(
        patient_id=patient_id,
        group_id=held.group_id,
        status=FINISHED,
        start=held.start,
        end=held.end,
        finish_reason=GUEST,
        guest=True,
    )
    session.add(row)
    session.add_all(
        EnrollmentStatusChange(
            enrollment_id=row.id, status=status, start=start, end=held.end, reason=GUEST
        )
        for status, start in ((ACTIVE, held.start), (FINISHED, held.end))
    )
    session.flush()
    return row


def follow_session(session: DbSession, held: Session) -> None:
    """Let the guests of a session that was moved have been members when it took place."""
    guests = select(Enrollment).where(
        col(Enrollment.guest),
        col(Enrollment.id).in_(
            select(Attendance.enrollment_id).where(Attendance.session_id == held.id)
        ),
    )
    for row in session.exec(guests).all():
        row.start, row.end = held.start, held.end
        for change in session.exec(
            select(EnrollmentStatusChange).where(EnrollmentStatusChange.enrollment_id == row.id)
        ):
            change.start = held.start if change.status is ACTIVE else held.end
            change.end = held.end
