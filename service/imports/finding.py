"""How rows of a file name people and groups, and how those are found.

A person is named by a hospital's record number, or by the id that `/v1` gave; a group by the key it
was imported under, or by its id.
"""

from uuid import UUID

from sqlmodel import Session, col, select

from service.errors import InvalidError, RequiredError
from service.imports.cells import row_id
from service.imports.tables import Column, Values
from service.models.connections import Connection
from service.models.groups import SupportGroup
from service.models.imports import ImportKey
from service.models.patients import Link

GROUP = "group"
PERSON = (
    Column("connection", example="Harbor General"),
    Column("mrn", example="MRN-0001"),
    Column("patient_id", row_id),
)


def person(session: Session, values: Values) -> UUID:
    """Return the person whom a row is about."""
    given: UUID | None = values["patient_id"]
    hospital, number = values["connection"], values["mrn"]
    if given is not None:
        if hospital or number:
            rule = "name the person by connection and mrn, or by patient_id, not by both"
            raise InvalidError(rule, element="patient_id")
        return given
    if not hospital or not number:
        raise RequiredError("name the person by connection and mrn, or by patient_id")
    return _by_number(session, hospital, number)


def _by_number(session: Session, hospital: str, number: str) -> UUID:
    connection = session.exec(select(Connection.id).where(Connection.name == hospital)).first()
    if connection is None:
        raise InvalidError("there is no connection of this name", element="connection")
    live = (Link.connection_id == connection, col(Link.undone_at).is_(None))
    found = session.exec(select(Link.patient_id).where(Link.mrn == number, *live)).first()
    if found is None:
        raise InvalidError("nobody is linked by this record number", element="mrn")
    return found


def group(session: Session, named: str) -> UUID:
    """Return the group that a row names."""
    if known := by_key(session, GROUP, named):
        return known
    try:
        given = UUID(named)
    except ValueError:
        given = None
    if given is None or session.get(SupportGroup, given) is None:
        raise InvalidError("there is no group with this key or id", element="group")
    return given


def by_key(session: Session, kind: str, key: str) -> UUID | None:
    """Return the row that was imported under this key."""
    where = (ImportKey.kind == kind, ImportKey.key == key)
    return session.exec(select(ImportKey.row_id).where(*where)).first()


def remember(session: Session, kind: str, key: str, row: UUID) -> None:
    session.add(ImportKey(kind=kind, key=key, row_id=row))
