"""Concerns about a group or a session; their statements are kept apart, for few readers."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlmodel import Field

from service.models.base import Row, UtcDateTime, enum_text


class ConcernKind(StrEnum):
    SAFEGUARDING = "safeguarding"
    MISINFORMATION = "misinformation"
    FACILITATOR_WELLBEING = "facilitator-wellbeing"
    OTHER = "other"


class Severity(StrEnum):
    """As whoever raises a concern judges it; no rule follows from it."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class ConcernState(StrEnum):
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


class Concern(Row, table=True):
    """The notice of a concern: all that the supervisor is told, and how far it has come.

    `supervisor_id` or `contact` is whom it is for, as that was when it was raised.
    """

    __tablename__ = "concerns"

    group_id: UUID = Field(foreign_key="support_groups.id", index=True)
    session_id: UUID | None = Field(default=None, foreign_key="sessions.id")
    kind: ConcernKind = Field(sa_type=enum_text(ConcernKind))
    severity: Severity = Field(sa_type=enum_text(Severity))
    state: ConcernState = Field(
        default=ConcernState.OPEN, sa_type=enum_text(ConcernState), index=True
    )
    raised_at: datetime = Field(sa_type=UtcDateTime)
    supervisor_id: UUID | None = Field(default=None, foreign_key="facilitators.id")
    contact: str | None = None
    acknowledged_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    acknowledged_by: str | None = None
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    closed_by: str | None = None


class ConcernStatement(Row, table=True):
    """Who raised a concern, in what words; no list and no notice reads this table."""

    __tablename__ = "concern_statements"

    concern_id: UUID = Field(foreign_key="concerns.id", unique=True)
    raised_by: str
    statement: str | None = None
