"""Five commands to paste, with the ids of what has been loaded.

https://www.hl7.org/fhir/R4/http.html#search
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session as DbSession
from sqlmodel import col, select

from api.demo.surroundings import HOSPITAL_A, mrn_system
from service.database import Database
from service.fhir.audiences import connection_audiences, identifier_key
from service.models.connections import Connection
from service.models.consents import Category, Consent, Decision
from service.models.enrollments import Attendance, Enrollment, EnrollmentStatus
from service.models.groups import Session, SessionStatus
from service.models.patients import Link

TOKEN = ".venv/bin/alongside token"  # noqa: S105 - the command that prints one
PRETTY = "| .venv/bin/python -m json.tool"
SHARED = (Category.ENROLLMENT, Category.ATTENDANCE, Category.SCORES)


@dataclass(frozen=True)
class Command:
    title: str
    shell: str


@dataclass(frozen=True)
class _Example:
    """A person whom hospital A may know of, and a session without that person's mark."""

    patient_id: UUID
    fhir_id: str
    session_id: UUID
    start: datetime


def commands(database: Database, base_url: str) -> list[Command]:
    """Return the commands for this service; none where the demo is not loaded."""
    now = database.clock()
    found = database.read(lambda session: _example(session, now))
    return _written(found, base_url) if found else []


def _written(found: _Example, base: str) -> list[Command]:
    ours = '-H "Authorization: Bearer $TOKEN"'
    theirs = '-H "Authorization: Bearer $TOKEN_A"'
    scores = f"patient={found.fhir_id}&code=http://loinc.org%7C44261-6&_sort=date"
    roster = f'{TOKEN} --client hospital-a --scope "system/*.rs"'
    return [
        Command(
            "A token for the programme (it lasts some minutes)",
            f'TOKEN=$({TOKEN} --client programme --scope "v1.read v1.write")',
        ),
        Command(
            "What the programme knows of one person, in order of time",
            f"curl -s {ours} {base}/v1/patients/{found.patient_id}/timeline {PRETTY}",
        ),
        Command(
            "Hospital A's roster: its own patients in each group, as far as they agreed",
            f"TOKEN_A=$({roster}); curl -s {theirs} {base}/fhir/Group {PRETTY}",
        ),
        Command(
            "That person's PHQ-9 totals, as hospital A reads them",
            f"curl -s {theirs} '{base}/fhir/Observation?{scores}' {PRETTY}",
        ),
        Command(
            "Record that the person came, and see the Encounter appear at hospital A",
            _attendance(found, base, ours, theirs),
        ),
    ]


def _attendance(found: _Example, base: str, ours: str, theirs: str) -> str:
    visit = f"patient={found.fhir_id}&date=ge{found.start:%Y-%m-%dT%H:%M:%SZ}"
    mark = f'{{"marks": [{{"patient_id": "{found.patient_id}", "mark": "present"}}]}}'
    return (
        f"curl -s -o /dev/null -w '%{{http_code}}\\n' -X PUT {ours}"
        f" -H 'Content-Type: application/json' -d '{mark}'"
        f" {base}/v1/sessions/{found.session_id}/attendance;"
        f" curl -s {theirs} '{base}/fhir/Encounter?{visit}' {PRETTY}"
    )


def _example(session: DbSession, now: datetime) -> _Example | None:
    # By the record system, whose .example address no real hospital has: the start page shows this.
    demo = select(Connection.id).where(Connection.mrn_system == mrn_system(HOSPITAL_A))
    connection_id = session.exec(demo).first()
    if connection_id is None:
        return None
    row = _unmarked(session, connection_id, now) or _latest(session, connection_id, now)
    if row is None:
        return None
    patient_id, session_id, start = row
    audience = connection_audiences(session, identifier_key(session))[connection_id]
    fhir_id = audience.id("Patient", f"patient:{patient_id.hex}")
    return _Example(patient_id, fhir_id, session_id, start)


Visit = tuple[UUID, UUID, datetime]


def _unmarked(session: DbSession, connection_id: UUID, now: datetime) -> Visit | None:
    """Return the newest visit that nobody has recorded."""
    marked = select(Attendance.id).where(
        col(Attendance.session_id) == col(Session.id),
        col(Attendance.patient_id) == col(Enrollment.patient_id),
    )
    return _visit(session, connection_id, now, ~marked.exists())


def _latest(session: DbSession, connection_id: UUID, now: datetime) -> Visit | None:
    """Return the newest visit of all: the command then repeats or corrects it."""
    return _visit(session, connection_id, now, col(Session.id).is_not(None))


def _visit(
    session: DbSession, connection_id: UUID, now: datetime, condition: object
) -> Visit | None:
    statement = (
        select(Enrollment.patient_id, Session.id, Session.start)
        .join(Session, col(Session.group_id) == col(Enrollment.group_id))
        .join(Link, col(Link.patient_id) == col(Enrollment.patient_id))
        .where(
            col(Link.connection_id) == connection_id,
            col(Link.undone_at).is_(None),
            col(Enrollment.status) == EnrollmentStatus.ACTIVE,
            col(Enrollment.start) <= col(Session.start),
            col(Session.end) < now,
            col(Session.status) != SessionStatus.CANCELLED,
            col(Enrollment.patient_id).in_(_agreed(session, connection_id)),
            condition,  # type: ignore[arg-type]
        )
        .order_by(col(Session.start).desc(), col(Link.mrn))
    )
    return session.exec(statement).first()


def _agreed(session: DbSession, connection_id: UUID) -> set[UUID]:
    """Return who permits this hospital all that the commands show."""
    statement = select(Consent).where(
        Consent.connection_id == connection_id,
        Consent.decision == Decision.PERMIT,
        col(Consent.withdrawn_at).is_(None),
        col(Consent.covers_part2).is_(True),
    )
    said = {(row.patient_id, row.category) for row in session.exec(statement)}
    return {patient for patient, _ in said if all((patient, one) in said for one in SHARED)}
