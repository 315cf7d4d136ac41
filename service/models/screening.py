"""Questionnaire responses with their scores, what they said before, and safety alerts."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import JSON, LargeBinary
from sqlmodel import Field

from service.models.base import Projected, Row, UtcDateTime, enum_text


class ResponseStatus(StrEnum):
    """Codes of https://hl7.org/fhir/R4/valueset-questionnaire-answers-status.html ."""

    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    AMENDED = "amended"
    ENTERED_IN_ERROR = "entered-in-error"
    STOPPED = "stopped"


# What says that nothing more is to come: items that must be answered then are.
COMPLETE = frozenset({ResponseStatus.COMPLETED, ResponseStatus.AMENDED})


class AlertState(StrEnum):
    OPEN = "open"
    NOTIFIED = "notified"
    ACKNOWLEDGED = "acknowledged"
    ESCALATED = "escalated"
    RESOLVED = "resolved"


class Instrument(Projected, table=True):
    """A version of a questionnaire that has been published as a FHIR Questionnaire."""

    __tablename__ = "instruments"

    name: str = Field(index=True)
    version: str


class Response(Projected, table=True):
    """One person's answers to one questionnaire, scored on arrival.

    `answers` holds the value of the chosen answer by linkId, as printed on the form. `scores`
    holds what its instrument reports beside the total, by id; null where that is nothing.
    `received` holds what a hospital sent, byte for byte, with `received_answers` as it was
    understood.
    """

    __tablename__ = "responses"

    patient_id: UUID = Field(foreign_key="patients.id", index=True)
    group_id: UUID | None = Field(default=None, foreign_key="support_groups.id", index=True)
    connection_id: UUID | None = Field(default=None, foreign_key="connections.id")
    instrument: str
    instrument_version: str
    status: ResponseStatus = Field(sa_type=enum_text(ResponseStatus))
    authored: datetime = Field(sa_type=UtcDateTime)
    answers: dict[str, int] = Field(default_factory=dict, sa_type=JSON)
    total: int | None = None
    scores: dict[str, int | float | None] | None = Field(
        default=None, sa_type=JSON(none_as_null=True)
    )
    missing: list[str] = Field(default_factory=list, sa_type=JSON)
    received: bytes | None = Field(default=None, sa_type=LargeBinary)
    received_answers: dict[str, int] | None = Field(default=None, sa_type=JSON)
    received_status: ResponseStatus | None = Field(default=None, sa_type=enum_text(ResponseStatus))


class ResponseChange(Row, table=True):
    """What a response said before it was corrected."""

    __tablename__ = "response_changes"

    response_id: UUID = Field(foreign_key="responses.id", index=True)
    status: ResponseStatus = Field(sa_type=enum_text(ResponseStatus))
    answers: dict[str, int] = Field(default_factory=dict, sa_type=JSON)
    total: int | None = None
    scores: dict[str, int | float | None] | None = Field(
        default=None, sa_type=JSON(none_as_null=True)
    )
    received: bytes | None = Field(default=None, sa_type=LargeBinary)
    replaced_at: datetime = Field(sa_type=UtcDateTime)
    replaced_by: str


class Alert(Projected, table=True):
    """A safety rule was met, or somebody was reported to be in danger; only a person closes it.

    `connection_id` is the hospital that sent the response. `step` counts the steps of telling,
    `round_began_at` is when the present tier's began; `due_at` is by when somebody must have
    acknowledged it, `close_by` by when it must be resolved.
    """

    __tablename__ = "alerts"

    patient_id: UUID = Field(foreign_key="patients.id", index=True)
    response_id: UUID | None = Field(default=None, foreign_key="responses.id", unique=True)
    connection_id: UUID | None = Field(default=None, foreign_key="connections.id")
    group_id: UUID | None = Field(default=None, foreign_key="support_groups.id")
    instrument: str | None = None
    authored: datetime | None = Field(default=None, sa_type=UtcDateTime)
    rule: str
    tier: str
    priority: str
    crisis_resources: str | None = None
    state: AlertState = Field(default=AlertState.OPEN, sa_type=enum_text(AlertState), index=True)
    raised_at: datetime = Field(sa_type=UtcDateTime)
    escalation_contact: str | None = None
    step: int = 0
    round_began_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    due_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    close_by: datetime | None = Field(default=None, sa_type=UtcDateTime)
    nobody_left_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    acknowledged_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    acknowledged_by: str | None = None
    resolved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    resolved_by: str | None = None
    disposition: str | None = None
    stepped_up_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
