"""Who a person is: deleted, or kept without what reaches them; and whom audit rows are about."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import delete
from sqlmodel import Session as DbSession
from sqlmodel import col, select

from service.audit import changes, pseudonyms
from service.models.enrollments import Enrollment
from service.models.imports import ImportKey
from service.models.patients import Link, Patient
from service.models.subjects import Restriction

CONTACT = ("phone", "email", "line", "city", "state", "postal_code", "country", "language")


def delete_records(session: DbSession, family: Collection[UUID]) -> None:
    """Delete the records of a person, of whom nothing else is left."""
    session.execute(delete(ImportKey).where(col(ImportKey.row_id).in_(family)))
    for table, name in ((Link, "known_as_id"), (Enrollment, "made_for_id")):
        for row in session.exec(select(table).where(getattr(table, name).in_(family))):
            setattr(row, name, None)
    for row in session.exec(select(Restriction).where(col(Restriction.patient_id).in_(family))):
        session.delete(row)
    session.flush()
    left = {each.id: each for each in _records(session, family)}
    while left:  # who was merged goes before the record that took their place
        into = {each.merged_into_id for each in left.values()}
        for each in [each for each in left.values() if each.id not in into]:
            session.delete(left.pop(each.id))
        session.flush()


def forget_contact(session: DbSession, family: Collection[UUID]) -> int:
    """Take out how to reach a person; return of how many records something was taken."""
    return sum(map(_forget_contact, _records(session, family)))


def _records(session: DbSession, family: Collection[UUID]) -> Collection[Patient]:
    return session.exec(select(Patient).where(col(Patient.id).in_(family))).all()


def _forget_contact(person: Patient) -> int:
    before = [getattr(person, name) for name in CONTACT]
    for name in CONTACT:
        setattr(person, name, None)
    person.extensions = []
    return int(any(before))


def unname(session: DbSession, family: Collection[UUID]) -> None:
    """Let nothing tell any more which audit rows are about a person who is deleted."""
    for each in family:
        pseudonyms.forget(session, each)
    changes.unname(session, family)
