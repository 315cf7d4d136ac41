"""Messages to be delivered at least once: claimed with a lease, tried again, given up, replayed.

A message is written in the transaction of what causes it, and deleted in the transaction that
records its delivery. Its id is the key by which a receiver knows it again (ADR 0043).
https://www.postgresql.org/docs/current/sql-select.html#SQL-FOR-UPDATE-SHARE
"""

import random
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import orjson
from sqlalchemy import update
from sqlmodel import Session, col, select

from service import driver
from service.clock import microseconds
from service.database import NOTICED
from service.driver import as_uuid
from service.identifiers import new_id
from service.models.outbox import OutboxMessage

LONGEST_FAILURE = 200
Jitter = Callable[[], float]  # from 0 to 1

# A message waits for those before it with the same order; one that was given up holds up nobody.
READY = (
    "given_up_at IS NULL AND due_at <= ? AND leased_until <= ? AND kind IN ({marks})"
    " AND (ordered_by IS NULL OR NOT EXISTS (SELECT 1 FROM outbox e WHERE"
    " e.ordered_by = outbox.ordered_by AND e.id < outbox.id AND e.given_up_at IS NULL))"
)
WAITING = f"SELECT 1 FROM outbox WHERE {READY}{{lanes}} LIMIT 1"  # noqa: S608 - our own words
CLAIM = (
    "UPDATE outbox SET leased_until = ?, holder = ?, attempts = attempts + 1 WHERE id IN"  # noqa: S608
    f" (SELECT id FROM outbox WHERE {READY}{{lanes}} ORDER BY due_at LIMIT ?{{skip}})"
    " RETURNING id, kind, payload, attempts, created_at, lane"
)
FINISH = "DELETE FROM outbox WHERE id = ? AND holder = ? RETURNING id"
POSTPONE = (
    "UPDATE outbox SET due_at = ?, leased_until = 0, holder = NULL, failure = ?"
    " WHERE id = ? AND holder = ? RETURNING id"
)
GIVE_UP = (
    "UPDATE outbox SET given_up_at = ?, leased_until = 0, holder = NULL, failure = ?"
    " WHERE id = ? AND holder = ? RETURNING id"
)
DEPTHS = (
    "SELECT kind, sum(CASE WHEN given_up_at IS NULL THEN 1 ELSE 0 END),"
    " sum(CASE WHEN given_up_at IS NULL AND due_at <= ? THEN 1 ELSE 0 END),"
    " min(CASE WHEN given_up_at IS NULL AND due_at <= ? THEN due_at END),"
    " sum(CASE WHEN given_up_at IS NULL THEN 0 ELSE 1 END) FROM outbox GROUP BY kind ORDER BY kind"
)


@dataclass(frozen=True, kw_only=True)
class Retrying:
    """How often a kind of message is tried, and after how long: doubled each time, up to a cap."""

    attempts: int = 12
    first: timedelta = timedelta(seconds=1)
    longest: timedelta = timedelta(hours=1)

    def pause(self, attempts: int, jitter: Jitter = random.random) -> timedelta:
        """Return how long to wait after this many attempts: between half of it and all of it."""
        whole = min(self.first * (1 << min(attempts - 1, 30)), self.longest)
        return whole / 2 + whole / 2 * jitter()


@dataclass(frozen=True, kw_only=True)
class Message:
    """A message that was claimed; `holder` says by whom."""

    id: UUID
    kind: str
    payload: Mapping[str, Any]
    attempts: int
    created_at: int
    holder: str
    lane: str | None = None

    @property
    def idempotency_key(self) -> str:
        """Return what a receiver knows the message by, however often it comes."""
        return str(self.id)


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What is asked for: kinds, how many, for how long, and lanes that are full."""

    kinds: Collection[str]
    limit: int = 1
    lease: timedelta = timedelta(seconds=30)
    full: Collection[str] = field(default=())


@dataclass(frozen=True, kw_only=True)
class New:
    """A message to be written; due at once unless it says when."""

    kind: str
    payload: Mapping[str, Any]
    due: datetime | None = None
    ordered_by: str | None = None
    lane: str | None = None


def put(session: Session, new: New, now: datetime) -> UUID:
    """Write a message in the transaction of what causes it; workers of this process are woken."""
    row = OutboxMessage(
        id=new_id(),
        kind=new.kind,
        payload=dict(new.payload),
        ordered_by=new.ordered_by,
        lane=new.lane,
        created_at=microseconds(now),
        due_at=microseconds(new.due or now),
    )
    driver.insert(session, row)
    session.info[NOTICED] = True
    return row.id


def is_waiting(session: Session, claim: Claim, now: datetime) -> bool:
    """Tell whether there is anything to claim, without writing."""
    at = microseconds(now)
    sql, more = _asking(WAITING, claim)
    return bool(driver.fetched(session, sql, (at, at, *claim.kinds, *more)))


def claim(session: Session, wanted: Claim, now: datetime) -> list[Message]:
    """Take messages that are due, for as long as the lease lasts; nobody else gets them."""
    at, holder = microseconds(now), uuid4().hex
    until = microseconds(now + wanted.lease)
    sql, more = _asking(CLAIM, wanted)
    skip = "" if _is_sqlite(session) else " FOR UPDATE SKIP LOCKED"
    args = (until, holder, at, at, *wanted.kinds, *more, wanted.limit)
    rows = driver.fetched(session, sql.replace("{skip}", skip), args)
    return sorted((_message(row, holder) for row in rows), key=lambda each: each.id)


def _asking(sql: str, wanted: Claim) -> tuple[str, tuple[str, ...]]:
    full = tuple(wanted.full)
    lanes = f" AND (lane IS NULL OR lane NOT IN ({', '.join('?' * len(full))}))" if full else ""
    return driver.marks(sql, list(wanted.kinds)).replace("{lanes}", lanes), full


def _is_sqlite(session: Session) -> bool:
    return driver.connected(session)[1].name == "sqlite"


def _message(row: tuple[Any, ...], holder: str) -> Message:
    one, kind, payload, attempts, created_at, lane = row
    return Message(
        id=as_uuid(one),
        kind=kind,
        payload=orjson.loads(payload) if isinstance(payload, str) else payload,
        attempts=attempts,
        created_at=created_at,
        holder=holder,
        lane=lane,
    )


def finish(session: Session, message: Message) -> bool:
    """Delete a message that was delivered; False where the lease was lost to somebody else."""
    return bool(driver.fetched(session, FINISH, (message.id.hex, message.holder)))


def postpone(session: Session, message: Message, failure: str, due: datetime) -> bool:
    """Have a message tried again later; False where the lease was lost."""
    said = failure[:LONGEST_FAILURE]
    args = (microseconds(due), said, message.id.hex, message.holder)
    return bool(driver.fetched(session, POSTPONE, args))


def give_up(session: Session, message: Message, failure: str, now: datetime) -> bool:
    """Make a message a dead letter, with the reason; False where the lease was lost."""
    said = failure[:LONGEST_FAILURE]
    args = (microseconds(now), said, message.id.hex, message.holder)
    return bool(driver.fetched(session, GIVE_UP, args))


def replay(session: Session, now: datetime, message_id: UUID | None = None) -> int:
    """Try dead letters again, one or all, with the same keys; return how many."""
    statement = update(OutboxMessage).where(col(OutboxMessage.given_up_at).is_not(None))
    if message_id is not None:
        statement = statement.where(col(OutboxMessage.id) == message_id)
    values = {"given_up_at": None, "attempts": 0, "due_at": microseconds(now)}
    found = session.execute(statement.values(**values))
    session.info[NOTICED] = True
    return int(found.rowcount)  # type: ignore[attr-defined]


def dead_letters(session: Session, limit: int = 200) -> list[OutboxMessage]:
    """Return messages that were given up, oldest first."""
    found = select(OutboxMessage).where(col(OutboxMessage.given_up_at).is_not(None))
    return list(session.exec(found.order_by(col(OutboxMessage.id)).limit(limit)))


@dataclass(frozen=True, kw_only=True)
class Depth:
    """What waits of one kind: messages that are due, the oldest of them, and dead letters."""

    kind: str
    waiting: int
    due: int
    oldest_due: int | None
    dead: int


def depths(session: Session, now: datetime) -> list[Depth]:
    """Return what waits, by kind, for metrics and for `doctor`."""
    at = microseconds(now)
    names = ("kind", "waiting", "due", "oldest_due", "dead")
    rows = driver.fetched(session, DEPTHS, (at, at))
    return [Depth(**dict(zip(names, row, strict=True))) for row in rows]
