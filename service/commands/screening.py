"""What can be asked of questionnaire responses."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from service.models.screening import ResponseStatus


@dataclass(frozen=True, kw_only=True)
class RecordResponse:
    """A questionnaire response; `answers` holds score values by linkId.

    `received` is what a hospital sent, byte for byte, and `connection_id` which one;
    `response_id` is the id it shall have, where that was promised already.
    """

    patient_id: UUID
    instrument: str
    instrument_version: str | None = None
    answers: dict[str, int]
    authored: datetime
    status: ResponseStatus = ResponseStatus.COMPLETED
    group_id: UUID | None = None
    connection_id: UUID | None = None
    received: bytes | None = None
    response_id: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class CorrectResponse:
    response_id: UUID
    answers: dict[str, int]
    status: ResponseStatus = ResponseStatus.AMENDED
    authored: datetime | None = None
    corrected_by: str
    received: bytes | None = None
    if_match: int | None = None
