"""`alongside doctor`: whether an installation is well, in plain sentences; it changes nothing."""

from collections.abc import Iterator

from sqlalchemy.exc import SQLAlchemyError

from api import bootstrap
from api.doctor import (
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
            yield from database.read(lambda session: list(queues.findings(session, clock())))
            yield from database.read(lambda session: list(oversight.findings(session, clock())))
            now = clock()
            yield from database.read(
                lambda session: list(subjects.findings(session, settings, now))
            )
            cipher = bootstrap.cipher_of(settings)
            yield from database.read(lambda session: list(secrets.findings(session, cipher)))
            if asks:
                yield from public.findings(settings, database.read(identifier_key))
    except SQLAlchemyError as failure:
        kind = type(getattr(failure, "orig", None) or failure).__name__
        yield error("database", f"The database refused a question ({kind}): alongside migrate.")
    finally:
        database.close()
