"""What can be asked of enrolments and attendance."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from service.models.enrollments import AttendanceMark, EnrollmentStatus


class OfferAnswer(StrEnum):
    ACCEPT = "accept"
    DECLINE = "decline"


@dataclass(frozen=True, kw_only=True)
class Enroll:
    """Propose, wait-list or enrol a person; `start` is now when it is null.

    `ahead_of_waitlist`, which takes a reason, means a free seat although others wait for one, or
    the head of the list.
    """

    patient_id: UUID
    group_id: UUID
    status: EnrollmentStatus = EnrollmentStatus.ACTIVE
    start: datetime | None = None
    ahead_of_waitlist: bool = False
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class ChangeEnrollment:
    """Move an enrolment to another status; a hold may end by itself, `until` when it does."""

    enrollment_id: UUID
    status: EnrollmentStatus
    at: datetime | None = None
    reason: str | None = None
    until: datetime | None = None
    ahead_of_waitlist: bool = False
    if_match: int | None = None


@dataclass(frozen=True, kw_only=True)
class AnswerOffer:
    """Accept or decline a seat; who declines and names `not_before` stays on the list."""

    enrollment_id: UUID
    answer: OfferAnswer
    not_before: datetime | None = None
    reason: str | None = None
    if_match: int | None = None


@dataclass(frozen=True, kw_only=True)
class OfferSeat:
    """Offer a free seat to the first of the waitlist."""

    group_id: UUID


@dataclass(frozen=True, kw_only=True)
class SettleGroup:
    """Do what the clock has brought in a group, and offer the seats that are free."""

    group_id: UUID


@dataclass(frozen=True, kw_only=True)
class TransferEnrollment:
    """End an enrolment and begin one in another group, under that group's rules."""

    enrollment_id: UUID
    group_id: UUID
    status: EnrollmentStatus = EnrollmentStatus.ACTIVE
    at: datetime | None = None
    reason: str | None = None
    ahead_of_waitlist: bool = False
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


@dataclass(frozen=True, kw_only=True)
class RecordWalkIn:
    """Somebody came: marked as the member they are, or as a guest of this one session."""

    session_id: UUID
    mark: Mark
    recorded_by: str
    if_match: int | None = None
