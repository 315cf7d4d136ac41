"""The months of the audit rows: what lies in which, and on PostgreSQL a partition for each.

A request's id begins with the milliseconds of its time, so a month is a range of ids.
https://www.postgresql.org/docs/current/ddl-partitioning.html
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import Connection, text

from service.clock import microseconds

AHEAD = 3  # months that have their partition before they begin
OTHERS = "audit_entries_others"  # what belongs to no month that there is
MONTHS = (
    "SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits i"
    " JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'audit_entries'::regclass"
    " ORDER BY c.relname"
)
LOCK = 7_206_113_553  # so that two processes that look ahead together take turns


class Month(NamedTuple):
    """A month of the calendar, in UTC."""

    year: int
    number: int

    @classmethod
    def of(cls, moment: datetime) -> "Month":
        there = moment.astimezone(UTC)
        return cls(there.year, there.month)

    def plus(self, months: int) -> "Month":
        years, number = divmod(self.year * 12 + self.number - 1 + months, 12)
        return Month(years, number + 1)

    @property
    def begins(self) -> datetime:
        return datetime(self.year, self.number, 1, tzinfo=UTC)

    @property
    def first_id(self) -> str:
        """Return what no request id of the month comes before."""
        return id_at(self.begins)

    @property
    def table(self) -> str:
        return f"audit_entries_{self.year:04d}_{self.number:02d}"

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.number:02d}"


def id_at(moment: datetime) -> str:
    """Return the least request id of this moment."""
    return id_of(microseconds(moment))


def id_of(at: int) -> str:
    """Return the least request id of this many microseconds since 1970."""
    return f"{max(at, 0) // 1000:012x}" + "0" * 20


def ahead(now: datetime) -> list[Month]:
    """Return the months that should have their partitions: this one and those that follow."""
    return [Month.of(now).plus(number) for number in range(AHEAD + 1)]


def partitions(connection: Connection) -> dict[str, str]:
    """Return each partition with its bounds, as PostgreSQL says them."""
    return {row[0]: row[1] for row in connection.execute(text(MONTHS))}


def missing(connection: Connection, now: datetime) -> list[Month]:
    """Return the months that have no partition and should."""
    known = partitions(connection)
    until = _covered(known.values())
    return [each for each in ahead(now) if each.table not in known and each.first_id >= until]


def ensure(connection: Connection, now: datetime) -> list[Month]:
    """Create what is missing, with the rows that already came; return the months."""
    wanted = missing(connection, now)
    if not wanted:
        return []
    connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
    wanted = missing(connection, now)
    if OTHERS not in partitions(connection):
        connection.execute(text(f"CREATE TABLE {OTHERS} PARTITION OF audit_entries DEFAULT"))
    for month in wanted:
        for statement in _statements(month):
            connection.execute(text(statement))
    return wanted


def _statements(month: Month) -> Iterator[str]:
    """Yield what makes one partition; rows that came before it move into it."""
    low, high = month.first_id, month.plus(1).first_id
    there = f"request_id >= '{low}' AND request_id < '{high}'"
    yield f"LOCK TABLE {OTHERS} IN ACCESS EXCLUSIVE MODE"
    yield f"CREATE TABLE {month.table} (LIKE audit_entries INCLUDING ALL)"
    yield f"INSERT INTO {month.table} SELECT * FROM {OTHERS} WHERE {there}"  # noqa: S608 - ours
    yield f"DELETE FROM {OTHERS} WHERE {there}"  # noqa: S608 - ours
    yield (
        f"ALTER TABLE audit_entries ATTACH PARTITION {month.table}"
        f" FOR VALUES FROM ('{low}') TO ('{high}')"
    )


def _covered(bounds: Iterable[str]) -> str:
    """Return up to where the partition reaches that holds what is from before there were months."""
    for each in bounds:
        if each.startswith("FOR VALUES FROM (MINVALUE) TO ("):
            return each.rpartition("TO ('")[2].rstrip("')")
    return ""
