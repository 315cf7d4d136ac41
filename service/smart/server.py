"""The authorization server, on Authlib: client credentials, introspection and revocation.

https://www.rfc-editor.org/rfc/rfc6749#section-4.4
"""

import logging
import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from authlib.oauth2.rfc6749 import (  # type: ignore[import-untyped]
    AuthorizationServer,
    InvalidClientError,
    InvalidRequestError,
    InvalidScopeError,
    OAuth2Error,
)
from authlib.oauth2.rfc6749.grants import (  # type: ignore[import-untyped]
    ClientCredentialsGrant as AuthlibGrant,
)

from service.access import Scopes
from service.clock import Clock
from service.database import Database
from service.errors import LoginError, ValueSetError
from service.fhir.mapping import Registry
from service.smart import introspection
from service.smart.authentication import (
    METHODS,
    PRIVATE_KEY_JWT,
    AssertionAuthentication,
    RegisteredClient,
)
from service.smart.clients import find_client
from service.smart.discovery import TOKEN
from service.smart.fetching import Fetcher
from service.smart.key_sets import KeySets
from service.smart.limiting import Limiter, claimed
from service.smart.messages import (
    UNSEEN,
    BearerRefusedError,
    ClientRefusedError,
    Fields,
    Form,
    Seen,
    TokenReply,
    TokenRequest,
    listed,
    one_proof,
    sayable,
    single,
)
from service.smart.scopes import require_grantable
from service.smart.tokens import TOKEN_BYTES, Grant, bearer, remember

UNAUTHORIZED = 401
NO_STORE = [
    ("Content-Type", "application/json"),
    ("Cache-Control", "no-store"),
    ("Pragma", "no-cache"),
]

# What Authlib gives no description of (IG 252).
UNDESCRIBED = {"unsupported_grant_type": "grant_type must be client_credentials"}

# What no registry of types says is served cannot be searched by, nor granted so.
UNSERVED = Registry((), ())

# At DEBUG, Authlib writes the tokens that it issues into the log.
log = logging.getLogger("alongside.smart")
logging.getLogger("authlib").setLevel(logging.INFO)


class ClientCredentialsGrant(AuthlibGrant):  # type: ignore[misc]
    """Gives a client scopes that it may have; it must say which."""

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS

    def validate_requested_scope(self) -> None:
        names = (self.request.payload.scope or "").split()
        if not names:
            raise InvalidScopeError(description="scope is required")
        try:
            require_grantable(names, self.server.registry)
        except ValueSetError as error:
            raise InvalidScopeError(description=sayable(error.message)) from None
        allowed = Scopes(" ".join(self.client.row.scopes))
        if refused := [name for name in names if not Scopes(name).within(allowed)]:
            description = f"this client may not have: {listed(refused)}"
            raise InvalidScopeError(description=description)


class Server(AuthorizationServer):  # type: ignore[misc]
    """The authorization server of one installation."""

    def __init__(  # noqa: PLR0913 - what it works with, each by its name
        self,
        database: Database,
        *,
        base_url: str,
        seconds: int,
        clock: Clock,
        fetcher: Fetcher | None = None,
        limiter: Limiter | None = None,
        registry: Registry = UNSERVED,
    ) -> None:
        super().__init__()
        self.registry = registry
        self.database = database
        self.uri = base_url + TOKEN
        self.seconds = seconds
        self.clock = clock
        self.fetcher = fetcher or Fetcher()
        self.limiter = limiter or Limiter()
        self.register_grant(ClientCredentialsGrant)
        self.register_token_generator("default", self._generate)
        self.register_client_auth_method(
            PRIVATE_KEY_JWT,
            AssertionAuthentication(
                database=database,
                token_url=self.uri,
                key_sets=KeySets(self.fetcher.get),
                clock=clock,
            ),
        )

    def reply(self, form: Fields, authorization: str | None, seen: Seen = UNSEEN) -> TokenReply:
        """Answer a request for a token."""
        return self._answered(self._token, form, authorization, seen)

    def introspect(
        self, form: Fields, authorization: str | None, seen: Seen = UNSEEN
    ) -> TokenReply:
        """Answer what a token is worth, to a client or to who has a token (RFC 7662)."""
        return self._answered(self._introspection, form, authorization, seen)

    def revoke(self, form: Fields, authorization: str | None, seen: Seen = UNSEEN) -> TokenReply:
        """End a token of the client that asks (RFC 7009)."""
        return self._answered(self._revocation, form, authorization, seen)

    def _answered(
        self,
        work: Callable[[Form, str | None, Seen], TokenReply],
        form: Fields,
        authorization: str | None,
        seen: Seen,
    ) -> TokenReply:
        def limited() -> TokenReply:
            self.limiter.admit(seen.address)
            fields = single(form)
            one_proof(fields, authorization)
            client = claimed(fields, authorization)
            self.limiter.check(seen.address, client)
            found = self.safely(lambda: work(fields, authorization, seen))
            if found.status == UNAUTHORIZED:
                self.limiter.failed(seen.address, client)
            return found

        return self.safely(limited)

    def safely(self, work: Callable[[], TokenReply]) -> TokenReply:
        """Return what is answered, errors included."""
        try:
            return work()
        except OAuth2Error as error:
            return self.handle_response(*error(None))
        except ValueError:  # Authlib's, where input has what an error may not say
            refusal = InvalidRequestError(description="the request has characters not allowed")
            return self.handle_response(*refusal(None))

    def _token(self, form: Form, authorization: str | None, seen: Seen) -> TokenReply:
        if not form.get("grant_type"):
            raise InvalidRequestError(description="grant_type is required")
        request = TokenRequest(self.uri, form, authorization, seen.certificate)
        found: TokenReply = self.create_token_response(request)
        return replace(found, client=request.client.row.name if request.client else None)

    def _introspection(self, form: Form, authorization: str | None, seen: Seen) -> TokenReply:
        caller = self._introspecting(form, authorization, seen)
        token, now = _token_of(form), self.clock()
        body = self.database.read(lambda session: introspection.introspect(session, token, now))
        return TokenReply(200, body, NO_STORE, caller)

    def _introspecting(self, form: Form, authorization: str | None, seen: Seen) -> str:
        """Return the name of who asks; a bearer token does as well as the client's proof (IG 282).

        Whoever holds a token may learn of it what its holder can: any valid one admits.
        """
        if (authorization or "")[:7].lower() != "bearer ":
            client: str = self._client(form, authorization, seen).row.name
            return client
        try:
            token_hash, now = bearer(authorization), self.clock()
        except LoginError as error:
            raise BearerRefusedError(str(error)) from error
        found = self.database.read(
            lambda session: introspection.client_of(session, token_hash, now, seen.certificate)
        )
        if found is None:
            raise BearerRefusedError("the access token in the header is not valid")
        return found

    def _revocation(self, form: Form, authorization: str | None, seen: Seen) -> TokenReply:
        client = self._client(form, authorization, seen).row
        token = _token_of(form)
        revoked = self.database.unit_of_work(
            lambda session: introspection.revoke(session, token, client.id)
        )
        return TokenReply(200, {}, NO_STORE, client.name, revoked)

    def _client(self, form: Form, authorization: str | None, seen: Seen) -> RegisteredClient:
        request = TokenRequest(self.uri, form, authorization, seen.certificate)
        return self.authenticate_client(request, METHODS)

    def query_client(self, client_id: str) -> RegisteredClient | None:
        row = self.database.read(lambda session: find_client(session, client_id))
        return RegisteredClient(row) if row is not None and row.disabled_at is None else None

    def authenticate_client(
        self, request: TokenRequest, methods: list[str], endpoint: str = "token"
    ) -> RegisteredClient:
        try:
            client: RegisteredClient = super().authenticate_client(request, methods, endpoint)
        except ClientRefusedError:
            raise
        except InvalidClientError as error:
            raise ClientRefusedError from error
        if client.row.certificate not in (None, request.certificate):
            log.info("%s did not show the certificate that it is bound to", client.row.name)
            raise ClientRefusedError
        self.limiter.proved(client.row.name)
        return client

    def save_token(self, token: dict[str, Any], request: TokenRequest) -> None:
        client = request.client.row
        grant = Grant(
            scope=token["scope"], seconds=token["expires_in"], certificate=client.certificate
        )
        self.database.unit_of_work(
            lambda session: remember(
                session,
                token["access_token"],
                client_id=client.id,
                grant=grant,
                now=self.clock(),
            )
        )

    def create_oauth2_request(self, request: TokenRequest) -> TokenRequest:
        return request

    def handle_response(
        self, status: int, body: dict[str, Any] | list[Any], headers: list[tuple[str, str]]
    ) -> TokenReply:
        content = dict(body)
        if (error := content.get("error")) in UNDESCRIBED:
            content.setdefault("error_description", UNDESCRIBED[error])
        if description := content.get("error_description"):
            content["error_description"] = sayable(description)
        return TokenReply(status, content, headers)

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Say nothing: Authlib requires the hook."""

    def validate_requested_scope(self, scope: str) -> None:
        """Leave it to the grant, which knows the client."""

    def _generate(self, *, scope: str, **_rest: object) -> dict[str, Any]:
        return {
            "access_token": secrets.token_urlsafe(TOKEN_BYTES),
            "token_type": "Bearer",
            "expires_in": self.seconds,
            "scope": scope,
        }


def _token_of(form: Form) -> str:
    token = form.get("token")
    if not token:
        raise InvalidRequestError(description="token is required")
    return token
