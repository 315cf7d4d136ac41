"""Loads hospitals, places, those who lead groups, and patients with links and consents."""

from dataclasses import dataclass, field
from uuid import UUID

from sqlmodel import Session as DbSession
from sqlmodel import select

from api.demo.plan import ConnectionPlan, PatientPlan, Plan
from service.commands import (
    CreateConnection,
    CreateContact,
    CreateFacility,
    LinkPatient,
    RecordConsent,
)
from service.connections import create_connection, create_facility
from service.consents import record_consent
from service.database import Database
from service.facilitators import create_facilitator, create_place
from service.links import link_patient
from service.models.aggregates import Aggregate
from service.models.connections import Connection
from service.models.groups import Facilitator, Place
from service.models.patients import Link, LinkMethod
from service.models.safety import Channel, Contact, ContactRole
from service.patients import create_patient
from service.safety import create_contact

INTAKE = "Intake, demo"
ON_CALL = CreateContact(
    name="On-call coordinator, demo",
    role=ContactRole.ON_CALL,
    channel=Channel.EMAIL,
    address="on-call@programme.example",  # https://www.rfc-editor.org/rfc/rfc2606
)


@dataclass
class Ids:
    """The rows of what has been loaded, by the plan's names."""

    connections: dict[str, UUID] = field(default_factory=dict)
    places: list[UUID] = field(default_factory=list)
    facilitators: list[UUID] = field(default_factory=list)
    patients: dict[str, UUID] = field(default_factory=dict)
    groups: dict[str, UUID] = field(default_factory=dict)


def load_connections(database: Database, plan: Plan, ids: Ids) -> None:
    def work(session: DbSession) -> dict[str, UUID]:
        known = dict(session.exec(select(Connection.name, Connection.id)).all())
        for one in plan.connections:
            if one.name not in known:
                known[one.name] = _connect(database, session, one)
        if session.exec(select(Contact.id)).first() is None:
            create_contact(session, ON_CALL, database.clock())
        return known

    ids.connections = database.unit_of_work(work, Aggregate("connections", "all"))


def _connect(database: Database, session: DbSession, plan: ConnectionPlan) -> UUID:
    now = database.clock()
    command = CreateConnection(name=plan.name, mrn_system=plan.mrn_system, policy=plan.policy)
    row = create_connection(session, command, now)
    session.flush()
    hospital = None
    for one in plan.facilities:
        facility = CreateFacility(
            connection_id=row.id, name=one.name, address=one.address, part_of_id=hospital
        )
        made = create_facility(session, facility, now)
        session.flush()
        hospital = hospital or made.id
    return row.id


def load_places(database: Database, plan: Plan, ids: Ids) -> None:
    def work(session: DbSession) -> list[UUID]:
        known = dict(session.exec(select(Place.name, Place.id)).all())
        for one in plan.places:
            if one.name not in known:
                known[one.name] = create_place(session, one, database.clock()).id
        return [known[one.name] for one in plan.places]

    ids.places = database.unit_of_work(work)


def load_leaders(database: Database, plan: Plan, ids: Ids) -> None:
    def work(session: DbSession) -> list[UUID]:
        rows = session.exec(select(Facilitator)).all()
        known = {(row.family, row.given): row.id for row in rows}
        for one in plan.facilitators:
            name = (one.family, one.given)
            if name not in known:
                known[name] = create_facilitator(session, one, database.clock()).id
        return [known[one.family, one.given] for one in plan.facilitators]

    ids.facilitators = database.unit_of_work(work)


def load_patient(database: Database, plan: PatientPlan, ids: Ids) -> None:
    """Load a person with links and consents, all at once: one record tells of the rest."""
    record = plan.links[0]
    of_record = select(Link.patient_id).where(
        Link.connection_id == ids.connections[record.hospital], Link.mrn == record.mrn
    )

    def work(session: DbSession) -> UUID:
        known = session.exec(of_record).first()
        return known or _create(database, session, plan, ids)

    records = (Aggregate("record", ids.connections[one.hospital].hex) for one in plan.links)
    ids.patients[plan.key] = database.unit_of_work(work, *records)


def _create(database: Database, session: DbSession, plan: PatientPlan, ids: Ids) -> UUID:
    now = database.clock()
    row = create_patient(session, plan.person, now)
    session.flush()
    for link in plan.links:
        record = LinkPatient(
            patient_id=row.id,
            connection_id=ids.connections[link.hospital],
            ehr_patient_id=link.ehr_patient_id,
            mrn=link.mrn,
            method=LinkMethod.MRN,
            confirmed_by=INTAKE,
        )
        link_patient(session, record, now)
    for said in plan.consents:
        consent = RecordConsent(
            patient_id=row.id,
            connection_id=ids.connections[said.hospital],
            category=said.category,
            decision=said.decision,
            start=said.start,
            covers_part2=said.covers_part2,
            shows_group_name=said.shows_group_name,
            recorded_by=INTAKE,
        )
        record_consent(session, consent, now)
    return row.id
