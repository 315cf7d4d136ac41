"""What a token is worth, said to who asks; and its end before its time, at its client's wish.

https://www.rfc-editor.org/rfc/rfc7662
https://www.rfc-editor.org/rfc/rfc7009
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session, select

from service.clock import microseconds
from service.models.connections import AccessToken, Client
from service.smart.tokens import hash_of

INACTIVE: dict[str, Any] = {"active": False}


def introspect(session: Session, token: str, now: datetime) -> dict[str, Any]:
    """Return what RFC 7662 calls the introspection response; of no use is told nothing else."""
    found = _valid(session, hash_of(token), microseconds(now))
    if found is None:
        return INACTIVE
    row, client = found
    bound = {"cnf": {"x5t#S256": row.certificate}} if row.certificate else {}
    return {
        "active": True,
        "scope": row.scope,
        "client_id": client.name,
        "token_type": "Bearer",
        "iat": row.issued_at // 1_000_000,
        "exp": row.expires_at // 1_000_000,
        **bound,
    }


def _valid(session: Session, token_hash: str | None, now: int) -> tuple[AccessToken, Client] | None:
    statement = (
        select(AccessToken, Client)
        .join(Client)
        .where(AccessToken.token_hash == token_hash, AccessToken.expires_at > now)
    )
    found = session.exec(statement).one_or_none() if token_hash else None
    if found is None or found[0].revoked or found[1].disabled_at is not None:
        return None
    return found[0], found[1]


def client_of(
    session: Session, token_hash: str, now: datetime, certificate: str | None
) -> str | None:
    """Return the name of the client that a valid token was issued to, and that shows it."""
    found = _valid(session, token_hash, microseconds(now))
    if found is None or found[0].certificate not in (None, certificate):
        return None
    return found[1].name


def revoke(session: Session, token: str, client_id: UUID) -> str | None:
    """End a token of this client, and return its hash; nothing becomes of any other's."""
    token_hash = hash_of(token)
    row = session.get(AccessToken, token_hash) if token_hash else None
    if row is None or row.client_id != client_id:
        return None
    row.revoked = True
    return token_hash
