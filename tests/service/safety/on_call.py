"""Contacts, and a worker that is asked step by step, with a clock that a test sets.

The channel only remembers what it was given: it stands for e-mail and webhooks, whose own tests
meet real servers.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from api.worker import Worker
from service import safety
from service.commands import CreateContact
from service.database import Database
from service.encryption import Cipher
from service.handlers import execute
from service.models.safety import Channel, Contact, ContactRole
from service.models.screening import Alert
from service.notifying import Alerting, Destination, Text, UndeliveredError
from service.safety.story import events_of
from tests.conftest import open_database

START = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)  # consents have begun


@dataclass
class RememberingChannel:
    """What was told to whom; those in `dead` cannot be reached."""

    told: list[tuple[str, Text, str]] = field(default_factory=list)
    dead: set[str] = field(default_factory=set)
    tried: list[str] = field(default_factory=list)

    def send(self, to: Destination, text: Text, key: str) -> None:
        self.tried.append(to.address)
        if to.address in self.dead:
            raise UndeliveredError("nobody there")
        self.told.append((to.address, text, key))


class Duty:
    """A database, its clock, and the worker that tells people."""

    def __init__(
        self, url: str, policy: str = "cobalt-strict", channel: RememberingChannel | None = None
    ) -> None:
        self.now = START
        self.database: Database = open_database(url, clock=lambda: self.now)
        self.database.info[safety.POLICY] = safety.load(policy)
        self.channel = channel or RememberingChannel()
        channels = dict.fromkeys(Channel, self.channel)
        alerting = Alerting(
            self.database, Cipher(""), lambda: self.now, channels, "https://a.example"
        )
        self.worker = Worker(self.database, lambda: self.now, alerting.handlers(), 4)

    def contact(self, name: str, role: ContactRole = ContactRole.ON_CALL, **more) -> Contact:
        command = CreateContact(
            name=name, role=role, channel=Channel.EMAIL, address=f"{name}@x.example", **more
        )
        return execute(self.database, command)

    def later(self, **time: float) -> None:
        """Let time pass, and the worker do what is due."""
        self.now += timedelta(**time)
        self.work()

    def work(self) -> None:
        while self.worker.once():
            pass

    def told(self) -> list[str]:
        return [address.partition("@")[0] for address, _, _ in self.channel.told]

    def alert(self, alert_id) -> Alert:
        return self.database.read(lambda session: session.get(Alert, alert_id))

    def story(self, alert_id) -> list[str]:
        events = self.database.read(lambda session: events_of(session, alert_id))
        return [each.kind.value for each in events]
