"""Clients: software of a hospital or of the programme, with a secret of which we keep a hash.

https://www.rfc-editor.org/rfc/rfc6749#section-2
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from service.access import V1_SCOPES, is_scope
from service.errors import (
    BusinessRuleError,
    DuplicateError,
    NotFoundError,
    ValueSetError,
)
from service.models.connections import Client, Confidentiality

NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,62}")
SECRET_BYTES = 32


@dataclass(frozen=True, kw_only=True)
class NewClient:
    """What a client is to be; without a connection it is the programme's."""

    name: str
    scopes: tuple[str, ...]
    connection_id: UUID | None = None
    ceiling: Confidentiality = Confidentiality.RESTRICTED
    roster_role: bool = False


def hashed(secret: str) -> str:
    """Return what is stored: 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def add_client(session: Session, new: NewClient) -> tuple[Client, str]:
    """Add a client; return it with its secret, which nobody can read again.

    Raises:
        ValueSetError: the name or a scope is not one that can be used here.
        BusinessRuleError: a hospital's client asks for the programme's interface.
        DuplicateError: there is a client of this name.
    """
    _check(new)
    if find_client(session, new.name) is not None:
        raise DuplicateError(f"there is a client named {new.name}", element="name")
    secret = secrets.token_urlsafe(SECRET_BYTES)
    client = Client(
        name=new.name,
        connection_id=new.connection_id,
        secret_hash=hashed(secret),
        scopes=list(new.scopes),
        ceiling=new.ceiling,
        roster_role=new.roster_role,
    )
    session.add(client)
    session.flush()
    return client, secret


def _check(new: NewClient) -> None:
    if not NAME.fullmatch(new.name):
        rule = "2 to 63 lower-case letters, digits and hyphens, beginning with a letter or digit"
        raise ValueSetError(f"a client's name has {rule}", element="name")
    if not new.scopes or not all(is_scope(scope) for scope in new.scopes):
        rule = (
            "scopes are system/<Type or *>.<of c r u d s> and, for the programme, v1.read v1.write"
        )
        raise ValueSetError(rule, element="scopes")
    if new.connection_id is not None and V1_SCOPES.intersection(new.scopes):
        raise BusinessRuleError("v1 scopes are for the programme's clients", element="scopes")


def find_client(session: Session, name: str) -> Client | None:
    """Return this client; a name that none can have is not asked for, as it may hold anything."""
    if not NAME.fullmatch(name):
        return None
    return session.exec(select(Client).where(Client.name == name)).one_or_none()


def client_named(session: Session, name: str) -> Client:
    """Return this client or raise NotFoundError."""
    found = find_client(session, name)
    if found is None:
        raise NotFoundError(f"there is no client named {name}", element="name")
    return found


def all_clients(session: Session) -> Sequence[Client]:
    return session.exec(select(Client).order_by(col(Client.name))).all()


def disable_client(session: Session, name: str, now: datetime) -> Client:
    """Refuse this client from now on, tokens that it holds included."""
    client = client_named(session, name)
    client.disabled_at = client.disabled_at or now
    return client


def has_secret(client: Client, secret: str) -> bool:
    """Return whether this is the client's secret, in the same time either way."""
    return hmac.compare_digest(client.secret_hash, hashed(secret))
