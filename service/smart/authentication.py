"""How a client proves itself: by its secret, or by a signed assertion (SMART Backend Services).

https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html
https://www.rfc-editor.org/rfc/rfc6749#section-2.3
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from authlib.oauth2.rfc6749 import ClientMixin  # type: ignore[import-untyped]

from service.clock import Clock, microseconds
from service.database import Database
from service.models.connections import Client
from service.smart import assertions, replays
from service.smart.assertions import (
    ASSERTION_TYPE,
    LEEWAY_SECONDS,
    Assertion,
    RefusedAssertionError,
)
from service.smart.clients import has_secret
from service.smart.fetching import FetchError
from service.smart.key_sets import KeySets
from service.smart.keys import ALGORITHMS, Jwk, named
from service.smart.messages import ClientRefusedError, TokenRequest

CLIENT_CREDENTIALS = "client_credentials"
PRIVATE_KEY_JWT = "private_key_jwt"
BY_SECRET = ("client_secret_basic", "client_secret_post")
METHODS = [*BY_SECRET, PRIVATE_KEY_JWT]

log = logging.getLogger("alongside.smart")


class RegisteredClient(ClientMixin):  # type: ignore[misc]
    """A client's row, as Authlib asks for it."""

    def __init__(self, row: Client) -> None:
        self.row = row

    def check_client_secret(self, client_secret: str) -> bool:
        return has_secret(self.row, client_secret)

    def check_endpoint_auth_method(self, method: str, _endpoint: str) -> bool:
        return method == PRIVATE_KEY_JWT if self.row.has_keys else method in BY_SECRET

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == CLIENT_CREDENTIALS


@dataclass(frozen=True, kw_only=True)
class AssertionAuthentication:
    """The method private_key_jwt, as Authlib asks for it.

    What is wrong with an assertion by itself is said; what depends on the client is not, so that
    neither names nor keys can be tried: that is in the log.
    """

    database: Database
    token_url: str
    key_sets: KeySets
    clock: Clock

    def __call__(
        self, query_client: Callable[[str], RegisteredClient | None], request: TokenRequest
    ) -> RegisteredClient | None:
        form = request.form
        if "client_assertion" not in form and "client_assertion_type" not in form:
            return None
        try:
            found = self._client(query_client, request)
        except RefusedAssertionError as error:
            raise ClientRefusedError(str(error)) from error
        return found

    def _client(
        self, query_client: Callable[[str], RegisteredClient | None], request: TokenRequest
    ) -> RegisteredClient:
        assertion = self._read(request)
        client = query_client(assertion.client)
        if client is None:
            raise ClientRefusedError
        try:
            assertion.verify(self._key(client.row, assertion))
        except (RefusedAssertionError, FetchError) as error:
            log.info("an assertion of %s was refused: %s", client.row.name, error)
            raise ClientRefusedError from error
        self._use(client.row, assertion)
        return client

    def _read(self, request: TokenRequest) -> Assertion:
        if request.form.get("client_assertion_type") != ASSERTION_TYPE:
            raise RefusedAssertionError(f"client_assertion_type must be {ASSERTION_TYPE}")
        now = self.clock().timestamp()
        found = assertions.read(request.form.get("client_assertion", ""), self.token_url, now)
        if request.form.get("client_id", found.client) != found.client:
            raise RefusedAssertionError("client_id must be iss and sub of the assertion")
        return found

    def _key(self, client: Client, assertion: Assertion) -> Jwk:
        if not client.has_keys:
            raise RefusedAssertionError("it has a secret, and no keys")
        if assertion.jku is not None and assertion.jku != client.jwks_url:
            raise RefusedAssertionError("jku is not the address that was registered")
        if assertion.algorithm not in (client.algorithms or ALGORITHMS):
            raise RefusedAssertionError(f"{assertion.algorithm} is not one of its algorithms")
        kid, algorithm = assertion.kid, assertion.algorithm
        if client.jwks_url is not None:
            key = self.key_sets.find(client.jwks_url, kid, algorithm)
        else:
            key = named((client.jwks or {}).get("keys", ()), kid, algorithm)
        if key is None:
            raise RefusedAssertionError("not exactly one key has this kid and type")
        return key

    def _use(self, client: Client, assertion: Assertion) -> None:
        """Refuse what was used before; only a signature that holds uses an assertion up."""
        now = microseconds(self.clock())
        until = int((assertion.ends + LEEWAY_SECONDS) * 1_000_000)
        is_first = self.database.unit_of_work(
            lambda session: replays.use(session, client.id, assertion.jti, until=until, now=now)
        )
        if not is_first:
            raise RefusedAssertionError(
                "the assertion was used before: each needs a jti of its own"
            )
