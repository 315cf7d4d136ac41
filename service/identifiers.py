"""Identifiers: UUIDv7 inside, keyed 128-bit values outside (ADR 0003).

https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-7
https://hl7.org/fhir/R4/datatypes.html#id
"""

import hashlib
import hmac
from functools import lru_cache
from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """Return a time-ordered identifier for a row of ours; never shown outside `/v1`."""
    return uuid7()


@lru_cache(maxsize=8192)  # one response refers to its patient fifteen times
def keyed_id(key: bytes, *parts: str) -> str:
    """Return 32 hex digits that nobody without `key` can compute, compare or order by time."""
    message = "\x1f".join(parts).encode()
    return hmac.digest(key, message, hashlib.sha256)[:16].hex()
