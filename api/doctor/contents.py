"""What the database must hold: revision, guard, key, statistics, and a clock that agrees."""

from collections.abc import Iterator
from datetime import datetime

from alembic.runtime.migration import MigrationContext
from sqlmodel import Session

from api.doctor.findings import Finding, error, ok, warning
from service import migrations
from service.clock import microseconds
from service.fhir.statements import rows_of
from service.migrations.schema import missing_triggers
from service.migrations.statistics import STATISTICS

KEY_BYTES = 32
SECOND = 1_000_000
SKEW, TOO_MUCH_SKEW = 2 * SECOND, 60 * SECOND
KEY = "SELECT identifier_key FROM installation"
TOLD = "SELECT tbl, idx, stat FROM sqlite_stat1"
ANALYZED = "SELECT count(*) FROM pg_stats WHERE tablename = 'documents'"
FILLED = "SELECT count(*) FROM (SELECT 1 FROM documents WHERE audience >= 0 LIMIT 1000) d"
MANY = 1000
NEWEST = "SELECT max(at) FROM events"
NOW = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"


def findings(session: Session, now: datetime) -> Iterator[Finding]:
    revision = MigrationContext.configure(session.connection()).get_current_revision()
    if revision != migrations.newest():
        yield error("migrations", _said_of_revision(revision))
        return
    yield ok("migrations", f"The database is at revision {revision}.")
    yield _guard(session)
    yield _key(session)
    yield _statistics(session)
    yield _clock(session, microseconds(now))


def _said_of_revision(revision: str | None) -> str:
    needed = migrations.newest()
    if revision and not migrations.is_known(revision):
        return (
            f"The database is at revision {revision}, of a newer version of the service: install it"
            f" (this one knows {needed})."
        )
    said = f"is at revision {revision}" if revision else "has no tables yet"
    return f"The database {said}; {needed} is needed: stop the service, then `alongside migrate`."


def _guard(session: Session) -> Finding:
    missing = missing_triggers(session.connection())
    if missing:
        return error(
            "guard",
            f"{len(missing)} triggers that keep others from writing our tables are missing:"
            " `alongside migrate` creates them, `alongside rebuild --all` sets documents right.",
        )
    return ok("guard", "Other programs cannot write the tables that documents are made from.")


def _key(session: Session) -> Finding:
    rows = rows_of(session, KEY, ())
    if len(rows) != 1 or len(rows[0][0]) != KEY_BYTES:
        return error("key", "The key of all FHIR ids is missing or damaged: restore a copy.")
    return ok("key", "The key that FHIR ids are made with is there.")


def _statistics(session: Session) -> Finding:
    """Tell whether the planner knows the shape of the store (ADR 0017)."""
    if session.connection().dialect.name == "sqlite":
        told = {(table, index): stat for table, index, stat in rows_of(session, TOLD, ())}
        if told == STATISTICS:
            return ok("statistics", "SQLite's planner is told the shape of the document store.")
        return warning(
            "statistics",
            "SQLite's planner is told something else than it should be, as after ANALYZE:"
            " `alongside migrate` sets it right.",
        )
    if rows_of(session, FILLED, ())[0][0] >= MANY and not rows_of(session, ANALYZED, ())[0][0]:
        return warning("statistics", "PostgreSQL has not looked at the documents yet: ANALYZE.")
    return ok("statistics", "PostgreSQL gathers its statistics by itself.")


def _clock(session: Session, now: int) -> Finding:
    """Compare with the clock of the stamps: the server's, or on SQLite the last one given."""
    if session.connection().dialect.name == "sqlite":
        newest = rows_of(session, NEWEST, ())[0][0] or 0
        skew = max(newest - now, 0)
    else:
        skew = abs(int(rows_of(session, NOW, ())[0][0]) - now)
    said = f"This machine's clock and the database's differ by {skew / SECOND:.1f} s"
    if skew >= TOO_MUCH_SKEW:
        return error("clock", f"{said}: tokens and consents begin and end at the wrong time; NTP.")
    if skew >= SKEW:
        return warning("clock", f"{said}: keep them by NTP.")
    return ok("clock", f"{said}.")
