"""The story of each alert, and whom alerts are told to."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlmodel import Field

from service.models.base import Row, UtcDateTime, enum_text
from service.models.connections import OPTIONAL_JSON
from service.models.screening import AlertState


class AlertEventKind(StrEnum):
    """What happened to an alert; `told` and `not-told` are attempts to reach who was addressed."""

    RAISED = "raised"
    ADDRESSED = "addressed"
    REPEATED = "repeated"
    WORSENED = "worsened"
    TOLD = "told"
    NOT_TOLD = "not-told"
    GIVEN_UP = "given-up"
    ACKNOWLEDGED = "acknowledged"
    ESCALATED = "escalated"
    NOBODY_LEFT = "nobody-left"
    RESOLVED = "resolved"
    STEPPED_UP = "stepped-up"


class ContactRole(StrEnum):
    CLINICIAN = "clinician"
    ON_CALL = "on-call"


class Channel(StrEnum):
    EMAIL = "email"
    WEBHOOK = "webhook"


class AlertEvent(Row, table=True):
    """One thing that happened to an alert; never changed and never deleted."""

    __tablename__ = "alert_events"

    alert_id: UUID = Field(foreign_key="alerts.id", index=True)
    kind: AlertEventKind = Field(sa_type=enum_text(AlertEventKind))
    at: datetime = Field(sa_type=UtcDateTime)
    by: str | None = None
    state: AlertState = Field(sa_type=enum_text(AlertState))
    tier: str
    contact_id: UUID | None = Field(default=None, foreign_key="contacts.id")
    detail: str | None = None


class Contact(Row, table=True):
    """Somebody who is told of alerts: of a hospital's patients, of a group's members, or of all.

    Without `hours` they are on duty always; else in these hours of their time zone: each is
    days (0 is Monday), from, to. `secret` is encrypted.
    """

    __tablename__ = "contacts"

    name: str
    role: ContactRole = Field(sa_type=enum_text(ContactRole))
    channel: Channel = Field(sa_type=enum_text(Channel))
    address: str
    secret: str | None = None
    connection_id: UUID | None = Field(default=None, foreign_key="connections.id", index=True)
    group_id: UUID | None = Field(default=None, foreign_key="support_groups.id", index=True)
    place: int = 0
    time_zone: str = "UTC"
    hours: list[dict[str, Any]] | None = Field(default=None, sa_type=OPTIONAL_JSON)
    active: bool = True
