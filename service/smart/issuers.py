"""Issuers outside: added and disabled by an operator, read as every process needs them.

https://www.rfc-editor.org/rfc/rfc9068
https://www.rfc-editor.org/rfc/rfc7662
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlmodel import Session, col, select

from service.access import Scopes
from service.encryption import Cipher
from service.errors import BusinessRuleError, DuplicateError, NotFoundError, ValueSetError
from service.models.connections import Client
from service.models.issuers import Issuer
from service.smart.clients import NewClient, add_client, client_named, disable_client
from service.smart.keys import OUTSIDE
from service.smart.people import Vouching, check_vouching

SELECT_ISSUERS = (
    "SELECT i.issuer, i.audience, i.algorithms, i.jwks_url, i.introspection_url,"
    " i.introspection_client, i.introspection_secret, i.people, i.role_claim, i.roles, c.scopes,"
    " c.id, c.name, c.ceiling, c.roster_role, c.purpose, c.privacy_officer, c.connection_id,"
    " n.number"
    " FROM issuers i JOIN clients c ON c.id = i.client_id"
    " LEFT JOIN connections n ON n.id = c.connection_id WHERE c.disabled_at IS NULL"
)
ONE_ASKED = (
    "there is an issuer that is asked already, and a token that does not say whose it is must not"
    " be shown to two: give the address of its keys"
)


@dataclass(frozen=True, kw_only=True)
class NewIssuer:
    """An issuer to be honoured: by its keys, or by asking it; `client` says for how much."""

    client: NewClient
    issuer: str
    audience: str | None = None
    algorithms: tuple[str, ...] = OUTSIDE
    jwks_url: str | None = None
    introspection_url: str | None = None
    login: tuple[str, str] | None = None  # the name and secret that we ask it with
    people: Vouching | None = None


@dataclass(frozen=True, kw_only=True)
class KnownIssuer:
    """An issuer as a process knows it; `bound` is the end of a row of tokens.SELECT_ACCESS."""

    issuer: str
    audience: str | None
    algorithms: tuple[str, ...]
    jwks_url: str | None
    introspection_url: str | None
    login: tuple[str, str] | None  # the secret encrypted
    scopes: Scopes
    bound: tuple[Any, ...]
    people: Vouching | None = None


def add_issuer(session: Session, cipher: Cipher, new: NewIssuer) -> Issuer:
    """Honour an issuer's tokens from now on.

    Raises:
        InvalidError: something of it cannot be used here.
        DuplicateError: there is one of this name or address.
        SecretsError: its secret cannot be encrypted.
    """
    _check(session, new)
    client, _ = add_client(session, new.client)
    client.secret_hash = None  # what it is good for, it is good for by its own tokens alone
    name, secret = new.login or (None, None)
    row = Issuer(
        client_id=client.id,
        issuer=new.issuer,
        audience=new.audience,
        algorithms=" ".join(new.algorithms),
        jwks_url=new.jwks_url,
        introspection_url=new.introspection_url,
        introspection_client=name,
        introspection_secret=None if secret is None else cipher.encrypt(secret.encode()),
        people=new.people is not None,
        role_claim=new.people.role_claim if new.people else None,
        roles=dict(new.people.roles) if new.people else {},
    )
    session.add(row)
    session.flush()
    return row


def _check(session: Session, new: NewIssuer) -> None:
    if (new.jwks_url is None) == (new.introspection_url is None):
        raise BusinessRuleError("give the address of its keys, or of its introspection")
    if not new.algorithms or not set(new.algorithms) <= set(OUTSIDE):
        raise ValueSetError(f"tokens are signed with {', '.join(OUTSIDE)}", element="algorithms")
    if not new.issuer.startswith(("https://", "http://")):
        raise ValueSetError("an issuer is an address, as in its iss", element="issuer")
    if new.people is not None:
        check_vouching(new.people)
    if session.exec(select(Issuer).where(Issuer.issuer == new.issuer)).first():
        raise DuplicateError("there is an issuer of this address", element="issuer")
    if new.introspection_url is not None:
        _require_none_asked(session)


def require_alone(session: Session, client: Client) -> None:
    """Raise BusinessRuleError where this issuer's tokens would be shown to another one too."""
    row = session.exec(select(Issuer).where(Issuer.client_id == client.id)).first()
    if row is not None and row.introspection_url is not None and client.disabled_at is not None:
        _require_none_asked(session)


def _require_none_asked(session: Session) -> None:
    if _is_one_asked(session):
        raise BusinessRuleError(ONE_ASKED, element="introspection_url")


def _is_one_asked(session: Session) -> bool:
    statement = (
        select(Issuer.client_id)
        .join(Client)
        .where(col(Issuer.introspection_url).is_not(None), col(Client.disabled_at).is_(None))
    )
    return session.exec(statement).first() is not None


def all_issuers(session: Session) -> Sequence[tuple[Issuer, Client]]:
    statement = select(Issuer, Client).join(Client).order_by(col(Client.name))
    return session.exec(statement).all()


def disable_issuer(session: Session, name: str, now: datetime) -> None:
    """Refuse this issuer's tokens from now on.

    Raises:
        NotFoundError: there is no such issuer.
    """
    client = client_named(session, name)
    if session.get(Issuer, client.id) is None:
        raise NotFoundError(f"{name} is no issuer: `alongside clients disable`", element="name")
    disable_client(session, name, now)


def known(row: Sequence[Any]) -> KnownIssuer:
    """Return an issuer of a row of SELECT_ISSUERS, as either driver has it."""
    issuer, audience, algorithms, jwks_url, url, name, secret, *rest = row
    people, role_claim, roles, scopes, *bound = rest
    listed, ceilings = (orjson.loads(e) if isinstance(e, str) else e for e in (scopes, roles))
    return KnownIssuer(
        issuer=issuer,
        audience=audience,
        algorithms=tuple(algorithms.split()),
        jwks_url=jwks_url,
        introspection_url=url,
        login=None if name is None or secret is None else (name, secret),
        scopes=Scopes(" ".join(listed)),
        bound=tuple(bound),
        people=Vouching(role_claim=role_claim, roles=ceilings) if people else None,
    )
