"""Clients: software of a hospital or of the programme, with a secret or with keys of its own.

Of a secret we keep a hash. https://www.rfc-editor.org/rfc/rfc6749#section-2
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

from service import driver
from service.access import V1_SCOPES, is_scope
from service.clock import microseconds
from service.errors import (
    BusinessRuleError,
    DuplicateError,
    NotFoundError,
    ValueSetError,
)
from service.models.connections import Client, Confidentiality, Connection, Proof
from service.models.purposes import Purpose
from service.rows import get
from service.smart.keys import ALGORITHMS, registered

NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,62}")
SECRET_BYTES = 32
REVOKE = "UPDATE access_tokens SET revoked = ? WHERE client_id = ? AND expires_at > ?"


@dataclass(frozen=True, kw_only=True)
class Keys:
    """What a client proves itself by: a JWK Set as it was handed in, or where to fetch it."""

    jwks: bytes | None = None
    jwks_url: str | None = None
    algorithms: tuple[str, ...] = ALGORITHMS


@dataclass(frozen=True, kw_only=True)
class NewClient:
    """What a client is to be; without a connection the programme's, without keys with a secret."""

    name: str
    scopes: tuple[str, ...]
    connection_id: UUID | None = None
    ceiling: Confidentiality = Confidentiality.RESTRICTED
    roster_role: bool = False
    purpose: Purpose = Purpose.TREATMENT
    privacy_officer: bool = False
    keys: Keys | None = None
    certificate: str | None = None  # x5t#S256 of one that it must show besides


def hashed(secret: str) -> str:
    """Return what is stored: 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def add_client(session: Session, new: NewClient) -> tuple[Client, str]:
    """Add a client; return it with its secret, which nobody can read again; with keys it has none.

    Raises:
        InvalidError: the name, a scope or a key is not one that can be used here.
        BusinessRuleError: a hospital's client asks for the programme's interface.
        DuplicateError: there is a client of this name.
    """
    _check_name(new.name)
    check_scopes(new.scopes, new.connection_id)
    if new.connection_id is not None:
        get(session, Connection, new.connection_id, "connection_id")
    if find_client(session, new.name) is not None:
        raise DuplicateError(f"there is a client named {new.name}", element="name")
    client = Client(
        name=new.name,
        connection_id=new.connection_id,
        scopes=list(new.scopes),
        ceiling=new.ceiling,
        roster_role=new.roster_role,
        purpose=new.purpose,
        privacy_officer=new.privacy_officer,
        certificate=new.certificate,
    )
    secret = prove(client, new.keys)
    session.add(client)
    session.flush()
    return client, secret


def rotate_client(session: Session, name: str, keys: Keys | None = None) -> tuple[Client, str]:
    """Give a client a new secret, or these keys; what it had before proves nothing any more.

    Raises:
        NotFoundError: there is no such client.
        BusinessRuleError: it has keys, and there are no new ones.
    """
    client = client_named(session, name)
    if client.proof is Proof.NONE:
        rule = f"{name} is an issuer: what it is good for, it is good for by its own tokens"
        raise BusinessRuleError(rule, element="keys")
    if keys is None and client.has_keys:
        rule = f"{name} has keys and so no secret: give its new keys, or the address of its JWK Set"
        raise BusinessRuleError(rule, element="keys")
    return client, prove(client, keys)


def prove(client: Client, keys: Keys | None) -> str:
    """Set what the client proves itself by, and return its secret; a client has one or the other.

    An address of keys was looked at before, by who fetches from it.
    """
    secret = "" if keys else secrets.token_urlsafe(SECRET_BYTES)
    client.secret_hash = None if keys else hashed(secret)
    client.algorithms = _algorithms(keys) if keys else None
    client.jwks_url = keys.jwks_url if keys else None
    client.jwks = None
    if keys and (keys.jwks is None) == (keys.jwks_url is None):
        raise BusinessRuleError("a client has its keys here or at an address, not both or none")
    if keys and keys.jwks is not None:
        client.jwks = registered(keys.jwks, keys.algorithms)
    return secret


def _algorithms(keys: Keys) -> list[str]:
    if not keys.algorithms or not set(keys.algorithms) <= set(ALGORITHMS):
        rule = f"a client signs with {' or '.join(ALGORITHMS)}"
        raise ValueSetError(rule, element="algorithms")
    return sorted(set(keys.algorithms))


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        rule = "2 to 63 lower-case letters, digits and hyphens, beginning with a letter or digit"
        raise ValueSetError(f"a client's name has {rule}", element="name")


def check_scopes(scopes: Sequence[str], connection_id: UUID | None) -> None:
    """Raise InvalidError where a client of this connection cannot have these scopes."""
    if not scopes or not all(is_scope(scope) for scope in scopes):
        others = " ".join(sorted(V1_SCOPES))
        rule = (
            "scopes are system/<Type or *>.<of c r u d s>, with ?parameter=value where they are"
            f" narrower, and, for the programme, {others}"
        )
        raise ValueSetError(rule, element="scopes")
    if connection_id is not None and V1_SCOPES.intersection(scopes):
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
    driver.execute(session, REVOKE, (True, client.id.hex, microseconds(now)))
    return client


def bind_client(session: Session, name: str, certificate: str | None) -> Client:
    """Have the client show another certificate from now on, or none; its tokens stay bound."""
    client = client_named(session, name)
    client.certificate = certificate
    return client


def enable_client(session: Session, name: str) -> Client:
    """Admit this client again; the tokens that it held before have ended."""
    client = client_named(session, name)
    client.disabled_at = None
    return client


def has_secret(client: Client, secret: str) -> bool:
    """Return whether this is the client's secret, in the same time either way."""
    kept = client.secret_hash
    return kept is not None and hmac.compare_digest(kept, hashed(secret))
