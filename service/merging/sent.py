"""The Patients that hospitals sent: there is one for each record and hospital."""

from collections.abc import Collection
from uuid import UUID

from sqlmodel import Session as DbSession
from sqlmodel import select

from service.merging.following import remember, remembered
from service.models.merges import Merge, Moving
from service.models.patients import SentPatient


def move_sent(session: DbSession, merge: Merge, linked: Collection[UUID]) -> None:
    """Let each hospital go on reading what it sent of the record that it is `linked` to."""
    ours = _by_connection(session, merge.target_id)
    for connection, row in _by_connection(session, merge.source_id).items():
        other = ours.get(connection)
        if other is None:
            row.patient_id = merge.target_id
            remember(session, merge, row)
        elif connection in linked:
            exchange(row, other)
            remember(session, merge, row, Moving.EXCHANGED)


def put_sent_back(session: DbSession, merge: Merge, returning: Collection[UUID]) -> None:
    """Give the source what the hospitals that know the person by it have sent, now or before."""
    moved = remembered(session, merge, Moving.MOVED)[SentPatient.__tablename__]
    swapped = remembered(session, merge, Moving.EXCHANGED)[SentPatient.__tablename__]
    theirs = _by_connection(session, merge.source_id)
    for connection, row in _by_connection(session, merge.target_id).items():
        other = theirs.get(connection)
        if other is None and (row.id in moved or connection in returning):
            row.patient_id = merge.source_id
        elif other is not None and (other.id in swapped or connection in returning):
            exchange(row, other)


def exchange(one: SentPatient, other: SentPatient) -> None:
    """Exchange what two rows hold, whose places are taken."""
    one.received, other.received = other.received, one.received


def _by_connection(session: DbSession, patient_id: UUID) -> dict[UUID, SentPatient]:
    found = session.exec(select(SentPatient).where(SentPatient.patient_id == patient_id))
    return {row.connection_id: row for row in found}
