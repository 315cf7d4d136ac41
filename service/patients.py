"""Patients of the programme."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Session, select

from service.commands import CreatePatient, ReceivePatient, UpdatePatient, changes
from service.errors import InvalidError, MergedError
from service.models.connections import Connection
from service.models.patients import Link, LinkMethod, Patient, SentPatient
from service.rows import apply, check_version, get, require_text


def current(session: Session, patient_id: UUID, element: str | None = None) -> Patient:
    """Return the patient, who is not merged into another.

    Raises:
        NotFoundError: there is none; InvalidError where the id stood in `element`.
        MergedError: the record is retired; it names the one that took its place.
    """
    row = get(session, Patient, patient_id, element)
    if row.merged_into_id is not None:
        raise merged(survivor(session, row).id, element)
    return row


def survivor(session: Session, row: Patient) -> Patient:
    """Return the record that all merges of this one lead to; itself where there was none."""
    while row.merged_into_id is not None:
        row = get(session, Patient, row.merged_into_id)
    return row


def merged(into: UUID, element: str | None = None) -> MergedError:
    return MergedError(f"the patient was merged into {into}; use that one", element=element)


def create_patient(session: Session, command: CreatePatient, now: datetime) -> Patient:
    """Add a person."""
    row = Patient(**{**vars(command), "extensions": list(command.extensions)})
    _check(row, now)
    session.add(row)
    return row


def update_patient(session: Session, command: UpdatePatient, now: datetime) -> Patient:
    """Correct what is known of a person."""
    row = current(session, command.patient_id)
    check_version(row, command.if_match)
    given = changes(command)
    apply(row, {k: v for k, v in given.items() if k not in {"patient_id", "if_match"}})
    _check(row, now)
    return row


def receive_patient(session: Session, command: ReceivePatient, now: datetime) -> Patient:
    """Add the person whom a hospital sent, linked to that hospital's record."""
    ours = set(Patient.model_fields) & set(vars(command))
    row = Patient(id=command.patient_id, **{name: getattr(command, name) for name in ours})
    session.add(row)
    session.add(_own_link(session, command, now))
    session.add(_as_sent(command))
    return row


def _own_link(session: Session, command: ReceivePatient, now: datetime) -> Link:
    connection = get(session, Connection, command.connection_id, "connection_id")
    numbers = [value for system, value in command.identifiers if system == connection.mrn_system]
    return Link(
        patient_id=command.patient_id,
        connection_id=command.connection_id,
        ehr_patient_id="",
        mrn=next(iter(numbers), ""),
        mrn_system=connection.mrn_system,
        method=LinkMethod.SENT,
        confirmed_by=command.sent_by,
        confirmed_at=now,
    )


def replace_sent(session: Session, command: ReceivePatient) -> None:
    """Keep what a hospital now says of its patient; the programme's own record stays as it is."""
    where = (
        SentPatient.patient_id == command.patient_id,
        SentPatient.connection_id == command.connection_id,
    )
    row = session.exec(select(SentPatient).where(*where)).first()
    if row is None:
        session.add(_as_sent(command))
    else:
        row.received = command.received


def _as_sent(command: ReceivePatient) -> SentPatient:
    return SentPatient(
        patient_id=command.patient_id,
        connection_id=command.connection_id,
        received=command.received,
    )


def _check(row: Patient, now: datetime) -> None:
    require_text(row.family, "family")
    require_text(row.given, "given")
    if row.birth_date and row.birth_date > now.date():
        raise InvalidError("must not lie in the future", element="birth_date")
