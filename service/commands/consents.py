"""What can be asked of consents."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from service.models.consents import Category, Decision, Label, Standing
from service.models.evidence import Evidence
from service.models.provisions import Provision
from service.models.purposes import Purpose


@dataclass(frozen=True, kw_only=True)
class ConsentTerms:
    """What is decided; without a category about every one of `categories`, or all.

    `start` is now when it is null. A permit that names no purposes is for treatment, a denial
    for every purpose.
    """

    category: Category | None = None
    categories: tuple[Category, ...] = ()
    decision: Decision = Decision.PERMIT
    start: datetime | None = None
    end: datetime | None = None
    purposes: tuple[Purpose, ...] | None = None
    labels: tuple[Label, ...] = ()
    covers_part2: bool = False
    shows_group_name: bool = False
    provisions: tuple[Provision, ...] = ()
    evidence: Evidence | None = None


@dataclass(frozen=True, kw_only=True)
class RecordConsent(ConsentTerms):
    """A person's decision about one hospital."""

    patient_id: UUID
    connection_id: UUID
    recorded_by: str


@dataclass(frozen=True, kw_only=True)
class AmendConsent(ConsentTerms):
    """The same decision, said anew; what it said before is kept as a version."""

    consent_id: UUID
    amended_by: str
    if_match: int | None = None


@dataclass(frozen=True, kw_only=True)
class WithdrawConsent:
    consent_id: UUID
    withdrawn_by: str
    if_match: int | None = None


@dataclass(frozen=True, kw_only=True)
class SettleConsent:
    """The programme's word on the permits of a consent that a hospital sent."""

    consent_id: UUID
    standing: Standing
    settled_by: str
    if_match: int | None = None


@dataclass(frozen=True, kw_only=True)
class ReceiveConsent:
    """A consent as a hospital sent it; without a provision it is in force no more.

    `provision` is complete: what it does not say, nothing says. `sent_as` is its document.
    """

    patient_id: UUID
    connection_id: UUID
    sent_as: str
    provision: Provision | None
    evidence: Evidence | None = None
    sent_by: str
