"""Answers kept for 24 hours under the keys that clients give their requests (ADR 0024).

Neither key nor request is kept: a keyed hash of each, and the answer sealed with what only the
client's key gives back. https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
"""

import hashlib
import hmac
from dataclasses import dataclass, field, replace
from uuid import UUID

from joserfc import jwe
from joserfc.jwk import OctKey
from sqlmodel import Session

from service import driver
from service.errors import ConflictError
from service.models.aggregates import Aggregate

HEADER = "Idempotency-Key"
LIFETIME = 24 * 3600 * 1_000_000
PRUNED_AT_ONCE = 500
ERASED = "erased"
TOLD_ERASED = (
    "this request was executed; its answer was deleted when a person's data was erased: read what"
    " it made"
)
WHOLE = -1  # the part that is the request itself; the rows of a bulk request count from 0
SEALING = {"alg": "dir", "enc": "A256GCM"}

SELECT = "SELECT fingerprint, expires_at, answer FROM kept_answers WHERE key_hash = ? AND part = ?"
KEEP = (
    "INSERT INTO kept_answers (key_hash, part, fingerprint, expires_at, answer)"
    " VALUES (?, ?, ?, ?, ?) ON CONFLICT (key_hash, part) DO UPDATE SET"
    " fingerprint = excluded.fingerprint, expires_at = excluded.expires_at,"
    " answer = excluded.answer"
)
OLD = "SELECT 1 FROM kept_answers WHERE expires_at <= ? LIMIT 1"
PRUNE = (
    "DELETE FROM kept_answers WHERE (key_hash, part) IN"
    " (SELECT key_hash, part FROM kept_answers WHERE expires_at <= ? LIMIT ?)"
)


@dataclass(frozen=True)
class RequestKey:
    """One client's key of one request; `part` is a row of a bulk request."""

    hash: str
    fingerprint: str
    secret: bytes = field(repr=False)
    part: int = WHOLE

    @property
    def aggregate(self) -> Aggregate:
        """Return what a request with this key locks, so that it is executed once."""
        return Aggregate("request", self.hash)

    def row(self, number: int) -> "RequestKey":
        return replace(self, part=number)


def request_key(installation: bytes, client_id: UUID, key: str, request: bytes) -> RequestKey:
    """Return what is kept of a client's key, and of the request that it came with."""
    named = b"\0".join((HEADER.encode(), client_id.bytes, key.encode()))
    derived = hmac.digest(installation, named, hashlib.sha512)
    secret = derived[32:]
    fingerprint = hmac.new(secret, request, hashlib.sha256).hexdigest()
    return RequestKey(derived[:32].hex(), fingerprint, secret)


def kept(session: Session, key: RequestKey, now: int) -> bytes | None:
    """Return the answer that was given, or None where none was within 24 hours.

    Raises:
        ConflictError: the key came with another request.
    """
    found = _found(session, key, now)
    if found and found[1] == ERASED:
        raise ConflictError(TOLD_ERASED, element=HEADER)
    return _unsealed(key, found[1]) if found and found[1] else None


def keep(session: Session, key: RequestKey, answer: bytes, expires_at: int) -> None:
    """Keep an answer, in the transaction of the change that it tells of."""
    sealed = jwe.encrypt_compact(SEALING, answer, OctKey.import_key(key.secret))
    driver.execute(session, KEEP, (key.hash, key.part, key.fingerprint, expires_at, sealed))


def claim(session: Session, key: RequestKey, now: int) -> int:
    """Take the key for a bulk request, whose rows are kept one by one; return until when.

    Raises:
        ConflictError: the key came with another request.
    """
    found = _found(session, key, now)
    if found:
        return found[0]
    expires_at = now + LIFETIME
    driver.execute(session, KEEP, (key.hash, key.part, key.fingerprint, expires_at, None))
    return expires_at


def forget_answers(session: Session) -> None:
    """Delete every answer, since nobody can tell whom it is about; that it was given is known."""
    driver.execute(
        session, "UPDATE kept_answers SET answer = ? WHERE answer IS NOT NULL", (ERASED,)
    )


def has_old(session: Session, now: int) -> bool:
    """Return whether the time of any answer is over."""
    return bool(driver.fetched(session, OLD, (now,)))


def prune(session: Session, now: int) -> None:
    """Delete answers whose time is over, some at a time."""
    driver.execute(session, PRUNE, (now, PRUNED_AT_ONCE))


def _found(session: Session, key: RequestKey, now: int) -> tuple[int, str | None] | None:
    rows = driver.fetched(session, SELECT, (key.hash, key.part))
    if not rows or rows[0][1] <= now:
        return None
    fingerprint, expires_at, answer = rows[0]
    if not hmac.compare_digest(fingerprint, key.fingerprint):
        raise ConflictError(
            "this key came with another request within 24 hours; take a new one for a new request",
            element=HEADER,
        )
    return expires_at, answer


def _unsealed(key: RequestKey, answer: str) -> bytes:
    secret = OctKey.import_key(key.secret)
    found = jwe.decrypt_compact(answer, secret, algorithms=list(SEALING.values()))
    return found.plaintext or b""
