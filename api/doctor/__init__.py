"""`alongside doctor`: whether an installation is well, in plain sentences; it changes nothing."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from api import bootstrap
from api.doctor import (
    alerts,
    audit,
    contents,
    machine,
    oversight,
    public,
    queues,
    reach,
    secrets,
    subjects,
    volumes,
)
from api.doctor.findings import Finding, Level, error
from service.clock import Clock, system_clock
from service.database import Database
from service.fhir.audiences import identifier_key
from service.settings import Settings


def examine(
    settings: Settings, clock: Clock = system_clock, *, asks: bool = False
) -> Iterator[Finding]:
    """Yield what is found, good and bad; what needs the database only where there is one.

    `asks` has the public address asked, too.
    """
    yield from machine.findings(settings)
    reached = list(reach.findings(settings))
    yield from reached
    if any(each.level is Level.ERROR for each in reached):
        return
    yield from volumes.findings(settings)
    database = bootstrap.open_database(settings, clock)
    try:
        found = database.read(lambda session: list(contents.findings(session, clock())))
        yield from found
        if all(each.check != "migrations" or each.level is Level.OK for each in found):
            yield from _state(database, settings, clock())
            if asks:
                yield from public.findings(settings, database.read(identifier_key))
    except SQLAlchemyError as failure:
        kind = type(getattr(failure, "orig", None) or failure).__name__
        yield error("database", f"The database refused a question ({kind}): alongside migrate.")
    finally:
        database.close()


def _state(database: Database, settings: Settings, now: datetime) -> Iterator[Finding]:
    """Yield what a database of the newest revision says."""
    cipher = bootstrap.cipher_of(settings)

    def work(session: Session) -> list[Finding]:
        return [
            *queues.findings(session, now),
            *oversight.findings(session, now),
            *subjects.findings(session, settings, now),
            *audit.findings(settings, session, now),
            *alerts.findings(session, now),
            *secrets.findings(session, cipher),
        ]

    yield from database.read(work)
