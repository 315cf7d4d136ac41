"""Assertions are good for one request, whichever process it comes to: a row for each that was used.

https://www.rfc-editor.org/rfc/rfc7523#section-3 (item 7)
"""

import hashlib
from uuid import UUID

from sqlmodel import Session

from service import driver

USE = (
    "INSERT INTO used_assertions (client_id, jti_hash, expires_at) VALUES (?, ?, ?)"
    " ON CONFLICT DO NOTHING RETURNING 1"
)
CLEAN = "DELETE FROM used_assertions WHERE expires_at <= ?"
CLOCKS = 60_000_000


def use(session: Session, client_id: UUID, jti: str, *, until: int, now: int) -> bool:
    """Return whether this is the first use; times are microseconds since 1970.

    The row is there until every process refuses the assertion for its age, whose clocks may differ.
    A jti is kept as its hash: it may be any text, and not every database stores any.
    """
    driver.execute(session, CLEAN, (now - CLOCKS,))
    jti_hash = hashlib.sha256(jti.encode(errors="surrogatepass")).hexdigest()
    return bool(driver.fetched(session, USE, (client_id.hex, jti_hash, until)))
