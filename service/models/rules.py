"""The rules that members agree to, version by version, and who has agreed to which."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from service.models.base import Row, UtcDateTime, enum_text


class AgreementMethod(StrEnum):
    E_SIGNATURE = "e-signature"
    PAPER = "paper"
    VERBAL = "verbal"


class RulesVersion(Row, table=True):
    """One version of the programme's rules, or of one group's own; it never changes."""

    __tablename__ = "rules_versions"
    __table_args__ = (UniqueConstraint("group_id", "number"),)

    group_id: UUID | None = Field(default=None, foreign_key="support_groups.id")
    number: int
    text: str
    in_force_from: datetime = Field(sa_type=UtcDateTime)
    published_by: str


class Agreement(Row, table=True):
    """One person agreed to one version, and how."""

    __tablename__ = "rules_agreements"
    __table_args__ = (UniqueConstraint("rules_id", "patient_id"),)

    rules_id: UUID = Field(foreign_key="rules_versions.id")
    patient_id: UUID = Field(foreign_key="patients.id", index=True)
    enrollment_id: UUID | None = Field(default=None, foreign_key="enrollments.id")
    agreed_at: datetime = Field(sa_type=UtcDateTime)
    method: AgreementMethod = Field(sa_type=enum_text(AgreementMethod))
    reference: str | None = None
    witness: str | None = None
    recorded_by: str
