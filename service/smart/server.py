"""The token endpoint, on Authlib: client credentials with client_secret_basic and _post.

https://www.rfc-editor.org/rfc/rfc6749#section-4.4
"""

import logging
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from authlib.oauth2.rfc6749 import (  # type: ignore[import-untyped]
    AuthorizationServer,
    ClientMixin,
    InvalidClientError,
    InvalidRequestError,
    InvalidScopeError,
    OAuth2Error,
    OAuth2Request,
)
from authlib.oauth2.rfc6749.grants import (  # type: ignore[import-untyped]
    ClientCredentialsGrant as AuthlibGrant,
)
from authlib.oauth2.rfc6749.requests import (  # type: ignore[import-untyped]
    BasicOAuth2Payload,
)

from service.access import Scopes, is_scope
from service.clock import Clock
from service.database import Database
from service.models.connections import Client
from service.smart.clients import find_client, has_secret
from service.smart.tokens import TOKEN_BYTES, Grant, remember

CLIENT_CREDENTIALS = "client_credentials"
METHODS = ["client_secret_basic", "client_secret_post"]
# RFC 6749 section 5.2: an error_description has no quotes, backslashes or non-ASCII.
FORBIDDEN = re.compile(r"[^\x20-\x21\x23-\x5b\x5d-\x7e]")
LONGEST_NAME = 100

# At DEBUG, Authlib writes the tokens that it issues into the log.
logging.getLogger("authlib").setLevel(logging.INFO)


@dataclass(frozen=True)
class TokenReply:
    """What the endpoint answers; `client` is the name of the client, once it proved itself."""

    status: int
    body: dict[str, Any]
    headers: list[tuple[str, str]]
    client: str | None = None


class TokenRequest(OAuth2Request):  # type: ignore[misc]
    """A request as Authlib reads it; the form was awaited before."""

    def __init__(self, uri: str, form: dict[str, str], authorization: str | None) -> None:
        super().__init__("POST", uri, headers={"Authorization": authorization or ""})
        self._form = form
        self.payload = BasicOAuth2Payload(form)

    @property
    def form(self) -> dict[str, str]:
        return self._form


class ClientRefusedError(InvalidClientError):  # type: ignore[misc]
    """The same answer for an unknown client and a wrong secret, so that names cannot be tried."""

    def __init__(self) -> None:
        super().__init__(description="Client authentication failed", status_code=401)

    def get_headers(self) -> list[tuple[str, str]]:
        kept = [each for each in super().get_headers() if each[0] != "WWW-Authenticate"]
        return [*kept, ("WWW-Authenticate", 'Basic realm="alongside", charset="UTF-8"')]


class RegisteredClient(ClientMixin):  # type: ignore[misc]
    """A client's row, as Authlib asks for it."""

    def __init__(self, row: Client) -> None:
        self.row = row

    def check_client_secret(self, client_secret: str) -> bool:
        return has_secret(self.row, client_secret)

    def check_endpoint_auth_method(self, method: str, _endpoint: str) -> bool:
        return method in METHODS

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == CLIENT_CREDENTIALS


class ClientCredentialsGrant(AuthlibGrant):  # type: ignore[misc]
    """Gives a client scopes that it may have; it must say which."""

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS

    def validate_requested_scope(self) -> None:
        names = (self.request.payload.scope or "").split()
        if not names:
            raise InvalidScopeError(description="scope is required")
        unknown = [name for name in names if not is_scope(name)]
        if unknown:
            raise InvalidScopeError(description=f"unknown here: {_sayable(unknown)}")
        allowed = Scopes(" ".join(self.client.row.scopes))
        refused = [name for name in names if not Scopes(name).within(allowed)]
        if refused:
            description = f"this client may not have: {_sayable(refused)}"
            raise InvalidScopeError(description=description)


class Server(AuthorizationServer):  # type: ignore[misc]
    """The authorization server of one installation."""

    def __init__(self, database: Database, *, base_url: str, seconds: int, clock: Clock) -> None:
        super().__init__()
        self.database = database
        self.uri = f"{base_url}/oauth/token"
        self.seconds = seconds
        self.clock = clock
        self.register_grant(ClientCredentialsGrant)
        self.register_token_generator("default", self._generate)

    def reply(self, form: Sequence[tuple[str, str]], authorization: str | None) -> TokenReply:
        """Answer a token request."""
        try:
            request = self._request(form, authorization)
            found: TokenReply = self.create_token_response(request)
        except OAuth2Error as error:
            return self.handle_response(*error(None))
        except ValueError:  # Authlib's, where input has what an error may not say
            refusal = InvalidRequestError(description="the request has characters not allowed")
            return self.handle_response(*refusal(None))
        return replace(found, client=request.client.row.name if request.client else None)

    def _request(self, form: Sequence[tuple[str, str]], authorization: str | None) -> TokenRequest:
        fields = dict(form)
        if len(fields) != len(form):
            raise InvalidRequestError(description="a parameter is repeated")
        if not fields.get("grant_type"):
            raise InvalidRequestError(description="grant_type is required")
        if authorization and "client_secret" in fields:
            raise InvalidRequestError(description="two ways of client authentication at once")
        return TokenRequest(self.uri, fields, authorization)

    def query_client(self, client_id: str) -> RegisteredClient | None:
        row = self.database.read(lambda session: find_client(session, client_id))
        return RegisteredClient(row) if row is not None and row.disabled_at is None else None

    def authenticate_client(
        self, request: TokenRequest, methods: list[str], endpoint: str = "token"
    ) -> RegisteredClient:
        try:
            client: RegisteredClient = super().authenticate_client(request, methods, endpoint)
        except InvalidClientError as error:
            raise ClientRefusedError from error
        return client

    def save_token(self, token: dict[str, Any], request: TokenRequest) -> None:
        grant = Grant(scope=token["scope"], seconds=token["expires_in"])
        self.database.unit_of_work(
            lambda session: remember(
                session,
                token["access_token"],
                client_id=request.client.row.id,
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
        if description := content.get("error_description"):
            content["error_description"] = FORBIDDEN.sub("?", description)
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


def _sayable(names: list[str]) -> str:
    return FORBIDDEN.sub("?", " ".join(names))[:LONGEST_NAME]
