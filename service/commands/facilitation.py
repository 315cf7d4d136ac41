"""What can be asked of facilitators, their credentials and their supervision."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from service.commands.unset import UNSET, Unset
from service.models.groups import Facilitation


@dataclass(frozen=True, kw_only=True)
class CreateFacilitator:
    family: str
    given: str
    kind: Facilitation
    name_is_public: bool = False


@dataclass(frozen=True, kw_only=True)
class UpdateFacilitator:
    facilitator_id: UUID
    family: str | Unset = UNSET
    given: str | Unset = UNSET
    kind: Facilitation | Unset = UNSET
    name_is_public: bool | Unset = UNSET
    active: bool | Unset = UNSET
    if_match: int | None = None


@dataclass(frozen=True, kw_only=True)
class AddCredential:
    facilitator_id: UUID
    kind: str
    issuer: str
    number: str | None = None
    issued: date | None = None
    expires: date | None = None


@dataclass(frozen=True, kw_only=True)
class UpdateCredential:
    credential_id: UUID
    kind: str | Unset = UNSET
    issuer: str | Unset = UNSET
    number: str | Unset | None = UNSET
    issued: date | Unset | None = UNSET
    expires: date | Unset | None = UNSET
    counts: bool | Unset = UNSET
    if_match: int | None = None


@dataclass(frozen=True, kw_only=True)
class ArrangeSupervision:
    """Who supervises: another facilitator, or a contact who is named."""

    facilitator_id: UUID
    supervisor_id: UUID | None = None
    contact: str | None = None
    next_due: date | None = None
    if_match: int | None = None


@dataclass(frozen=True, kw_only=True)
class RecordSupervision:
    """A supervision session that took place; `next_due` is when the next one is, if it was set."""

    facilitator_id: UUID
    held_on: date
    next_due: date | None = None
    recorded_by: str
