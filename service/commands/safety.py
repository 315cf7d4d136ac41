"""What can be asked of safety alerts, and of whom they are told to."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from service.commands.unset import UNSET, Unset
from service.models.safety import Channel, ContactRole


@dataclass(frozen=True, kw_only=True)
class ReportDanger:
    """Somebody of the programme says that a person is in danger."""

    patient_id: UUID
    kind: str
    reported_by: str
    group_id: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class AcknowledgeAlert:
    alert_id: UUID
    by: str
    if_match: int | None = None


@dataclass(frozen=True, kw_only=True)
class EscalateAlert:
    alert_id: UUID
    by: str
    if_match: int | None = None


@dataclass(frozen=True, kw_only=True)
class ResolveAlert:
    """`disposition` is a code of the safety policy; there is no text."""

    alert_id: UUID
    by: str
    disposition: str
    if_match: int | None = None


@dataclass(frozen=True, kw_only=True)
class CreateContact:
    """`secret` is encrypted already."""

    name: str
    role: ContactRole
    channel: Channel
    address: str
    secret: str | None = None
    connection_id: UUID | None = None
    group_id: UUID | None = None
    place: int = 0
    time_zone: str = "UTC"
    hours: list[dict[str, Any]] | None = None


@dataclass(frozen=True, kw_only=True)
class UpdateContact:
    contact_id: UUID
    name: str | Unset = UNSET
    address: str | Unset = UNSET
    secret: str | Unset | None = UNSET
    place: int | Unset = UNSET
    time_zone: str | Unset = UNSET
    hours: list[dict[str, Any]] | Unset | None = UNSET
    active: bool | Unset = UNSET
    if_match: int | None = None


@dataclass(frozen=True, kw_only=True)
class TestContact:
    """Send a message that says it is a test."""

    contact_id: UUID
