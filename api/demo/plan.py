"""The demo as a value: the same seed and the same day make the same plan, and nothing is loaded.

Everyone and everything in it is made up; the scores show the software, not what groups achieve.
"""

import random
from dataclasses import dataclass
from datetime import date, datetime

from service.commands import CreateFacilitator, CreateGroup, CreatePatient, CreatePlace
from service.commands import PostalAddress as Address
from service.models.connections import ConsentPolicy
from service.models.consents import Category, Decision
from service.models.enrollments import AttendanceMark, EnrollmentStatus
from service.models.screening import ResponseStatus

SEED = "alongside demo 1"
PAST_WEEKS = 12
BOOKED_WEEKS = 2
SCREENING_WEEKS = (0, 4, 8, 12)


def draws(purpose: str) -> random.Random:
    """Return a generator of its own for each purpose, so that one change does not move the rest."""
    return random.Random(f"{SEED}: {purpose}")  # noqa: S311 - repeatable on purpose, no secret


@dataclass(frozen=True, kw_only=True)
class FacilityPlan:
    name: str
    address: Address


@dataclass(frozen=True, kw_only=True)
class ConnectionPlan:
    """A hospital; the first facility is the hospital, the others are part of it."""

    name: str
    mrn_system: str
    policy: ConsentPolicy
    facilities: tuple[FacilityPlan, ...]


@dataclass(frozen=True, kw_only=True)
class LinkPlan:
    hospital: str
    mrn: str
    ehr_patient_id: str


@dataclass(frozen=True, kw_only=True)
class ConsentPlan:
    hospital: str
    category: Category
    decision: Decision
    start: datetime
    covers_part2: bool
    shows_group_name: bool


@dataclass(frozen=True, kw_only=True)
class PatientPlan:
    key: str
    person: CreatePatient
    links: tuple[LinkPlan, ...]
    consents: tuple[ConsentPlan, ...]


@dataclass(frozen=True, kw_only=True)
class Step:
    """A status that an enrolment takes, and from when."""

    status: EnrollmentStatus
    at: datetime
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class EnrollmentPlan:
    patient: str
    steps: tuple[Step, ...]

    @property
    def joined(self) -> datetime | None:
        """Return when membership began, if it has."""
        active = (step.at for step in self.steps if step.status is EnrollmentStatus.ACTIVE)
        return next(active, None)

    def attends(self, moment: datetime) -> bool:
        """Return whether the person is an active member at this moment."""
        now = [step.status for step in self.steps if step.at <= moment]
        return bool(now) and now[-1] is EnrollmentStatus.ACTIVE


@dataclass(frozen=True, kw_only=True)
class MarkPlan:
    patient: str
    mark: AttendanceMark
    arrived_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class SessionPlan:
    """A meeting; one without marks and without a reason is booked, or not yet recorded."""

    start: datetime
    end: datetime
    marks: tuple[MarkPlan, ...] = ()
    cancel_reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class GroupPlan:
    """A group; `place` and `facilitator` are places in the plan's lists."""

    command: CreateGroup
    place: int | None
    facilitator: int
    enrollments: tuple[EnrollmentPlan, ...]
    sessions: tuple[SessionPlan, ...]


@dataclass(frozen=True, kw_only=True)
class ResponsePlan:
    instrument: str
    answers: dict[str, int]
    authored: datetime
    status: ResponseStatus = ResponseStatus.COMPLETED


@dataclass(frozen=True, kw_only=True)
class SeriesPlan:
    """All questionnaires of one person, answered in one group."""

    patient: str
    group: str
    responses: tuple[ResponsePlan, ...]


@dataclass(frozen=True, kw_only=True)
class Plan:
    today: date
    connections: tuple[ConnectionPlan, ...]
    places: tuple[CreatePlace, ...]
    facilitators: tuple[CreateFacilitator, ...]
    patients: tuple[PatientPlan, ...]
    groups: tuple[GroupPlan, ...]
    series: tuple[SeriesPlan, ...]

    @property
    def units(self) -> int:
        """Return how many units of work it takes to load."""
        sessions = sum(len(group.sessions) for group in self.groups)
        return 3 + len(self.patients) + len(self.groups) + sessions + len(self.series)
