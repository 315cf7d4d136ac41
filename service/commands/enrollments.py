"""What can be asked of enrolments and attendance."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from service.models.enrollments import AttendanceMark, EnrollmentStatus


@dataclass(frozen=True, kw_only=True)
class Enroll:
    """Propose, wait-list or enrol a person; `start` is now when it is null."""

    patient_id: UUID
    group_id: UUID
    status: EnrollmentStatus = EnrollmentStatus.ACTIVE
    start: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class ChangeEnrollment:
    enrollment_id: UUID
    status: EnrollmentStatus
    at: datetime | None = None
    reason: str | None = None
    if_match: int | None = None


@dataclass(frozen=True, kw_only=True)
class RecordPastEnrollment:
    """Record a membership that is over: it takes no seat, and asks nothing of the group now."""

    patient_id: UUID
    group_id: UUID
    start: datetime
    end: datetime
    reason: str


@dataclass(frozen=True, kw_only=True)
class Mark:
    patient_id: UUID
    mark: AttendanceMark
    arrived_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class RecordAttendance:
    """The marks of a session; a mark that is there already is corrected, others are left."""

    session_id: UUID
    marks: tuple[Mark, ...]
    recorded_by: str
    if_match: int | None = None
