"""Patients in audit rows: a pseudonym each, and a key whose end makes the rows nobody's (ADR 0037).

A key comes to be with the first row about its patient, and stays in a process's memory a while.
"""

import base64
import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, col, select

from service.acting import acting
from service.database import Database
from service.errors import BusyError
from service.models.aggregates import Aggregate
from service.models.audit import AuditKey
from service.models.patients import Patient

KEY_BYTES = 32
REMEMBERED_SECONDS = 300.0
MOST = 100_000  # that a process remembers
KEYS = Aggregate("audit", "keys")


class Known(NamedTuple):
    """What a patient is in audit rows, and what encrypts the addresses that may name them."""

    pseudonym: str
    key: bytes


def pseudonym_of(key: bytes) -> str:
    """Return what stands in audit rows: nobody without the key can compute it."""
    return "p" + hmac.digest(key, b"audit pseudonym", hashlib.sha256).hex()[:31]


def forget(session: Session, patient_id: UUID) -> bool:
    """Destroy a patient's key, within a unit of work: no row tells any more that it is theirs.

    Chains stay as they are. Return whether there was a key. Copies of the database from before
    still have it until they are deleted, and a process remembers it for five minutes at most.
    Under the lock KEYS, of a patient who is there no more not even the id is left.
    """
    row = session.get(AuditKey, patient_id)
    if session.get(Patient, patient_id) is None:  # and so none comes to be
        if row is not None:
            session.delete(row)
        return row is not None and row.key is not None
    if row is None:
        session.add(AuditKey(patient_id=patient_id))  # so that none comes to be
        return False
    had, row.key, row.pseudonym = row.key is not None, None, None
    session.add(row)
    return had


class Pseudonyms:
    """The keys that a process remembers, of those that the database has."""

    def __init__(self, database: Database, seconds: float = REMEMBERED_SECONDS) -> None:
        self._database = database
        self._seconds = seconds
        self._known: dict[str, tuple[Known, float]] = {}
        self._lock = threading.Lock()

    def known(self, patients: Iterable[str]) -> dict[str, Known] | None:
        """Return what is remembered of these ids; None where it is not all of them."""
        now, found = time.monotonic(), {}
        for each in patients:
            entry = self._known.get(each)
            if entry is None or entry[1] < now:
                return None
            found[each] = entry[0]
        return found

    def learn(self, patients: Collection[str]) -> dict[str, Known]:
        """Return what the database has of these, once it has a key for each that is a patient.

        Raises:
            BusyError: the database could not be asked.
        """
        try:
            return self._remember(self._found(patients))
        except SQLAlchemyError as error:
            raise BusyError("the patients' audit keys cannot be read") from error

    def _found(self, patients: Collection[str]) -> dict[UUID, Known | None]:
        keys = [UUID(each) for each in patients]
        found = self._database.read(lambda session: stored(session, keys))
        missing = [key for key in keys if key not in found]
        if missing and self._database.read(lambda session: _patients(session, missing)):
            with acting(None):  # a read that brings a key about is no change
                found |= self._database.unit_of_work(
                    lambda session: _created(session, missing), KEYS
                )
        return found

    def forget(self, patient_id: UUID) -> None:
        """Let go of a key that was destroyed."""
        self._known.pop(patient_id.hex, None)

    def _remember(self, found: Mapping[UUID, Known | None]) -> dict[str, Known]:
        until = time.monotonic() + self._seconds
        kept = {key.hex: known for key, known in found.items() if known is not None}
        with self._lock:
            if len(self._known) + len(kept) > MOST:
                self._known.clear()
            self._known |= {key: (known, until) for key, known in kept.items()}
        return kept


def stored(session: Session, patients: Collection[UUID]) -> dict[UUID, Known | None]:
    """Return the keys of these patients; None for one that was destroyed."""
    rows = session.exec(select(AuditKey).where(col(AuditKey.patient_id).in_(patients)))
    return {row.patient_id: _known(row) for row in rows}


def _known(row: AuditKey) -> Known | None:
    if row.key is None or row.pseudonym is None:
        return None
    return Known(row.pseudonym, base64.b64decode(row.key))


def of_pseudonyms(session: Session, pseudonyms: Collection[str]) -> dict[str, tuple[UUID, Known]]:
    """Return whose these pseudonyms are; those that were forgotten are left out."""
    rows = session.exec(select(AuditKey).where(col(AuditKey.pseudonym).in_(pseudonyms)))
    found = ((row.patient_id, _known(row)) for row in rows)
    return {known.pseudonym: (patient, known) for patient, known in found if known is not None}


def _patients(session: Session, ids: Collection[UUID]) -> list[UUID]:
    return list(session.exec(select(Patient.id).where(col(Patient.id).in_(ids))).all())


def _created(session: Session, ids: Collection[UUID]) -> dict[UUID, Known | None]:
    """Give those that are patients a key; another process may have done so meanwhile."""
    present = set(stored(session, ids))
    for patient_id in _patients(session, ids):
        if patient_id not in present:
            key = secrets.token_bytes(KEY_BYTES)
            encoded = base64.b64encode(key).decode()
            session.add(AuditKey(patient_id=patient_id, pseudonym=pseudonym_of(key), key=encoded))
    session.flush()
    return stored(session, ids)
