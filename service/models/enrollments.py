"""Who is enrolled in which group, and who came to which session."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from service.models.base import Projected, Row, UtcDateTime, enum_text


class EnrollmentStatus(StrEnum):
    PROPOSED = "proposed"
    WAITLISTED = "waitlisted"
    OFFERED = "offered"
    ACTIVE = "active"
    ON_HOLD = "on-hold"
    FINISHED = "finished"


class AttendanceMark(StrEnum):
    PRESENT = "present"
    LATE = "late"
    ABSENT = "absent"
    EXCUSED = "excused"


class Enrollment(Projected, table=True):
    """One person's membership of one group, from proposal to end.

    `until` is when the present status ends by itself: an offer expires, a hold is over, who asked
    to be passed over for a while is not passed over any more. The waitlist is in order of
    `queue_number`. A guest was a member for one session (ADR 0022). `made_for_id` is the record
    that it was made for, where that was merged into another: the documents of its visits keep
    their ids (ADR 0028).
    """

    __tablename__ = "enrollments"

    patient_id: UUID = Field(foreign_key="patients.id", index=True)
    group_id: UUID = Field(foreign_key="support_groups.id", index=True)
    status: EnrollmentStatus = Field(sa_type=enum_text(EnrollmentStatus))
    start: datetime = Field(sa_type=UtcDateTime)
    end: datetime | None = Field(default=None, sa_type=UtcDateTime)
    finish_reason: str | None = None
    until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    queue_number: int | None = None
    missed_offers: int = 0
    guest: bool = False
    transferred_from_id: UUID | None = Field(default=None, foreign_key="enrollments.id", index=True)
    made_for_id: UUID | None = Field(default=None, foreign_key="patients.id")


class EnrollmentStatusChange(Projected, table=True):
    """A status that an enrolment had, and from when; the last one has no end."""

    __tablename__ = "enrollment_status_changes"

    enrollment_id: UUID = Field(foreign_key="enrollments.id", index=True)
    status: EnrollmentStatus = Field(sa_type=enum_text(EnrollmentStatus))
    start: datetime = Field(sa_type=UtcDateTime)
    end: datetime | None = Field(default=None, sa_type=UtcDateTime)
    reason: str | None = None


class Attendance(Projected, table=True):
    """How one enrolled person attended one session."""

    __tablename__ = "attendances"
    __table_args__ = (UniqueConstraint("session_id", "patient_id"),)

    session_id: UUID = Field(foreign_key="sessions.id", index=True)
    patient_id: UUID = Field(foreign_key="patients.id", index=True)
    enrollment_id: UUID = Field(foreign_key="enrollments.id")
    mark: AttendanceMark = Field(sa_type=enum_text(AttendanceMark))
    arrived_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    recorded_by: str


class AttendanceChange(Row, table=True):
    """What an attendance row said before a correction."""

    __tablename__ = "attendance_changes"

    attendance_id: UUID = Field(foreign_key="attendances.id", index=True)
    mark: AttendanceMark = Field(sa_type=enum_text(AttendanceMark))
    arrived_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    recorded_by: str
    replaced_at: datetime = Field(sa_type=UtcDateTime)
    replaced_by: str
