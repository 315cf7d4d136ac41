"""What a person asks for about their own data: a restriction, a correction, an erasure."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, UniqueConstraint
from sqlmodel import Field

from service.models.base import Projected, Row, UtcDateTime, enum_text
from service.models.enrollments import AttendanceMark


class CorrectionState(StrEnum):
    OPEN = "open"
    ACCEPTED = "accepted"
    REFUSED = "refused"


class Basis(StrEnum):
    """Why data is erased; without words of anybody's, since it outlives the person's data."""

    REQUEST = "request"
    CONSENT_WITHDRAWN = "consent-withdrawn"
    NO_LONGER_NEEDED = "no-longer-needed"
    UNLAWFUL = "unlawful"


class Restriction(Projected, table=True):
    """Nothing about this person goes to a hospital until it is lifted, or until its end."""

    __tablename__ = "restrictions"

    patient_id: UUID = Field(foreign_key="patients.id", index=True)
    reason: str
    until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    restricted_at: datetime = Field(sa_type=UtcDateTime)
    restricted_by: str
    lifted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    lifted_by: str | None = None


class CorrectionRequest(Row, table=True):
    """A person said that something about them is wrong; what became of it."""

    __tablename__ = "correction_requests"

    patient_id: UUID = Field(foreign_key="patients.id", index=True)
    asked_at: datetime = Field(sa_type=UtcDateTime)
    asked_by: str
    about: str
    state: CorrectionState = Field(
        default=CorrectionState.OPEN, sa_type=enum_text(CorrectionState), index=True
    )
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    decided_by: str | None = None
    decision: str | None = None  # what was changed, or why nothing was
    disagreement: str | None = None
    told_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    told_by: str | None = None


class Erasure(Row, table=True):
    """That a person's data was erased: when, by whom, what was kept and why; not whose.

    `patient_id` stands while the erasure is under way, and as long as something is kept.
    """

    __tablename__ = "erasures"

    patient_id: UUID | None = Field(default=None, index=True)
    basis: Basis = Field(sa_type=enum_text(Basis))
    began_at: datetime = Field(sa_type=UtcDateTime)
    erased_by: str
    done_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    erased: dict[str, int] = Field(default_factory=dict, sa_type=JSON)
    kept: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    pending: dict[str, list[str]] = Field(default_factory=dict, sa_type=JSON)  # until it is done


class ErasedMark(Row, table=True):
    """How many people whose data was erased had this mark at a session."""

    __tablename__ = "erased_marks"
    __table_args__ = (UniqueConstraint("session_id", "mark"),)

    session_id: UUID = Field(foreign_key="sessions.id")
    mark: AttendanceMark = Field(sa_type=enum_text(AttendanceMark))
    people: int
