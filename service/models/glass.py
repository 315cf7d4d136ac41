"""Break-the-glass: that a person saw one patient's data beyond the ceiling, for how long and why.

https://terminology.hl7.org/CodeSystem-v3-ActReason.html
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, Index
from sqlmodel import Field

from service.models.base import Row, UtcDateTime, enum_text


class Emergency(StrEnum):
    """For what the glass is broken."""

    TREATMENT = "ETREAT"
    BREAK_THE_GLASS = "BTG"


class Verdict(StrEnum):
    """What the privacy officer found."""

    JUSTIFIED = "justified"
    NOT_JUSTIFIED = "not-justified"


class BrokenGlass(Row, table=True):
    """One time; in force until `closes_at`, which is `until` or when it was ended before."""

    __tablename__ = "broken_glass"
    __table_args__ = (Index("ix_broken_glass_person_closes_at", "person", "closes_at"),)

    patient_id: UUID = Field(foreign_key="patients.id", index=True)
    connection_id: UUID = Field(foreign_key="connections.id")
    client_id: UUID = Field(foreign_key="clients.id")
    client: str  # as audit rows name it: the issuer, and its client
    person: str  # by a pseudonym (ADR 0035)
    purpose: Emergency = Field(sa_type=enum_text(Emergency))
    reason: str  # encrypted
    begun_at: datetime = Field(sa_type=UtcDateTime)
    until: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_by: str | None = None
    closes_at: int = Field(sa_type=BigInteger)  # microseconds since 1970
    verdict: Verdict | None = Field(default=None, sa_type=enum_text(Verdict), index=True)
    reviewed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    reviewed_by: str | None = None
    notice_due: bool = False  # the patient is to be told, and was not yet
    notice_given_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    notice_given_by: str | None = None
