"""What rows leave behind: documents that are deleted, their history, and bytes in the files."""

import sqlite3
from collections.abc import Collection, Iterable
from contextlib import closing
from uuid import UUID

import psycopg
from sqlalchemy import Text, cast, delete
from sqlmodel import Session as DbSession
from sqlmodel import col

from service.driver import execute, fetched, marks
from service.engine import conninfo, sqlite_file
from service.fhir.documents import Writer, stored_by_id
from service.models.documents import PROGRAMME
from service.models.outbox import OutboxMessage
from service.subjects.documents import Held, held
from service.subjects.planning import is_sent

AT_ONCE = 200
HISTORY = "DELETE FROM document_versions WHERE id = ?"
# A tombstone says that something was there, to whoever follows events, and no more.
NAMELESS = (
    "UPDATE documents SET source = 'erased:' || id, patient_key = NULL, subject = NULL,"
    " content = ?, sensitivity = '', date_low = NULL, date_high = NULL WHERE id = ?"
)
CHOSEN = "DELETE FROM documents WHERE id = ?"  # an id that a client chose may say who it is
HAS_HISTORY = "SELECT 1 FROM document_versions WHERE id = ? LIMIT 1"
ROSTERS = "SELECT id FROM documents WHERE audience > 0 AND type = 'Group' AND source IN ({marks})"
DUE = "DELETE FROM projection_due WHERE key IN ({marks})"


def clear(session: DbSession, family: Collection[UUID], stamp: int, *, sent: bool) -> int:
    """Destroy what is left of the person's documents, some at a time; return how many.

    Those of rows that are kept stay, as the programme has them; `sent` tells that what clients
    sent goes too.
    """
    found = [each for each in held(session, family) if _goes(session, each, sent=sent)][:AT_ONCE]
    _remove(session, [each for each in found if not each.deleted and is_sent(each)], stamp)
    for each in found:
        execute(session, HISTORY, (each.id,))
        if each.deleted or is_sent(each):
            sql, args = (CHOSEN, ()) if each.chosen_id else (NAMELESS, (b"",))
            execute(session, sql, (*args, each.id))
    return len(found)


def _goes(session: DbSession, document: Held, *, sent: bool) -> bool:
    if is_sent(document):
        return sent
    if document.deleted:
        return True
    # What a hospital's copy said before, and how to reach the person, are kept by no rule.
    older = document.audience != PROGRAMME or document.type == "Patient"
    return older and bool(fetched(session, HAS_HISTORY, (document.id,)))


def _remove(session: DbSession, documents: Collection[Held], stamp: int) -> None:
    writer = Writer(session, stamp, {})
    for stored in stored_by_id(session, [each.id for each in documents]).values():
        writer.remove(stored)
    writer.run()


def clear_rosters(session: DbSession, groups: Iterable[str]) -> None:
    """Destroy the older versions of rosters that had the person; nobody is shown them."""
    keys = [f"roster:{each}" for each in groups]
    if not keys:
        return
    for (one,) in fetched(session, marks(ROSTERS, keys), keys):
        execute(session, HISTORY, (one,))


def forget_due(session: DbSession, people: Collection[str]) -> None:
    """Forget that the clock would have changed something of the person."""
    keys = list(people)
    if keys:
        execute(session, marks(DUE, keys), keys)


def forget_messages(session: DbSession, alert_id: UUID) -> None:
    """Delete what was still to be told of an alert, and what could not be told."""
    names = cast(col(OutboxMessage.payload), Text).contains(str(alert_id))
    session.execute(delete(OutboxMessage).where(names))


def scrub(url: str) -> None:
    """Overwrite what deleted rows have left in the database's files; others wait meanwhile.

    https://www.sqlite.org/lang_vacuum.html https://www.postgresql.org/docs/15/sql-vacuum.html
    """
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(sqlite_file(url), isolation_level=None)) as connection:
            connection.execute("PRAGMA busy_timeout = 30000")
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return
    with psycopg.connect(conninfo(url), autocommit=True) as connection:
        connection.execute("VACUUM (FULL)")
