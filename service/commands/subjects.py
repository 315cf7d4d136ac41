"""What a person may ask for about their own data."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class RestrictProcessing:
    """Let nothing about the person go to a hospital, until it is lifted or until its end."""

    patient_id: UUID
    reason: str
    restricted_by: str
    until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class LiftRestriction:
    restriction_id: UUID
    lifted_by: str
    if_match: int | None = None


@dataclass(frozen=True, kw_only=True)
class AskCorrection:
    """Record that the person, or who speaks for them, says that something is wrong."""

    patient_id: UUID
    about: str
    asked_by: str
    asked_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class DecideCorrection:
    """Accept it, saying what was changed, or refuse it, saying why."""

    correction_id: UUID
    accepted: bool
    decision: str
    decided_by: str
    if_match: int | None = None


@dataclass(frozen=True, kw_only=True)
class AddDisagreement:
    """Attach what the person says against a refusal."""

    correction_id: UUID
    statement: str
    if_match: int | None = None


@dataclass(frozen=True, kw_only=True)
class RecordTold:
    """Note that the person was told what was decided."""

    correction_id: UUID
    told_by: str
    if_match: int | None = None
