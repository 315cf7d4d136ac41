"""What a worker does with each kind of message about alerts.

The attempt is made outside of any transaction; what became of it is recorded in the one that
ends, postpones or gives up the message.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session

from service.clock import Clock
from service.database import Database
from service.encryption import Cipher
from service.errors import SecretsError
from service.fhir.audiences import connection_audience, identifier_key
from service.models.aggregates import Aggregate, patient_aggregate
from service.models.connections import Connection
from service.models.safety import Channel, Contact
from service.models.screening import Alert
from service.notifying.channel import Channel as Sending
from service.notifying.channel import Destination, Text, UndeliveredError
from service.outbox import Message, Retrying
from service.safety import telling
from service.safety.contacts import TEST
from service.safety.policy import policy_of
from service.safety.routing import may_be_told
from service.safety.transitions import UNANSWERED

LEASE = timedelta(seconds=15)  # longer than any channel takes, and well under half a minute
PAUSES = Retrying(first=timedelta(seconds=1), longest=timedelta(seconds=30))

Record = Callable[[Session], None]


def nothing(_session: Session) -> None:
    """Record nothing."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """How an attempt went: `failure` is None where the message is done with.

    `record` is what the transaction that ends the attempt writes, under `locks`. `last` says
    that it is not tried again.
    """

    record: Record = nothing
    locks: tuple[Aggregate, ...] = ()
    failure: str | None = None
    last: bool = False
    pauses: Retrying = field(default=PAUSES)


@dataclass(frozen=True)
class Alerting:
    """Tells contacts of alerts, and lets their time run out."""

    database: Database
    cipher: Cipher
    clock: Clock
    channels: Mapping[Channel, Sending]
    base: str

    def handlers(self) -> dict[str, Callable[[Message], Result]]:
        return {telling.TELL: self.tell, telling.TIMER: self.time_is_up, TEST: self.test}

    def tell(self, message: Message) -> Result:
        """Tell a contact of an alert that nobody has taken up yet."""
        alert_id, contact_id = UUID(message.payload["alert"]), UUID(message.payload["contact"])
        began = self.clock()

        def look(session: Session) -> tuple[Alert | None, Contact | None, Text | None, int]:
            alert, contact = session.get(Alert, alert_id), session.get(Contact, contact_id)
            policy = policy_of(session)
            if alert is None or contact is None or alert.state not in UNANSWERED:
                return alert, None, None, policy.attempts
            if not may_be_told(session, alert, contact, began):
                return alert, None, None, policy.attempts
            return alert, contact, self._text(session, alert, contact), policy.attempts

        alert, contact, text, attempts = self.database.read(look)
        if alert is None or contact is None or text is None:
            return Result()
        locks = (patient_aggregate(alert.patient_id),)
        try:
            self._send(contact, text, message)
        except (UndeliveredError, SecretsError) as error:
            why, last = str(error), message.attempts >= attempts
            record = _failed(alert_id, contact_id, began, why, last=last)
            return Result(record=record, locks=locks, failure=why, last=last)
        return Result(record=_told(alert_id, contact_id, began), locks=locks)

    def time_is_up(self, message: Message) -> Result:
        """Escalate an alert that nobody acknowledged in its time."""
        alert_id, step = UUID(message.payload["alert"]), int(message.payload["step"])

        def patient(session: Session) -> tuple[Aggregate, ...]:
            alert = session.get(Alert, alert_id)
            return (patient_aggregate(alert.patient_id),) if alert else ()

        def record(session: Session) -> None:
            alert = session.get(Alert, alert_id)
            if alert is not None:
                telling.time_is_up(session, alert, step, self.clock())

        return Result(record=record, locks=self.database.read(patient))

    def test(self, message: Message) -> Result:
        """Send a message that says it is a test."""
        contact_id = UUID(message.payload["contact"])
        contact = self.database.read(lambda session: session.get(Contact, contact_id))
        if contact is None:
            return Result()
        text = Text(
            kind="test",
            subject="Test of a contact",
            instruction="This is a test. If you can read it, you can be told of safety alerts.",
            reference=str(contact_id),
            link=f"{self.base}/v1/contacts/{contact_id}",
        )
        try:
            self._send(contact, text, message)
        except (UndeliveredError, SecretsError) as error:
            return Result(failure=str(error), last=message.attempts >= PAUSES.attempts // 4)
        return Result()

    def _send(self, contact: Contact, text: Text, message: Message) -> None:
        secret = None if contact.secret is None else self.cipher.decrypt(contact.secret)
        to = Destination(address=contact.address, secret=secret)
        self.channels[contact.channel].send(to, text, message.idempotency_key)

    def _text(self, session: Session, alert: Alert, contact: Contact) -> Text:
        tier = policy_of(session).tier(alert.tier)
        ours = contact.connection_id is None
        return Text(
            kind="safety-alert",
            subject=f"Safety alert: {tier.display}",
            instruction=tier.staff,
            reference=str(alert.id) if ours else _shown_as(session, alert, contact),
            link=f"{self.base}/v1/alerts/{alert.id}" if ours else None,
        )


def _shown_as(session: Session, alert: Alert, contact: Contact) -> str:
    """Return the id of the Task that the contact's hospital has of the alert; no other has it."""
    row = session.get_one(Connection, contact.connection_id)
    audience = connection_audience(identifier_key(session), row)
    return audience.id("Task", f"alert:{alert.id.hex}")


def _told(alert_id: UUID, contact_id: UUID, at: datetime) -> Record:
    def record(session: Session) -> None:
        alert = session.get(Alert, alert_id)
        if alert is not None:
            telling.told(session, alert, contact_id, at)

    return record


def _failed(alert_id: UUID, contact_id: UUID, at: datetime, why: str, *, last: bool) -> Record:
    def record(session: Session) -> None:
        alert = session.get(Alert, alert_id)
        if alert is not None:
            telling.not_told(session, alert, contact_id, at, why=why, last=last)

    return record
