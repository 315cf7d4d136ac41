"""Loads a plan through the domain, in small units of work that can be taken up again.

Each unit is found again by what names it in life (a name, a medical record number, a time), so a
load that was interrupted goes on where it stopped. The clients come last: they say it is complete.
"""

from collections.abc import Callable
from datetime import date
from enum import Enum

from sqlalchemy import text
from sqlmodel import Session as DbSession
from sqlmodel import select

from api.demo.clients import BENCH, create_clients
from api.demo.load_groups import load_group, load_series, load_session
from api.demo.load_people import Ids, load_connections, load_leaders, load_patient, load_places
from api.demo.plan import Plan
from api.demo.surroundings import HOSPITAL_A, connections, mrn_system
from service.database import Database
from service.engine import WRITING
from service.models.connections import Client, Connection
from service.models.groups import SupportGroup
from service.models.patients import Patient

Advance = Callable[[], object]


class State(Enum):
    """What a database holds of the demo."""

    EMPTY = "empty"
    PARTIAL = "partial"
    COMPLETE = "complete"
    OTHER = "other"


def state(database: Database) -> State:
    """Return whether the demo can be loaded here; it is never mixed with data of others."""
    return database.read(_state)


def _state(session: DbSession) -> State:
    systems = set(session.exec(select(Connection.mrn_system)))
    if not systems:
        people = session.exec(select(Patient.id)).first()
        return (
            State.OTHER if people or session.exec(select(SupportGroup.id)).first() else State.EMPTY
        )
    if not systems & {one.mrn_system for one in connections()}:
        return State.OTHER
    done = session.exec(select(Client.id).where(Client.name == BENCH)).first()
    return State.COMPLETE if done else State.PARTIAL


def begun_on(database: Database) -> date | None:
    """Return the day an interrupted load began: its times are counted from that day."""
    of_a = select(Connection.created_at).where(Connection.mrn_system == mrn_system(HOSPITAL_A))
    moment = database.read(lambda session: session.exec(of_a).first())
    return moment.date() if moment else None


def load(database: Database, plan: Plan, advance: Advance = lambda: None) -> None:
    """Load what is not there yet, and call `advance` after each of the plan's units."""
    ids = Ids()
    for step in (load_connections, load_places, load_leaders):
        step(database, plan, ids)
        advance()
    for person in plan.patients:
        load_patient(database, person, ids)
        advance()
    for group in plan.groups:
        load_group(database, group, ids)
        advance()
    for group in plan.groups:
        for meeting in group.sessions:
            load_session(database, group, meeting, ids)
            advance()
    for series in plan.series:
        load_series(database, series, ids)
        advance()
    create_clients(database, ids)
    _analyze(database)


def _analyze(database: Database) -> None:
    """Let PostgreSQL look at what it holds now, as it does by itself after a minute."""
    if database.sqlite:
        return
    with database.engine.execution_options(**{WRITING: True}).begin() as connection:
        connection.execute(text("ANALYZE"))
