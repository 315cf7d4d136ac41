"""People, groups and hospitals for tests, made through the domain's own commands."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from sqlmodel import Session as DbSession

from service.commands import (
    CreateConnection,
    CreateFacilitator,
    CreateFacility,
    CreateGroup,
    CreatePatient,
    CreateSession,
    Enroll,
    LinkPatient,
    Mark,
    RecordAttendance,
    RecordConsent,
    RecordResponse,
)
from service.consents import record_consent
from service.database import Database
from service.handlers import execute
from service.models.aggregates import patient_aggregate
from service.models.connections import Connection, ConsentPolicy
from service.models.consents import Category, Consent
from service.models.enrollments import Attendance, AttendanceMark, Enrollment
from service.models.groups import (
    Facilitation,
    Facilitator,
    GroupStatus,
    Modality,
    Session,
    SupportGroup,
)
from service.models.patients import Link, Patient
from service.screening import Recorded

numbers = count(1)
ALL = tuple(Category)
PHQ9 = tuple(
    f"/{code}"
    for code in (
        "44250-9", "44255-8", "44259-0", "44254-1", "44251-7",
        "44258-2", "44252-5", "44253-3", "44260-8",
    )
)  # fmt: skip


def now() -> datetime:
    return datetime.now(UTC)


def hospital(
    database: Database, name: str = "A", policy: ConsentPolicy = ConsentPolicy.OPT_IN
) -> Connection:
    """A connection with the hospital's own organisation."""
    command = CreateConnection(name=name, mrn_system=f"urn:mrn:{name}", policy=policy)
    row: Connection = execute(database, command)
    execute(database, CreateFacility(connection_id=row.id, name=f"Hospital {name}"))
    return row


def patient(database: Database, **more: Any) -> Patient:
    number = next(numbers)
    row: Patient = execute(
        database, CreatePatient(**{"family": f"Family{number}", "given": "Given", **more})
    )
    return row


def link(database: Database, person: Patient, connection: Connection) -> Link:
    number = next(numbers)
    row: Link = execute(
        database,
        LinkPatient(
            patient_id=person.id,
            connection_id=connection.id,
            ehr_patient_id=f"ehr-{number}",
            mrn=f"MRN{number}",
            confirmed_by="tester",
        ),
    )
    return row


def consent(
    database: Database,
    person: Patient,
    connection: Connection,
    categories: Iterable[Category] = ALL,
    **more: Any,
) -> dict[Category, Consent]:
    """Consents in one unit of work, because most tests need many."""

    def record(session: DbSession) -> dict[Category, Consent]:
        return {
            category: record_consent(
                session,
                RecordConsent(
                    patient_id=person.id,
                    connection_id=connection.id,
                    category=category,
                    recorded_by="tester",
                    **more,
                ),
                now(),
            )
            for category in categories
        }

    return database.unit_of_work(record, patient_aggregate(person.id))


def linked(database: Database, *connections: Connection) -> Patient:
    """A person linked to these hospitals, who has consented to everything."""
    person = patient(database)
    for connection in connections:
        link(database, person, connection)
        consent(database, person, connection)
    return person


def facilitator(database: Database, **more: Any) -> Facilitator:
    number = next(numbers)
    values = {"family": f"Leader{number}", "given": "Given", "kind": Facilitation.PEER, **more}
    row: Facilitator = execute(database, CreateFacilitator(**values))
    return row


def group(database: Database, **more: Any) -> SupportGroup:
    number = next(numbers)
    values: dict[str, Any] = {
        "public_name": f"Depression circle {number}",
        "neutral_name": f"Circle {number}",
        "purpose": "Mutual support",
        "topic": "depression",
        "facilitation": Facilitation.PEER,
        "modality": Modality.IN_PERSON,
        "capacity": 12,
        "escalation_contact": "on-call 555-0100",
        "status": GroupStatus.ACTIVE,
    }
    row: SupportGroup = execute(database, CreateGroup(**{**values, **more}))
    return row


def session(database: Database, of: SupportGroup, start: datetime | None = None) -> Session:
    """A session; unless said otherwise it began half an hour ago."""
    begin = start or now() - timedelta(minutes=30)
    command = CreateSession(group_id=of.id, start=begin, end=begin + timedelta(hours=1))
    row: Session = execute(database, command)
    return row


def enroll(database: Database, person: Patient, into: SupportGroup, **more: Any) -> Enrollment:
    values = {"start": now() - timedelta(days=30), **more}
    row: Enrollment = execute(database, Enroll(patient_id=person.id, group_id=into.id, **values))
    return row


def attend(
    database: Database,
    held: Session,
    *people: Patient,
    mark: AttendanceMark = AttendanceMark.PRESENT,
) -> list[Attendance]:
    marks = tuple(Mark(patient_id=person.id, mark=mark) for person in people)
    rows: list[Attendance] = execute(
        database, RecordAttendance(session_id=held.id, marks=marks, recorded_by="tester")
    )
    return rows


def phq9(score: int = 1, **items: int) -> dict[str, int]:
    """A complete PHQ-9 with every answer `score`, item 9 zero unless `item9` says otherwise."""
    return dict.fromkeys(PHQ9[:-1], score) | {PHQ9[-1]: items.get("item9", 0)}


def respond(
    database: Database,
    person: Patient,
    answers: dict[str, int] | None = None,
    *,
    group_id: UUID | None = None,
    **more: Any,
) -> Recorded:
    recorded: Recorded = execute(
        database,
        RecordResponse(
            patient_id=person.id,
            answers=phq9() if answers is None else answers,
            authored=now(),
            group_id=group_id,
            **{"instrument": "phq-9", **more},
        ),
    )
    return recorded
