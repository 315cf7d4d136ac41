"""What a person permits or denies a hospital to have."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, UniqueConstraint
from sqlmodel import Field

from service.models.base import Projected, Row, UtcDateTime, enum_text
from service.models.provisions import Category, Decision, Label
from service.models.purposes import Purpose

__all__ = ["Category", "Consent", "ConsentVersion", "Decision", "Label", "Purpose", "Standing"]

OPTIONAL_JSON: Any = JSON(none_as_null=True)


class Standing(StrEnum):
    """Whether the permits of a consent count; denials and withdrawals always do."""

    CONFIRMED = "confirmed"
    PENDING = "pending"
    REFUSED = "refused"


class Consent(Projected, table=True):
    """One person's decision about one recipient: a provision with its exceptions.

    `sent_as` is the document by which a hospital sent it. `retracted` are the purposes, by
    category, that a version permitted which was replaced: they count as withdrawn (ADR 0009).
    """

    __tablename__ = "consents"

    patient_id: UUID = Field(foreign_key="patients.id", index=True)
    connection_id: UUID = Field(foreign_key="connections.id", index=True)
    categories: list[str] = Field(default_factory=list, sa_type=JSON)  # none: every category
    decision: Decision = Field(default=Decision.PERMIT, sa_type=enum_text(Decision))
    start: datetime = Field(sa_type=UtcDateTime)
    end: datetime | None = Field(default=None, sa_type=UtcDateTime)
    purposes: list[str] = Field(default_factory=list, sa_type=JSON)  # none: every purpose
    labels: list[str] = Field(default_factory=list, sa_type=JSON)
    covers_part2: bool = False
    shows_group_name: bool = False
    provisions: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    evidence: dict[str, Any] | None = Field(default=None, sa_type=OPTIONAL_JSON)
    recorded_by: str
    version: int = 1
    changed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    retracted: dict[str, int] = Field(default_factory=dict, sa_type=JSON)
    standing: Standing = Field(default=Standing.CONFIRMED, sa_type=enum_text(Standing))
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    settled_by: str | None = None
    sent_as: str | None = Field(default=None, index=True, max_length=32)
    withdrawn_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    withdrawn_by: str | None = None

    @property
    def terms_version(self) -> int:
        return self.version

    @property
    def sent_by_hospital(self) -> bool:
        return self.sent_as is not None

    @property
    def category(self) -> Category | None:
        """The kind of fact that it is about; None where it is about several, or all."""
        return Category(self.categories[0]) if len(self.categories) == 1 else None


class ConsentVersion(Row, table=True):
    """What a consent said before it was changed; `created_at` is when it was replaced."""

    __tablename__ = "consent_versions"
    __table_args__ = (UniqueConstraint("consent_id", "version"),)

    consent_id: UUID = Field(foreign_key="consents.id", index=True)
    version: int
    since: datetime = Field(sa_type=UtcDateTime)
    said: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
