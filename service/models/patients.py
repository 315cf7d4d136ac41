"""Patients of the programme and their links to hospitals' records."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field

from service.models.base import Projected, UtcDateTime, enum_text


class Gender(StrEnum):
    """Codes of https://hl7.org/fhir/R4/valueset-administrative-gender.html ."""

    MALE = "male"
    FEMALE = "female"
    OTHER = "other"
    UNKNOWN = "unknown"


class LinkMethod(StrEnum):
    """How it was established that our patient is the hospital's patient."""

    MANUAL = "manual"
    MRN = "mrn"
    LAUNCH = "launch"
    IMPORT = "import"
    SENT = "sent"


class Patient(Projected, table=True):
    """A person in a group of the programme; or one that turned out to be `merged_into` another."""

    __tablename__ = "patients"

    family: str
    given: str
    gender: Gender = Field(default=Gender.UNKNOWN, sa_type=enum_text(Gender))
    birth_date: date | None = Field(default=None, index=True)
    phone: str | None = None
    email: str | None = None
    line: str | None = None
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None
    language: str | None = None
    extensions: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    merged_into_id: UUID | None = Field(default=None, foreign_key="patients.id", index=True)


class Link(Projected, table=True):
    """One of our patients is this patient of that hospital; undone, never deleted.

    `known_as_id` is the record by which this hospital knows the person, where that was merged into
    another: its Patient keeps that record's id (ADR 0028).
    """

    __tablename__ = "links"
    __table_args__ = (
        Index("ix_links_mrn", "mrn", "connection_id"),
        Index("ix_links_ehr_patient_id", "ehr_patient_id", "connection_id"),
    )

    patient_id: UUID = Field(foreign_key="patients.id", index=True)
    connection_id: UUID = Field(foreign_key="connections.id", index=True)
    ehr_patient_id: str
    mrn: str
    mrn_system: str
    method: LinkMethod = Field(default=LinkMethod.MANUAL, sa_type=enum_text(LinkMethod))
    confirmed_by: str
    confirmed_at: datetime = Field(sa_type=UtcDateTime)
    undone_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    undone_by: str | None = None
    undone_reason: str | None = None
    known_as_id: UUID | None = Field(default=None, foreign_key="patients.id")


class SentPatient(Projected, table=True):
    """A Patient as a hospital sent it, byte for byte: that hospital reads it back so."""

    __tablename__ = "sent_patients"
    __table_args__ = (UniqueConstraint("patient_id", "connection_id"),)

    patient_id: UUID = Field(foreign_key="patients.id")
    connection_id: UUID = Field(foreign_key="connections.id", index=True)
    received: bytes = Field(sa_type=LargeBinary)
