"""What can be asked of groups, their sessions and places."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from service.commands.connections import NOWHERE, PostalAddress
from service.commands.measurement import MeasurementPlan
from service.commands.unset import UNSET, Unset
from service.models.groups import (
    Facilitation,
    GroupStatus,
    Modality,
    Promotion,
    Sensitivity,
    SessionStatus,
)


@dataclass(frozen=True, kw_only=True)
class CreatePlace:
    name: str
    address: PostalAddress = NOWHERE


@dataclass(frozen=True, kw_only=True)
class CreateGroup:
    public_name: str
    neutral_name: str
    purpose: str
    topic: str
    facilitation: Facilitation
    modality: Modality
    capacity: int
    promotion: Promotion = Promotion.AUTOMATIC
    offer_hours: int | None = None
    language: str = "en"
    eligibility: str = ""
    sensitivity: Sensitivity = Sensitivity.MENTAL_HEALTH
    part2: bool | None = None
    instruments: tuple[str, ...] = ("phq-9", "gad-7")
    measurement: tuple[MeasurementPlan, ...] = ()
    escalation_contact: str | None = None
    rules_required: bool = False
    status: GroupStatus = GroupStatus.DRAFT
    place_id: UUID | None = None
    facilitator_id: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class UpdateGroup:
    group_id: UUID
    public_name: str | Unset = UNSET
    neutral_name: str | Unset = UNSET
    purpose: str | Unset = UNSET
    topic: str | Unset = UNSET
    facilitation: Facilitation | Unset = UNSET
    modality: Modality | Unset = UNSET
    capacity: int | Unset = UNSET
    promotion: Promotion | Unset = UNSET
    offer_hours: int | Unset | None = UNSET
    language: str | Unset = UNSET
    eligibility: str | Unset = UNSET
    sensitivity: Sensitivity | Unset = UNSET
    part2: bool | Unset = UNSET
    instruments: tuple[str, ...] | Unset = UNSET
    measurement: tuple[MeasurementPlan, ...] | Unset = UNSET
    escalation_contact: str | Unset | None = UNSET
    rules_required: bool | Unset = UNSET
    status: GroupStatus | Unset = UNSET
    place_id: UUID | Unset | None = UNSET
    facilitator_id: UUID | Unset | None = UNSET
    if_match: int | None = None


@dataclass(frozen=True, kw_only=True)
class CreateSession:
    group_id: UUID
    start: datetime
    end: datetime
    place_id: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class UpdateSession:
    """Move a session, hold it, or cancel it with a reason."""

    session_id: UUID
    start: datetime | Unset = UNSET
    end: datetime | Unset = UNSET
    status: SessionStatus | Unset = UNSET
    cancel_reason: str | Unset | None = UNSET
    place_id: UUID | Unset | None = UNSET
    if_match: int | None = None
