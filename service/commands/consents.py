"""What can be asked of consents."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from service.models.consents import Category, Decision


@dataclass(frozen=True, kw_only=True)
class RecordConsent:
    """A person's decision; `start` is now when it is null."""

    patient_id: UUID
    connection_id: UUID
    category: Category
    decision: Decision = Decision.PERMIT
    start: datetime | None = None
    end: datetime | None = None
    covers_part2: bool = False
    shows_group_name: bool = False
    recorded_by: str


@dataclass(frozen=True, kw_only=True)
class WithdrawConsent:
    consent_id: UUID
    withdrawn_by: str
    if_match: int | None = None
