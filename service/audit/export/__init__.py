"""Audit rows and seals, told to a collector elsewhere: syslog or OpenTelemetry (ADR 0038).

Whoever can write to the database can work out chains anew; a copy of the seals elsewhere shows it.
Rows go as they are kept: people by pseudonym, addresses without what identifies. What was told is
noted after it was sent, so after a kill some of it is told twice, and nothing is left out.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol
from urllib.parse import urlsplit

from sqlalchemy import Engine, select
from sqlmodel import Session

from service import upkeep
from service.audit.entries import AuditEntry
from service.audit.export.otlp import Otlp
from service.audit.export.records import Record, record_of, record_of_seal
from service.audit.export.syslog import Syslog
from service.audit.partitions import id_of
from service.database import Database
from service.models.audit import audit_entries, audit_seals

BATCH = 500
LATE = 300 * 1_000_000  # microseconds in which a request that began may yet write its row
CURSOR = "audit-export"


class Collector(Protocol):
    """What takes records; raises OSError where it does not."""

    def send(self, records: Sequence[Record]) -> None:
        """Return when they are sent."""

    def close(self) -> None:
        """Let go of the connection."""


class Cursor(NamedTuple):
    """Up to where rows and seals were told."""

    row: str = ""
    seal: int = 0


def collector(address: str) -> Collector:
    """Return what sends to this address.

    Raises:
        ValueError: it is none that is known.
    """
    scheme = urlsplit(address).scheme
    if scheme in {"syslog", "syslog+tcp", "syslog+tls", "syslog+unix"}:
        return Syslog(address)
    if scheme in {"http", "https"}:
        return Otlp(address)
    raise ValueError("must begin with syslog, syslog+tcp, syslog+tls, syslog+unix, http or https")


def export(database: Database, engine: Engine, to: Collector, *, now: int) -> int:
    """Tell what was not told before this moment; return how many records were sent.

    Raises:
        OSError: the collector does not take them; the next time goes on from there.
    """
    sent = 0
    while True:
        cursor = database.read(read_cursor)
        records, following = _next(engine, cursor, id_of(now - LATE))
        if not records:
            return sent
        to.send(records)
        sent += len(records)
        database.unit_of_work(lambda session, at=following: _note(session, at, now))  # type: ignore[misc]


def read_cursor(session: Session) -> Cursor:
    """Return up to where it was told."""
    found = upkeep.under_way(session, CURSOR)
    if found is None:
        return Cursor()
    row, _, seal = found[0].partition("|")
    return Cursor(row, int(seal))


def _note(session: Session, cursor: Cursor, now: int) -> None:
    upkeep.note(session, CURSOR, f"{cursor.row}|{cursor.seal}", now)


def _next(engine: Engine, cursor: Cursor, until: str) -> tuple[list[Record], Cursor]:
    columns, seals = audit_entries.c, audit_seals.c
    rows = (
        select(*(columns[name] for name in AuditEntry._fields), columns.writer, columns.seq)
        .add_columns(columns.hash)
        .where(columns.request_id > cursor.row, columns.request_id < until)
        .order_by(columns.request_id)
        .limit(BATCH)
    )
    sealed = select(audit_seals).where(seals.number > cursor.seal).order_by(seals.number)
    with engine.connect() as connection:
        found = connection.execute(rows).all()
        heads = connection.execute(sealed.limit(BATCH)).all()
    records = [record_of(row) for row in found] + [record_of_seal(row) for row in heads]
    return records, Cursor(
        found[-1].request_id if found else cursor.row, heads[-1].number if heads else cursor.seal
    )
