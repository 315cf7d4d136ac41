"""Time that a test moves, and what a coordinator does with facilitators."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlmodel import func, select

from service.commands import (
    AddCredential,
    ArrangeSupervision,
    RecordSupervision,
    UpdateGroup,
)
from service.database import Database
from service.handlers import execute
from service.models.documents import Document, Event
from service.models.facilitation import Credential, Supervision, SupervisionSession
from service.models.groups import Facilitator, SupportGroup
from tests import world

BEGIN = datetime(2026, 3, 2, 9, tzinfo=UTC)
TODAY = BEGIN.date()
DAY = timedelta(days=1)
KIND = "Peer support training"


class Clock:
    """A clock that goes only when a test says so."""

    def __init__(self) -> None:
        self.now = BEGIN

    def __call__(self) -> datetime:
        return self.now

    def wait(self, days: float) -> None:
        self.now += days * DAY


def credential(database: Database, person: Facilitator, **more: Any) -> Credential:
    values = {"kind": KIND, "issuer": "Circles", "expires": TODAY + 10 * DAY, **more}
    row: Credential = execute(database, AddCredential(facilitator_id=person.id, **values))
    return row


def supervise(database: Database, person: Facilitator, **more: Any) -> Supervision:
    values = {} if "supervisor_id" in more else {"contact": "Dr. Lee, 555-0101"}
    command = ArrangeSupervision(facilitator_id=person.id, **{**values, **more})
    row: Supervision = execute(database, command)
    return row


def supervised(
    database: Database, person: Facilitator, held_on: date, **more: Any
) -> SupervisionSession:
    command = RecordSupervision(
        facilitator_id=person.id, held_on=held_on, recorded_by="tester", **more
    )
    row: SupervisionSession = execute(database, command)
    return row


def led(database: Database, person: Facilitator, **more: Any) -> SupportGroup:
    return world.group(database, facilitator_id=person.id, **more)


def lead(database: Database, group: SupportGroup, person: Facilitator) -> None:
    execute(database, UpdateGroup(group_id=group.id, facilitator_id=person.id))


def documents(database: Database) -> tuple[list[Any], int]:
    """Every document with its version, and how many events there are."""
    found = select(Document.id, Document.type, Document.version, Document.deleted)
    events = select(func.count()).select_from(Event)
    return database.read(
        lambda session: (sorted(session.exec(found).all()), session.exec(events).one())
    )
