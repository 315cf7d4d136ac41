"""Months of audit rows that are deleted when their time is over, with the cut in the seals' chain.

On PostgreSQL a month is a partition, which is dropped; on SQLite its rows are deleted (ADR 0038).
"""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, Engine, select, text

from service.audit.cuts import cuts_of
from service.audit.partitions import OTHERS, Month, partitions
from service.audit.seals import Executing, add_seals
from service.clock import microseconds
from service.engine import WRITING, is_sqlite
from service.models.audit import audit_entries

BATCH = 5000
ALONE = "LOCK TABLE audit_seals IN EXCLUSIVE MODE"


class Pruned(NamedTuple):
    """What was deleted: rows from before this month."""

    before: Month
    rows: int
    cuts: int


def first_kept(now: datetime, months: int) -> Month:
    """Return the oldest month that is kept: this one and so many whole ones before it."""
    return Month.of(now).plus(-months)


def prune(engine: Engine, before: Month, now: datetime) -> Pruned:
    """Delete the rows of every month before this one, and seal the cut, in one transaction."""
    with engine.connect().execution_options(**{WRITING: True}) as connection:
        if not is_sqlite(engine):
            connection.execute(text(ALONE))
        found = _prune(connection, before, now)
        connection.commit()
    return found


def has_older(engine: Engine, before: Month) -> bool:
    """Tell whether there is any row of a month before this one."""
    column = audit_entries.c.request_id
    with engine.connect() as connection:
        statement = select(column).where(column < before.first_id).limit(1)
        return connection.execute(statement).first() is not None


def _prune(connection: Connection, before: Month, now: datetime) -> Pruned:
    columns = audit_entries.c
    old = columns.request_id < before.first_id
    statement = select(columns.writer, columns.seq, columns.hash).where(old)
    chained = statement.where(columns.writer.is_not(None)).order_by(columns.writer, columns.seq)
    cuts = list(cuts_of(connection.execute(chained.execution_options(yield_per=BATCH))))
    driver, mark = _driver(connection)
    add_seals(driver, cuts, microseconds(now), mark=mark)
    rows = _dropped(connection, before)
    rows += connection.execute(audit_entries.delete().where(old)).rowcount
    return Pruned(before, rows, len(cuts))


def _driver(connection: Connection) -> tuple[Executing, str]:
    raw = connection.connection.driver_connection
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    return raw, mark  # type: ignore[return-value]


def _dropped(connection: Connection, before: Month) -> int:
    """Drop the partitions that lie before the month, on PostgreSQL; return how many rows went."""
    if connection.dialect.name == "sqlite":
        return 0
    rows = 0
    for name, bounds in partitions(connection).items():
        until = bounds.rpartition("TO ('")[2].rstrip("')")
        if name == OTHERS or not until or until > before.first_id:
            continue
        counted = connection.execute(text(f"SELECT count(*) FROM {name}"))  # noqa: S608 - ours
        rows += int(counted.scalar_one())
        connection.execute(text(f"DROP TABLE {name}"))
    return rows
