"""Links: our patient is this patient of that hospital."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from service.commands import LinkPatient, UndoLink
from service.errors import BusinessRuleError, DuplicateError
from service.models.connections import Connection
from service.models.patients import Link
from service.patients import current
from service.rows import check_version, get, require_text


def link_patient(session: Session, command: LinkPatient, now: datetime) -> Link:
    """Tie a patient to a hospital's record, confirmed by a named person or system.

    Raises:
        DuplicateError: either side of the link is tied already.
    """
    current(session, command.patient_id)
    connection = get(session, Connection, command.connection_id, "connection_id")
    for name in ("ehr_patient_id", "mrn", "confirmed_by"):
        require_text(getattr(command, name), name)
    _refuse_second(session, command)
    row = Link(
        **{**vars(command), "mrn_system": command.mrn_system or connection.mrn_system},
        confirmed_at=now,
        known_as_id=_known_as(session, command),
    )
    session.add(row)
    return row


def _known_as(session: Session, command: LinkPatient) -> UUID | None:
    """Return as whom this hospital knew the person last: its Patient has the same id again."""
    earlier = select(Link.known_as_id).where(
        Link.patient_id == command.patient_id, Link.connection_id == command.connection_id
    )
    return session.exec(
        earlier.order_by(col(Link.confirmed_at).desc(), col(Link.id).desc())
    ).first()


def _refuse_second(session: Session, command: LinkPatient) -> None:
    live = (Link.connection_id == command.connection_id, col(Link.undone_at).is_(None))
    # One by one, each by its own index: with OR SQLite walks all links of the hospital.
    mine = select(Link.id).where(Link.patient_id == command.patient_id, *live)
    if session.exec(mine).first():
        raise DuplicateError("the patient is linked to this hospital already")
    for same in (Link.mrn == command.mrn, Link.ehr_patient_id == command.ehr_patient_id):
        if session.exec(select(Link.id).where(same, *live)).first():
            raise DuplicateError("this record of the hospital is linked to another patient")


def undo_link(session: Session, command: UndoLink, now: datetime) -> Link:
    """Undo a link: the hospital reads nothing of the person from the next request on."""
    row = get(session, Link, command.link_id)
    check_version(row, command.if_match)
    require_text(command.reason, "reason")
    if row.undone_at is not None:
        raise BusinessRuleError("the link is undone already")
    row.undone_at, row.undone_by, row.undone_reason = now, command.undone_by, command.reason
    return row
