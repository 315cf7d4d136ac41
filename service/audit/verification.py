"""Checks the chains of audit rows and the chain of their seals, from the first row to the last."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, func, select

from service.audit.chain import BEGINNING, Head, hash_of
from service.audit.cuts import Cuts
from service.audit.entries import FIRST_FIELDS, AuditEntry
from service.audit.seals import seal_of
from service.engine import create_engine
from service.models.audit import audit_entries, audit_seals

SAID_AT_MOST = 20
SEALED_WITHIN = 600 * 1_000_000  # microseconds: seals are made each minute
BATCH = 2000
FIRST = AuditEntry._fields[:FIRST_FIELDS]
LATER = AuditEntry._fields[FIRST_FIELDS:]


@dataclass
class Verified:
    """What was looked at, and what is wrong with it, in sentences."""

    rows: int = 0
    writers: int = 0
    seals: int = 0
    unchained: int = 0  # rows from before there were chains
    unsealed: int = 0  # rows of processes that run, or that were killed before they sealed them
    cuts: int = 0  # runs of rows that retention deleted, and said so
    problems: list[str] = field(default_factory=list)

    def wrong(self, sentence: str) -> None:
        if len(self.problems) < SAID_AT_MOST:
            self.problems.append(sentence)


def verify(url: str, *, seen: Callable[[int], None] = lambda _count: None) -> Verified:
    """Check every row and seal; `seen` is told how many rows have been looked at."""
    engine = create_engine(url)
    found, cuts = Verified(), Cuts()
    try:
        with engine.connect() as connection:
            heads = _seals(connection, found, cuts)
            _rows(connection, (heads, cuts), found, seen)
    finally:
        engine.dispose()
    found.cuts = len(cuts)
    for head, number in heads.items():
        if not cuts.covers(head):
            missing = f"row {head.seq} of writer {head.writer}, which seal {number} names,"
            found.wrong(f"{missing} is gone or changed")
    return found


def count(url: str) -> int:
    """Return how many rows there are to look at."""
    engine = create_engine(url)
    with engine.connect() as connection:
        number = connection.execute(select(func.count()).select_from(audit_entries)).scalar_one()
    engine.dispose()
    return number


def _seals(connection: Connection, found: Verified, cuts: Cuts) -> dict[Head, int]:
    """Check the seals; return the head that each names, with the seal's number.

    What they say is gone goes to `cuts`.
    """
    heads: dict[Head, int] = {}
    before, expected = BEGINNING, 1
    statement = select(audit_seals).order_by(audit_seals.c.number)
    for row in connection.execution_options(yield_per=BATCH).execute(statement):
        head = Head(row.writer, row.seq, bytes(row.hash))
        if row.number != expected:
            found.wrong(f"seal {expected} is missing")
        elif seal_of(row.number, row.at, head, before) != bytes(row.seal):
            found.wrong(f"seal {row.number} was changed, or the one before it")
        if not cuts.add(head):
            heads[head] = row.number
        before, expected = bytes(row.seal), row.number + 1
        found.seals += 1
    return heads


def _rows(
    connection: Connection,
    sealed: tuple[dict[Head, int], Cuts],
    found: Verified,
    seen: Callable[[int], None],
) -> None:
    chained = select(func.min(audit_entries.c.at)).where(audit_entries.c.writer.is_not(None))
    oldest = connection.execute(chained).scalar()
    for writer, rows in groupby(_in_order(connection), lambda row: row.writer):
        if writer is None:
            _unchained(rows, oldest, found)
        else:
            found.writers += 1
            _chain(writer, _counted(rows, found, seen), sealed, found)


def _unchained(rows: Iterable[Row[Any]], oldest: int | None, found: Verified) -> None:
    for row in rows:
        found.unchained += 1
        if oldest is not None and row.at >= oldest:
            found.wrong(f"the row of request {row.request_id} is later than chains, and in none")


def _counted(
    rows: Iterable[Row[Any]], found: Verified, seen: Callable[[int], None]
) -> Iterator[Row[Any]]:
    for row in rows:
        yield row
        found.rows += 1
        if found.rows % BATCH == 0:
            seen(found.rows)


def _chain(
    writer: str, rows: Iterable[Row[Any]], sealed: tuple[dict[Head, int], Cuts], found: Verified
) -> None:
    """Check one writer's rows; what no seal names yet cannot be of longer than `SEALED_WITHIN`."""
    heads, cuts = sealed
    last, unsealed = Head(writer, 0, BEGINNING), list[int]()
    for row in rows:
        last = _checked(row, cuts.after(last), found)
        unsealed.append(row.at)
        if heads.pop(last, None) is not None:
            unsealed.clear()
    found.unsealed += len(unsealed)
    if unsealed and max(unsealed) - min(unsealed) > SEALED_WITHIN:
        found.wrong(f"writer {writer} wrote {len(unsealed)} rows that no seal names")


def _in_order(connection: Connection) -> Iterator[Row[Any]]:
    columns = audit_entries.c
    statement = select(audit_entries).order_by(columns.writer, columns.seq)
    yield from connection.execution_options(yield_per=BATCH).execute(statement)


def _checked(row: Row[Any], last: Head, found: Verified) -> Head:
    """Check a row against the one before it; return its head."""
    kept = bytes(row.hash or b"")
    if row.seq != last.seq + 1:
        found.wrong(f"{_between(last, row)} of writer {row.writer} is missing")
    elif kept not in _hashes(row, last.hash):
        found.wrong(f"row {row.seq} of writer {row.writer} (request {row.request_id}) was changed")
    return Head(row.writer, row.seq, kept)


def _hashes(row: Row[Any], before: bytes) -> Iterator[bytes]:
    """Yield what the hash of a row may be: one from before there was more to say had less."""
    first = [getattr(row, name) for name in FIRST]
    later = [getattr(row, name) for name in LATER]
    yield hash_of((*first, *later, row.writer, row.seq), before)
    if all(each is None for each in later):
        yield hash_of((*first, row.writer, row.seq), before)


def _between(last: Head, row: Row[Any]) -> str:
    first, end = last.seq + 1, row.seq - 1
    return f"row {first}" if first >= end else f"rows {first} to {end}: each"
