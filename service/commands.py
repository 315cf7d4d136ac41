"""What can be asked of the domain: frozen, checked by the domain, executed in a unit of work.

An update leaves alone what is `UNSET`. `if_match` is the row version the caller has seen.
"""

from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import Enum
from typing import Any, Final
from uuid import UUID

from service.models.connections import ConsentPolicy, Environment
from service.models.consents import Category, Decision
from service.models.enrollments import AttendanceMark, EnrollmentStatus
from service.models.facts import Address
from service.models.groups import Facilitation, GroupStatus, Modality, Sensitivity, SessionStatus
from service.models.patients import Gender, LinkMethod
from service.models.screening import ResponseStatus


class Unset(Enum):
    """The type of `UNSET`, which is not null: null empties a field."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET


def changes(command: Any, *names: str) -> dict[str, Any]:  # noqa: ANN401 - any command
    """Return the fields of an update that were given, of `names` or of all."""
    found = {f.name: getattr(command, f.name) for f in fields(command)}
    return {k: v for k, v in found.items() if v is not UNSET and (not names or k in names)}


@dataclass(frozen=True, kw_only=True)
class CreateConnection:
    name: str
    mrn_system: str
    environment: Environment = Environment.TEST
    policy: ConsentPolicy = ConsentPolicy.OPT_IN


@dataclass(frozen=True, kw_only=True)
class PostalAddress(Address):
    phone: str | None = None


@dataclass(frozen=True, kw_only=True)
class CreateFacility:
    connection_id: UUID
    name: str
    address: PostalAddress = PostalAddress()
    part_of_id: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class CreatePlace:
    name: str
    address: PostalAddress = PostalAddress()


@dataclass(frozen=True, kw_only=True)
class CreateFacilitator:
    family: str
    given: str
    kind: Facilitation
    name_is_public: bool = False


@dataclass(frozen=True, kw_only=True)
class CreatePatient:
    family: str
    given: str
    gender: Gender = Gender.UNKNOWN
    birth_date: date | None = None
    phone: str | None = None
    email: str | None = None
    line: str | None = None
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None
    language: str | None = None
    extensions: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, kw_only=True)
class ReceivePatient:
    """A Patient that a hospital sent, byte for byte, with what the programme takes from it.

    Whether the programme knew the person is for the programme to find out: it is a new person
    here until somebody says otherwise.
    """

    patient_id: UUID
    connection_id: UUID
    received: bytes
    sent_by: str
    family: str = ""
    given: str = ""
    gender: Gender = Gender.UNKNOWN
    birth_date: date | None = None
    phone: str | None = None
    email: str | None = None
    line: str | None = None
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None
    language: str | None = None
    identifiers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class UpdatePatient:
    patient_id: UUID
    family: str | Unset = UNSET
    given: str | Unset = UNSET
    gender: Gender | Unset = UNSET
    birth_date: date | Unset | None = UNSET
    phone: str | Unset | None = UNSET
    email: str | Unset | None = UNSET
    language: str | Unset | None = UNSET
    if_match: int | None = None


@dataclass(frozen=True, kw_only=True)
class LinkPatient:
    patient_id: UUID
    connection_id: UUID
    ehr_patient_id: str
    mrn: str
    mrn_system: str | None = None
    method: LinkMethod = LinkMethod.MANUAL
    confirmed_by: str


@dataclass(frozen=True, kw_only=True)
class UndoLink:
    link_id: UUID
    undone_by: str
    reason: str
    if_match: int | None = None


@dataclass(frozen=True, kw_only=True)
class CreateGroup:
    public_name: str
    neutral_name: str
    purpose: str
    topic: str
    facilitation: Facilitation
    modality: Modality
    capacity: int
    language: str = "en"
    eligibility: str = ""
    sensitivity: Sensitivity = Sensitivity.MENTAL_HEALTH
    part2: bool | None = None
    instruments: tuple[str, ...] = ("phq-9", "gad-7")
    escalation_contact: str | None = None
    status: GroupStatus = GroupStatus.DRAFT
    place_id: UUID | None = None
    facilitator_id: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class UpdateGroup:
    group_id: UUID
    public_name: str | Unset = UNSET
    neutral_name: str | Unset = UNSET
    purpose: str | Unset = UNSET
    topic: str | Unset = UNSET
    facilitation: Facilitation | Unset = UNSET
    modality: Modality | Unset = UNSET
    capacity: int | Unset = UNSET
    language: str | Unset = UNSET
    eligibility: str | Unset = UNSET
    sensitivity: Sensitivity | Unset = UNSET
    part2: bool | Unset = UNSET
    instruments: tuple[str, ...] | Unset = UNSET
    escalation_contact: str | Unset | None = UNSET
    status: GroupStatus | Unset = UNSET
    place_id: UUID | Unset | None = UNSET
    facilitator_id: UUID | Unset | None = UNSET
    if_match: int | None = None


@dataclass(frozen=True, kw_only=True)
class CreateSession:
    group_id: UUID
    start: datetime
    end: datetime
    place_id: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class UpdateSession:
    """Move a session, hold it, or cancel it with a reason."""

    session_id: UUID
    start: datetime | Unset = UNSET
    end: datetime | Unset = UNSET
    status: SessionStatus | Unset = UNSET
    cancel_reason: str | Unset | None = UNSET
    place_id: UUID | Unset | None = UNSET
    if_match: int | None = None


@dataclass(frozen=True, kw_only=True)
class Enroll:
    """Propose, wait-list or enrol a person; `start` is now when it is null."""

    patient_id: UUID
    group_id: UUID
    status: EnrollmentStatus = EnrollmentStatus.ACTIVE
    start: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class ChangeEnrollment:
    enrollment_id: UUID
    status: EnrollmentStatus
    at: datetime | None = None
    reason: str | None = None
    if_match: int | None = None


@dataclass(frozen=True, kw_only=True)
class Mark:
    patient_id: UUID
    mark: AttendanceMark
    arrived_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class RecordAttendance:
    """The marks of a session; a mark that is there already is corrected, others are left."""

    session_id: UUID
    marks: tuple[Mark, ...]
    recorded_by: str
    if_match: int | None = None


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
