"""What a person permits or denies a hospital to have."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlmodel import Field

from service.models.base import Projected, UtcDateTime, enum_text


class Category(StrEnum):
    """The kinds of fact that a person decides about separately."""

    ENROLLMENT = "enrollment"
    ATTENDANCE = "attendance"
    SCORES = "scores"
    ANSWERS = "answers"
    ALERTS = "alerts"
    SUMMARY = "summary"


class Decision(StrEnum):
    PERMIT = "permit"
    DENY = "deny"


class Consent(Projected, table=True):
    """One person's decision about one recipient, one category and one period."""

    __tablename__ = "consents"

    patient_id: UUID = Field(foreign_key="patients.id", index=True)
    connection_id: UUID = Field(foreign_key="connections.id", index=True)
    category: Category = Field(sa_type=enum_text(Category))
    decision: Decision = Field(default=Decision.PERMIT, sa_type=enum_text(Decision))
    start: datetime = Field(sa_type=UtcDateTime)
    end: datetime | None = Field(default=None, sa_type=UtcDateTime)
    covers_part2: bool = False
    shows_group_name: bool = False
    recorded_by: str
    withdrawn_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    withdrawn_by: str | None = None
