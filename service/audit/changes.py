"""Changes that were committed, brought together with the audit rows of their requests (ADR 0037).

A process that was killed between the two leaves a change without a row: it gets one here, which
says that nobody got the answer. What has its row is forgotten here.
"""

from collections.abc import Collection, Iterable, Sequence
from uuid import UUID

import orjson
from sqlalchemy import Engine, and_, or_, select
from sqlmodel import Session, col, delete
from sqlmodel import select as select_rows

from service.audit.entries import RECOVERED, UNSENT, AuditEntry, AuditWriter
from service.audit.partitions import id_of
from service.audit.pseudonyms import Pseudonyms
from service.database import Database
from service.identifiers import new_id
from service.models.audit import AuditChange, audit_entries

GRACE = 120 * 1_000_000  # microseconds: no request takes as long from its change to its answer
LONG = 24 * 3600 * 1_000_000  # but a command may
COMMAND = "CLI"
AT_ONCE = 500


def complete(
    database: Database,
    engine: Engine,
    writer: AuditWriter,
    pseudonyms: Pseudonyms,
    *,
    before: int,
) -> int:
    """Give each change that was committed before this moment its row; return how many had none.

    Raises:
        BusyError: a row cannot be written, or the changes cannot be let go of; nothing is lost.
    """
    written = 0
    while changes := database.read(lambda session: _older(session, before)):
        for each in _without_row(engine, changes):
            writer.write_now(_entry(each, pseudonyms))
            written += 1
        done = [each.request_id for each in changes]
        database.unit_of_work(lambda session, done=done: _forget(session, done))  # type: ignore[misc]
    return written


def waiting(session: Session, before: int) -> bool:
    """Tell whether there is any change from before this moment."""
    return bool(_older(session, before, 1))


def _older(session: Session, before: int, most: int = AT_ONCE) -> Sequence[AuditChange]:
    is_over = and_(col(AuditChange.at) <= before, col(AuditChange.method) != COMMAND)
    statement = select_rows(AuditChange).where(or_(is_over, col(AuditChange.at) <= before - LONG))
    return session.exec(statement.order_by(col(AuditChange.at)).limit(most)).all()


def _without_row(engine: Engine, changes: Sequence[AuditChange]) -> Iterable[AuditChange]:
    ids, columns = [each.request_id for each in changes], audit_entries.c
    own = select(columns.request_id).where(columns.request_id.in_(ids))
    later = select(columns.caller_id).where(
        columns.caller_id.in_(ids),
        columns.request_id >= id_of(changes[0].at - LONG),
        or_(columns.kind == RECOVERED, columns.method == COMMAND),
    )
    with engine.connect() as connection:
        known = {*connection.execute(own).scalars(), *connection.execute(later).scalars()}
    return [each for each in changes if each.request_id not in known]


def _entry(change: AuditChange, pseudonyms: Pseudonyms) -> AuditEntry:
    patients = orjson.loads(change.patients) if change.patients else []
    known = pseudonyms.learn(patients) if patients else {}
    names = sorted(each.pseudonym for each in known.values())
    return AuditEntry(
        request_id=new_id().hex,  # the request may yet end, and write its own
        at=change.at,
        client=change.client,
        audience=change.audience,
        address=change.address,
        method=change.method,
        path=change.path,
        query=None,
        status=UNSENT,
        patients=orjson.dumps(names).decode() if names else None,
        caller_id=change.request_id,
        person=change.person,
        purpose=change.purpose,
        kind=RECOVERED,
    )


def unname(session: Session, patients: Collection[UUID]) -> None:
    """Take these people's ids out of the changes whose rows were not seen yet."""
    gone = {each.hex for each in patients}
    for each in sorted(gone):
        where = col(AuditChange.patients).contains(each)
        for row in session.exec(select_rows(AuditChange).where(where)).all():
            left = [one for one in orjson.loads(row.patients or "[]") if one not in gone]
            row.patients = orjson.dumps(left).decode() if left else None


def _forget(session: Session, done: Collection[str]) -> None:
    session.execute(delete(AuditChange).where(col(AuditChange.request_id).in_(done)))
