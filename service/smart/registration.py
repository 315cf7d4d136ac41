"""Software that registers itself by an invitation, and then looks after its registration.

Ours, not Authlib's: there the token is looked at, the metadata read and the client saved in three
steps that no transaction holds together (ADR 0030).
https://www.rfc-editor.org/rfc/rfc7591
https://www.rfc-editor.org/rfc/rfc7592
"""

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from authlib.oauth2.rfc6749 import OAuth2Error  # type: ignore[import-untyped]
from sqlmodel import Session

from service.errors import InvalidError, LoginError
from service.models.connections import Client
from service.smart import clients, invitations, metadata
from service.smart.authentication import CLIENT_CREDENTIALS
from service.smart.clients import SECRET_BYTES, NewClient, find_client, has_secret, hashed, prove
from service.smart.discovery import REGISTER
from service.smart.messages import BearerRefusedError, TokenReply
from service.smart.metadata import ALGORITHM, Metadata, Software, wrong
from service.smart.scopes import require_grantable
from service.smart.server import NO_STORE, UNAUTHORIZED, Server
from service.smart.tokens import bearer

NAME_BYTES = 12
ATTEMPTS = "registration"  # what failures are counted by, where others have a client's name
# https://www.rfc-editor.org/rfc/rfc7592#section-2.2
OURS_TO_SAY = (
    "registration_access_token", "registration_client_uri", "client_secret_expires_at",
    "client_id_issued_at",
)  # fmt: skip
REFUSED = "the token is not one that this can be done with"

Json = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """Who asks: its header, and the address as it is counted."""

    authorization: str | None
    address: str = ""


@dataclass(frozen=True, kw_only=True)
class Registrar:
    """The registration endpoints of one installation."""

    server: Server
    base_url: str

    def register(self, document: Metadata, asked: Asked) -> TokenReply:
        """Answer software that holds an invitation."""
        return self._answered(asked, lambda token: self._register(document, token))

    def show(self, name: str, asked: Asked) -> TokenReply:
        """Answer what is registered, to the client itself."""

        def work(token: str) -> TokenReply:
            client = self.server.database.read(lambda session: _own(session, name, token))
            return self._reply(200, client, token)

        return self._answered(asked, work)

    def change(self, name: str, document: Metadata, asked: Asked) -> TokenReply:
        """Replace what is registered by what the client says now."""
        return self._answered(asked, lambda token: self._change(name, document, token))

    def remove(self, name: str, asked: Asked) -> TokenReply:
        """End the client, at its own wish, with the tokens that it holds."""

        def work(token: str) -> TokenReply:
            now = self.server.clock()

            def remove(session: Session) -> None:
                client = _own(session, name, token)
                client.registration_hash = None
                clients.disable_client(session, name, now)

            self.server.database.unit_of_work(remove)
            return TokenReply(204, {}, NO_STORE, name)

        return self._answered(asked, work)

    def _answered(self, asked: Asked, work: Callable[[str], TokenReply]) -> TokenReply:
        def limited() -> TokenReply:
            limiter = self.server.limiter
            limiter.admit(asked.address)
            limiter.check(asked.address, ATTEMPTS)
            reply = self.server.safely(lambda: work(_token_of(asked)))
            if reply.status == UNAUTHORIZED:
                limiter.failed(asked.address, ATTEMPTS)
            return reply

        return self.server.safely(limited)

    def _register(self, document: Metadata, token: str) -> TokenReply:
        database, now, token_hash = self.server.database, self.server.clock(), hashed(token)
        invitation = database.read(lambda session: invitations.find(session, token_hash, now))
        if invitation is None:
            raise BearerRefusedError(REFUSED)
        software = self._read(document, invitation.scopes)
        own = secrets.token_urlsafe(SECRET_BYTES)

        def work(session: Session) -> tuple[Client, str]:
            used = invitations.use(session, token_hash, now)
            if used is None:
                raise BearerRefusedError(REFUSED)
            new = NewClient(
                name=f"sw-{secrets.token_hex(NAME_BYTES)}",
                scopes=software.scopes,
                connection_id=used.connection_id,
                ceiling=used.ceiling,
                roster_role=used.roster_role,
                purpose=used.purpose,
                keys=software.keys,
            )
            client, secret = clients.add_client(session, new)
            client.software, client.registration_hash = software.said, hashed(own)
            used.client_id = client.id
            return client, secret

        client, secret = _refusing(lambda: database.unit_of_work(work))
        return self._reply(201, client, own, secret)

    def _change(self, name: str, document: Metadata, token: str) -> TokenReply:
        database = self.server.database
        client = database.read(lambda session: _own(session, name, token))
        invitation = database.read(lambda session: invitations.of_client(session, client.id))
        _check_own(client, document)
        software = self._read(document, invitation.scopes)

        def work(session: Session) -> tuple[Client, str]:
            row = _own(session, name, token)
            row.scopes, row.software = list(software.scopes), software.said
            secret = "" if software.keys is None and not row.has_keys else prove(row, software.keys)
            return row, secret

        row, secret = _refusing(lambda: database.unit_of_work(work))
        return self._reply(200, row, token, secret)

    def _read(self, document: Metadata, allowed: list[str]) -> Software:
        software = metadata.read(document, allowed)
        _refusing(lambda: require_grantable(software.scopes, self.server.registry))
        if software.keys is not None and software.keys.jwks_url is not None:
            url = software.keys.jwks_url
            _refusing(lambda: self.server.fetcher.check(url))
        return software

    def _reply(self, status: int, client: Client, token: str, secret: str = "") -> TokenReply:
        body: Json = {
            **(client.software or {}),
            "client_id": client.name,
            "client_id_issued_at": int(client.created_at.timestamp()),
            "grant_types": [CLIENT_CREDENTIALS],
            "response_types": [],
            "scope": " ".join(client.scopes),
            "registration_access_token": token,
            "registration_client_uri": f"{self.base_url}{REGISTER}/{client.name}",
            **_keys(client),
        }
        if secret:
            body |= {"client_secret": secret, "client_secret_expires_at": 0}
        return TokenReply(status, body, NO_STORE, client.name)


def _keys(client: Client) -> Json:
    found: Json = {"jwks": client.jwks, "jwks_uri": client.jwks_url}
    if client.algorithms and len(client.algorithms) == 1:
        found[ALGORITHM] = client.algorithms[0]
    return {name: each for name, each in found.items() if each is not None}


def _token_of(asked: Asked) -> str:
    try:
        bearer(asked.authorization)
    except LoginError as error:
        raise BearerRefusedError(str(error)) from error
    return (asked.authorization or "").partition(" ")[2].strip()


def _own(session: Session, name: str, token: str) -> Client:
    """Return the client of this name if the token is its own; it learns nothing of others."""
    client = find_client(session, name)
    kept = client.registration_hash if client and client.disabled_at is None else None
    if client is None or not hmac.compare_digest(kept or "", hashed(token)):
        raise BearerRefusedError(REFUSED)
    return client


def _check_own(client: Client, document: Metadata) -> None:
    """Raise OAuth2Error where an update is not of this client (RFC 7592, 2.2)."""
    if document.get("client_id") != client.name:
        raise wrong("client_id", "must be that of the client")
    if said := [name for name in OURS_TO_SAY if name in document]:
        raise wrong(said[0], "is not the client's to say")
    secret = document.get("client_secret")
    if secret is not None and not (isinstance(secret, str) and has_secret(client, secret)):
        raise wrong("client_secret", "is not that of the client: leave it out")


def _refusing(work: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever it returns
    """Say what a rule of ours refuses as the RFC says it."""
    try:
        return work()
    except OAuth2Error:
        raise
    except InvalidError as error:
        raise wrong("metadata:", error.message) from error
