"""What can be asked of the rules that members agree to."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from service.models.rules import AgreementMethod


@dataclass(frozen=True, kw_only=True)
class PublishRules:
    """A new version, of a group's own rules or of the programme's; in force now if not later."""

    text: str
    group_id: UUID | None = None
    in_force_from: datetime | None = None
    published_by: str


@dataclass(frozen=True, kw_only=True)
class RecordAgreement:
    """A person agreed to one version; `agreed_at` is now when it is null."""

    patient_id: UUID
    rules_id: UUID
    method: AgreementMethod
    enrollment_id: UUID | None = None
    agreed_at: datetime | None = None
    reference: str | None = None
    witness: str | None = None
    recorded_by: str
