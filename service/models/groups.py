"""The programme, its support groups, facilitators, places and sessions."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel

from service.models.base import Addressed, Projected, UtcDateTime, WallTime, enum_text


class Facilitation(StrEnum):
    PEER = "peer"
    PROFESSIONAL = "professional"
    CO_LED = "co-led"


class Modality(StrEnum):
    IN_PERSON = "in-person"
    VIRTUAL = "virtual"


class Sensitivity(StrEnum):
    MENTAL_HEALTH = "mental-health"
    SUBSTANCE_USE = "substance-use"


class GroupStatus(StrEnum):
    DRAFT = "draft"
    ACTIVE = "active"
    ON_HOLD = "on-hold"
    CLOSED = "closed"


class Promotion(StrEnum):
    """Who offers a free seat to the first of the waitlist."""

    AUTOMATIC = "automatic"
    MANUAL = "manual"


class SessionStatus(StrEnum):
    SCHEDULED = "scheduled"
    HELD = "held"
    CANCELLED = "cancelled"


class Recurrence(StrEnum):
    """How a session belongs to its series: by the rule, beside it, or once by it."""

    RULE = "rule"
    EXTRA = "extra"
    DROPPED = "dropped"


class Programme(Addressed, Projected, table=True):
    """The organisation that runs the groups; one row."""

    __tablename__ = "programme"

    name: str


class Installation(SQLModel, table=True):
    """The secrets of this installation that must never change: the key of FHIR ids."""

    __tablename__ = "installation"

    id: int = Field(default=1, primary_key=True)
    identifier_key: bytes


class Place(Addressed, Projected, table=True):
    """Where a group meets."""

    __tablename__ = "places"

    name: str


class Facilitator(Projected, table=True):
    """Someone who leads groups; named to hospitals only when they agreed to it."""

    __tablename__ = "facilitators"

    family: str
    given: str
    kind: Facilitation = Field(default=Facilitation.PEER, sa_type=enum_text(Facilitation))
    name_is_public: bool = False
    active: bool = True


class SupportGroup(Projected, table=True):
    """A support group: what it is for, how it runs, how private its membership is.

    `measurement` has its plans of measurement, as `service.progress.plans` reads them.
    """

    __tablename__ = "support_groups"

    public_name: str
    neutral_name: str
    purpose: str
    topic: str
    facilitation: Facilitation = Field(sa_type=enum_text(Facilitation))
    modality: Modality = Field(sa_type=enum_text(Modality))
    language: str = "en"
    eligibility: str = ""
    capacity: int
    promotion: Promotion = Field(default=Promotion.AUTOMATIC, sa_type=enum_text(Promotion))
    offer_hours: int | None = None
    sensitivity: Sensitivity = Field(
        default=Sensitivity.MENTAL_HEALTH, sa_type=enum_text(Sensitivity)
    )
    part2: bool = False
    instruments: str = "phq-9 gad-7"
    measurement: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    escalation_contact: str | None = None
    rules_required: bool = False
    status: GroupStatus = Field(default=GroupStatus.DRAFT, sa_type=enum_text(GroupStatus))
    place_id: UUID | None = Field(default=None, foreign_key="places.id")
    facilitator_id: UUID | None = Field(default=None, foreign_key="facilitators.id")


class Session(Projected, table=True):
    """One meeting of a group.

    One of a series has its `occurrence`: when the series would have it, whatever it was moved to.
    """

    __tablename__ = "sessions"

    group_id: UUID = Field(foreign_key="support_groups.id", index=True)
    start: datetime = Field(sa_type=UtcDateTime)
    end: datetime = Field(sa_type=UtcDateTime)
    status: SessionStatus = Field(default=SessionStatus.SCHEDULED, sa_type=enum_text(SessionStatus))
    cancel_reason: str | None = None
    place_id: UUID | None = Field(default=None, foreign_key="places.id")
    series_id: UUID | None = Field(default=None, foreign_key="series.id", index=True)
    recurrence: Recurrence | None = Field(default=None, sa_type=enum_text(Recurrence))
    occurrence: datetime | None = Field(default=None, sa_type=WallTime)
    revised_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
