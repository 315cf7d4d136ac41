"""Frozen facts: what documents are rendered from, read by column SELECTs after the locks.

One class for each kind of source. A source's key is its kind and its row's id; a document
remembers the source it was made from.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from service.models.consents import Standing
from service.models.enrollments import AttendanceMark, EnrollmentStatus
from service.models.groups import (
    Facilitation,
    GroupStatus,
    Modality,
    Sensitivity,
    SessionStatus,
)
from service.models.measurement import OccasionState
from service.models.patients import Gender
from service.models.provisions import Provision
from service.models.screening import AlertState, ResponseStatus


@dataclass(frozen=True, kw_only=True)
class Address:
    line: str | None = None
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None


@dataclass(frozen=True, kw_only=True)
class ProgrammeFacts:
    id: UUID
    name: str
    phone: str | None
    address: Address


@dataclass(frozen=True, kw_only=True)
class FacilityFacts:
    id: UUID
    name: str
    phone: str | None
    address: Address
    part_of_id: UUID | None


@dataclass(frozen=True, kw_only=True)
class PlaceFacts:
    id: UUID
    name: str
    phone: str | None
    address: Address


@dataclass(frozen=True, kw_only=True)
class FacilitatorFacts:
    id: UUID
    family: str
    given: str
    kind: Facilitation
    name_is_public: bool
    active: bool


@dataclass(frozen=True, kw_only=True)
class InstrumentFacts:
    id: UUID
    name: str
    version: str


@dataclass(frozen=True, kw_only=True)
class GroupFacts:
    id: UUID
    public_name: str
    neutral_name: str
    purpose: str
    topic: str
    facilitation: Facilitation
    modality: Modality
    language: str
    eligibility: str
    capacity: int
    sensitivity: Sensitivity
    part2: bool
    status: GroupStatus
    place_id: UUID | None
    facilitator_id: UUID | None


@dataclass(frozen=True, kw_only=True)
class MemberFacts:
    """A member of a roster, as far as this audience may know."""

    patient_id: UUID
    status: EnrollmentStatus
    start: datetime


@dataclass(frozen=True, kw_only=True)
class RosterFacts:
    """One audience's part of a group: only members it may know of, in order of enrolment."""

    group: GroupFacts
    members: tuple[MemberFacts, ...]


@dataclass(frozen=True, kw_only=True)
class PatientFacts:
    """`sent_by` are the connections that sent a response about the person: they know of them.

    `received` is the Patient as a connection sent it, byte for byte. `merged_into_id` is the
    record that took the place of this one, `replaces` are those whose place it took.
    """

    id: UUID
    family: str
    given: str
    gender: Gender
    birth_date: date | None
    phone: str | None
    email: str | None
    address: Address
    language: str | None
    extensions: tuple[dict[str, Any], ...]
    sent_by: frozenset[UUID] = frozenset()
    received: dict[UUID, bytes] = field(default_factory=dict)
    merged_into_id: UUID | None = None
    replaces: tuple[UUID, ...] = ()


@dataclass(frozen=True, kw_only=True)
class StatusFacts:
    status: EnrollmentStatus
    start: datetime
    end: datetime | None


@dataclass(frozen=True, kw_only=True)
class EnrollmentFacts:
    id: UUID
    patient_id: UUID
    status: EnrollmentStatus
    start: datetime
    end: datetime | None
    history: tuple[StatusFacts, ...]
    group: GroupFacts


@dataclass(frozen=True, kw_only=True)
class VisitFacts:
    """One person at one session: booked, attended, missed or called off.

    `made_for_id` is the record whose visit it was before a merge: its documents keep their ids.
    """

    session_id: UUID
    patient_id: UUID
    enrollment_id: UUID
    start: datetime
    end: datetime
    status: SessionStatus
    cancel_reason: str | None
    place_id: UUID | None
    mark: AttendanceMark | None
    arrived_at: datetime | None
    group: GroupFacts
    made_for_id: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class AlertFacts:
    id: UUID
    rule: str
    state: AlertState
    raised_at: datetime


@dataclass(frozen=True, kw_only=True)
class ResponseFacts:
    id: UUID
    patient_id: UUID
    connection_id: UUID | None
    instrument: str
    instrument_version: str
    status: ResponseStatus
    authored: datetime
    answers: dict[str, int]
    total: int | None
    scores: dict[str, int | float | None] | None
    missing: tuple[str, ...]
    received: bytes | None
    received_answers: dict[str, int] | None
    received_status: ResponseStatus | None
    sensitivity: Sensitivity
    part2: bool
    alert: AlertFacts | None = None


@dataclass(frozen=True, kw_only=True)
class TellingFacts:
    """Somebody was told of an alert: a contact of this hospital, or of the programme."""

    id: UUID
    at: datetime
    connection_id: UUID | None


@dataclass(frozen=True, kw_only=True)
class SafetyFacts:
    """An alert as its own documents tell of it; `connection_id` sent the response."""

    id: UUID
    patient_id: UUID
    response_id: UUID | None
    connection_id: UUID | None
    tier: str
    priority: str
    state: AlertState
    raised_at: datetime
    acknowledged_at: datetime | None
    resolved_at: datetime | None
    stepped_up_at: datetime | None
    crisis_resources: str | None
    part2: bool
    tellings: tuple[TellingFacts, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OccasionFacts:
    """One time that a questionnaire is due; `number` counts within the plan of that one."""

    instrument: str
    number: int
    begins: datetime
    overdue_from: datetime
    state: OccasionState
    response_id: UUID | None


@dataclass(frozen=True, kw_only=True)
class MeasurementFacts:
    """What an enrolment was asked for by its group's plans; `changes_at` by the clock alone."""

    id: UUID
    patient_id: UUID
    group: GroupFacts
    occasions: tuple[OccasionFacts, ...]
    changes_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class ConsentFacts:
    id: UUID
    patient_id: UUID
    connection_id: UUID
    connection_facility_id: UUID | None
    provision: Provision
    created_at: datetime
    withdrawn_at: datetime | None
    changed_at: datetime | None = None
    standing: Standing = Standing.CONFIRMED
    evidence: dict[str, Any] | None = None
    sent_as: str | None = None


@dataclass(frozen=True, kw_only=True)
class LinkFacts:
    """A live link, as the audience it belongs to may see it."""

    connection_id: UUID
    ehr_patient_id: str
    mrn: str
    mrn_system: str


Facts = (
    ProgrammeFacts
    | FacilityFacts
    | PlaceFacts
    | FacilitatorFacts
    | InstrumentFacts
    | GroupFacts
    | RosterFacts
    | PatientFacts
    | EnrollmentFacts
    | VisitFacts
    | ResponseFacts
    | SafetyFacts
    | MeasurementFacts
    | ConsentFacts
)
