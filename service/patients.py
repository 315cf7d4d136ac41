"""Patients of the programme."""

from datetime import datetime

from sqlmodel import Session

from service.commands import CreatePatient, UpdatePatient, changes
from service.errors import InvalidError
from service.models.patients import Patient
from service.rows import apply, check_version, get, require_text


def create_patient(session: Session, command: CreatePatient, now: datetime) -> Patient:
    """Add a person."""
    row = Patient(**{**vars(command), "extensions": list(command.extensions)})
    _check(row, now)
    session.add(row)
    return row


def update_patient(session: Session, command: UpdatePatient, now: datetime) -> Patient:
    """Correct what is known of a person."""
    row = get(session, Patient, command.patient_id)
    check_version(row, command.if_match)
    given = changes(command)
    apply(row, {k: v for k, v in given.items() if k not in {"patient_id", "if_match"}})
    _check(row, now)
    return row


def _check(row: Patient, now: datetime) -> None:
    require_text(row.family, "family")
    require_text(row.given, "given")
    if row.birth_date and row.birth_date > now.date():
        raise InvalidError("must not lie in the future", element="birth_date")
