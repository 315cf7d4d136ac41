"""Opaque access tokens: 256 random bits for the caller, their SHA-256 for us.

https://www.rfc-editor.org/rfc/rfc6750
"""

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlmodel import Session

from service.access import Access, Scopes
from service.clock import microseconds
from service.errors import LoginError
from service.models.connections import AccessToken, Client, Confidentiality
from service.models.documents import PROGRAMME
from service.models.purposes import Purpose
from service.smart.clients import hashed

TOKEN_BYTES = 32
LONGEST_TOKEN = 200
UNKNOWN = "the access token is not one that was issued here"

# One statement for the session and for the drivers of the read path; `?` is the driver's mark.
SELECT_ACCESS = (
    "SELECT t.expires_at, t.revoked, c.disabled_at, t.certificate, t.scope, c.id, c.name,"
    " c.ceiling, c.roster_role, c.purpose, c.privacy_officer, c.connection_id, n.number"
    " FROM access_tokens t JOIN clients c ON c.id = t.client_id"
    " LEFT JOIN connections n ON n.id = c.connection_id WHERE t.token_hash = ?"
)


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What a token is issued for."""

    scope: str
    seconds: int
    issued_by: str = "client_credentials"
    certificate: str | None = None  # that is to be shown with it


def issue(session: Session, client: Client, grant: Grant, now: datetime) -> str:
    """Issue an access token and return it; it is not kept."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    bound = replace(grant, certificate=client.certificate)
    remember(session, token, client_id=client.id, grant=bound, now=now)
    return token


def remember(session: Session, token: str, *, client_id: UUID, grant: Grant, now: datetime) -> None:
    """Keep the hash of a token that was generated elsewhere."""
    issued = microseconds(now)
    session.add(
        AccessToken(
            token_hash=hashed(token),
            client_id=client_id,
            scope=grant.scope,
            issued_at=issued,
            expires_at=issued + grant.seconds * 1_000_000,
            issued_by=grant.issued_by,
            certificate=grant.certificate,
        )
    )


def bearer(header: str | None) -> str:
    """Return the hash of the token in an Authorization header.

    Raises:
        LoginError: there is none, or it can be none of ours.
    """
    found = hash_of(sent_token(header))
    if found is None:
        raise LoginError(UNKNOWN)
    return found


def sent_token(header: str | None) -> str:
    """Return the token in an Authorization header, whoever issued it.

    Raises:
        LoginError: there is none.
    """
    scheme, _, token = (header or "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise LoginError("send an access token: Authorization: Bearer ...")
    return token


def hash_of(token: str) -> str | None:
    """Return the hash that a token is kept as; nothing for what can be no token of ours."""
    return hashed(token) if len(token) <= LONGEST_TOKEN and token.isascii() else None


class Bearer(NamedTuple):
    """Who holds a token, as a row of SELECT_ACCESS has it after what makes it valid."""

    scope: str
    client_id: UUID | str
    name: str
    ceiling: str
    roster_role: bool
    purpose: str
    privacy_officer: bool
    connection_id: UUID | str | None
    number: int | None
    person: str | None = None
    fhir_user: str | None = None
    role: str | None = None


def access_of_row(row: Sequence[Any] | None, now: int, certificate: str | None = None) -> Access:
    """Return the access that a row of SELECT_ACCESS gives at `now`, in microseconds since 1970.

    Raises:
        LoginError: there is no such token, it has expired, token or client were turned off, or it
            is bound to another certificate than was shown.
    """
    if row is None:
        raise LoginError(UNKNOWN)
    if row[0] <= now:
        raise LoginError("the access token has expired")
    if row[1] or row[2] is not None:
        raise LoginError("the access token is no longer valid")
    if row[3] is not None and not hmac.compare_digest(row[3], certificate or ""):
        raise LoginError("the access token is bound to a certificate that was not shown")
    return _access(Bearer(*row[4:]))


@lru_cache(maxsize=1024)
def _access(row: Bearer) -> Access:
    return Access(
        client_id=_uuid(row.client_id),
        client=row.name,
        audience=PROGRAMME if row.number is None else row.number,
        connection_id=None if row.connection_id is None else _uuid(row.connection_id),
        ceiling=Confidentiality(row.ceiling).rank,
        roster_role=bool(row.roster_role),
        purpose=Purpose(row.purpose).bit,
        privacy_officer=bool(row.privacy_officer),
        scopes=Scopes(row.scope),
        person=row.person,
        fhir_user=row.fhir_user,
        role=row.role,
    )


def _uuid(value: UUID | str) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)
