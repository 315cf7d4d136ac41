"""How rows of a file name people and groups, and how those are found.

A person is named by a hospital's record number, or by the id that `/v1` gave; a group by the key it
was imported under, or by its id.
"""

from uuid import UUID

from sqlmodel import Session

from service.driver import as_uuid, fetched
from service.errors import InvalidError, RequiredError
from service.imports.cells import row_id
from service.imports.tables import Column, Values
from service.models.groups import SupportGroup
from service.models.imports import ImportKey

GROUP = "group"
BY_NUMBER = (
    "SELECT c.id, l.patient_id FROM connections c LEFT JOIN links l ON l.mrn = ?"
    " AND l.connection_id = c.id AND l.undone_at IS NULL WHERE c.name = ?"
)
BY_KEY = "SELECT row_id FROM import_keys WHERE kind = ? AND key = ?"
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
        rule = "name the person by connection and mrn, or by patient_id"
        raise RequiredError(rule, element="connection" if number else "mrn")
    return _by_number(session, hospital, number)


def _by_number(session: Session, hospital: str, number: str) -> UUID:
    rows = fetched(session, BY_NUMBER, (number, hospital))
    if not rows:
        raise InvalidError("there is no connection of this name", element="connection")
    if rows[0][1] is None:
        raise InvalidError("nobody is linked by this record number", element="mrn")
    return as_uuid(rows[0][1])


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
    rows = fetched(session, BY_KEY, (kind, key))
    return as_uuid(rows[0][0]) if rows else None


def remember(session: Session, kind: str, key: str, row: UUID) -> None:
    session.add(ImportKey(kind=kind, key=key, row_id=row))
    session.flush()
