"""Connections to hospitals and their facilities."""

from datetime import datetime

from sqlmodel import Session, col, func, select

from service.commands import CreateConnection, CreateFacility
from service.errors import DuplicateError
from service.models.connections import Connection, Facility
from service.models.documents import FIRST_CONNECTION
from service.rows import get, require_text


def create_connection(session: Session, command: CreateConnection, _now: datetime) -> Connection:
    """Add a hospital's EHR; its audience number is the next free one."""
    require_text(command.name, "name")
    require_text(command.mrn_system, "mrn_system")
    if session.exec(select(Connection.id).where(Connection.name == command.name)).first():
        raise DuplicateError("a connection of this name exists", element="name")
    highest = session.exec(select(func.max(col(Connection.number)))).one()
    row = Connection(
        name=command.name,
        number=max(highest or 0, FIRST_CONNECTION - 1) + 1,
        environment=command.environment,
        policy=command.policy,
        authority=command.authority,
        mrn_system=command.mrn_system,
    )
    session.add(row)
    return row


def create_facility(session: Session, command: CreateFacility, _now: datetime) -> Facility:
    """Add an organisation of a hospital; the first, with no parent, is the hospital itself."""
    require_text(command.name, "name")
    get(session, Connection, command.connection_id, "connection_id")
    if command.part_of_id:
        get(session, Facility, command.part_of_id, "part_of_id")
    row = Facility(
        connection_id=command.connection_id,
        name=command.name,
        part_of_id=command.part_of_id,
        **vars(command.address),
    )
    session.add(row)
    return row
