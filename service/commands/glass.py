"""Break-the-glass, and what the privacy officer does with it afterwards."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from service.models.glass import Emergency, Verdict


@dataclass(frozen=True, kw_only=True)
class BreakGlass:
    """Let a person see one patient's data beyond the ceiling; `reason` is encrypted already."""

    patient_id: UUID
    connection_id: UUID
    client_id: UUID
    client: str
    person: str
    purpose: Emergency
    reason: str
    lasts: timedelta
    notice: bool = False


@dataclass(frozen=True, kw_only=True)
class EndGlass:
    """End what the person has open with this client about the patient."""

    patient_id: UUID
    client: str
    person: str


@dataclass(frozen=True, kw_only=True)
class ReviewGlass:
    """Say whether it was justified; `end` closes it at once where it is still open."""

    glass_id: UUID
    verdict: Verdict
    reviewed_by: str
    end: bool = False
    if_match: int | None = None


@dataclass(frozen=True, kw_only=True)
class GiveNotice:
    """Note that the patient was told."""

    glass_id: UUID
    given_by: str
    if_match: int | None = None
