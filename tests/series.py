"""Series for tests, made through the domain's own commands at a time that the test sets."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlmodel import Session as DbSession
from sqlmodel import col, select, text

from service.commands import CreateSeries, PlanSeries, UpdateSeries
from service.database import Database
from service.handlers import execute
from service.models.groups import Session, SupportGroup
from service.models.series import Series
from service.planning import Planned


def wall(shown: str) -> datetime:
    """What clocks show somewhere."""
    return datetime.fromisoformat(shown)


TUESDAY = wall("2026-02-03T18:00")
NEW_YORK = "America/New_York"


@dataclass
class Time:
    """A clock that stands still until it is set."""

    now: datetime = datetime(2026, 2, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **much: float) -> None:
        self.now += timedelta(**much)


def series(database: Database, group: SupportGroup, **more: Any) -> Series:
    values = {
        "rrule": "FREQ=WEEKLY;BYDAY=TU",
        "start": TUESDAY,
        "time_zone": NEW_YORK,
        "minutes": 90,
        **more,
    }
    row: Series = execute(database, CreateSeries(group_id=group.id, **values))
    return row


def sessions(database: Database, row: Series) -> list[Session]:
    """The sessions of a series, as they are stored now."""
    found = select(Session).where(Session.series_id == row.id)
    ordered = found.order_by(col(Session.start), col(Session.id))
    return database.read(lambda session: list(session.exec(ordered)))


def occurrences(database: Database, row: Series) -> list[tuple[str, str]]:
    """When the series has each of its sessions, and their states."""
    rows = sessions(database, row)
    return [(f"{s.occurrence:%m-%d %H:%M}", s.status.value) for s in rows]


def versions(database: Database, row: Series) -> list[tuple[UUID, int]]:
    return [(each.id, each.row_version) for each in sessions(database, row)]


def plan(database: Database, row: Series, weeks: int = 12) -> Planned:
    done: Planned = execute(database, PlanSeries(series_id=row.id, weeks=weeks))
    return done


def change(database: Database, row: Series, **more: Any) -> Series:
    changed: Series = execute(database, UpdateSeries(series_id=row.id, **{"weeks": 6, **more}))
    return changed


def documents(database: Database, session_id: UUID) -> dict[tuple[str, str], int]:
    """Type and FHIR id of each document of a session, with its version."""
    sql = text("SELECT type, id, version FROM documents WHERE source LIKE :source")

    def work(session: DbSession) -> dict[tuple[str, str], int]:
        rows = session.execute(sql, {"source": f"visit:{session_id.hex}:%"})
        return {(kind, key): version for kind, key, version in rows}

    return database.read(work)
