"""What the authorization server is asked and what it answers, without the web.

https://www.rfc-editor.org/rfc/rfc6749#section-5
"""

import re
from dataclasses import dataclass
from typing import Any, NamedTuple

from authlib.oauth2.rfc6749 import (  # type: ignore[import-untyped]
    InvalidClientError,
    InvalidRequestError,
    OAuth2Error,
    OAuth2Request,
)
from authlib.oauth2.rfc6749.requests import (  # type: ignore[import-untyped]
    BasicOAuth2Payload,
)

# RFC 6749 section 5.2: an error_description has no quotes, backslashes or non-ASCII.
FORBIDDEN = re.compile(r"[^\x20-\x21\x23-\x5b\x5d-\x7e]")
LONGEST_NAME = 100
CHALLENGE = 'Basic realm="alongside", charset="UTF-8"'
FAILED = "Client authentication failed"

Form = dict[str, str]
Fields = list[tuple[str, str]]  # of a form, as it was sent


@dataclass(frozen=True)
class TokenReply:
    """What an endpoint answers; `client` is the name of the client, once it proved itself."""

    status: int
    body: dict[str, Any]
    headers: list[tuple[str, str]]
    client: str | None = None
    revoked: str | None = None  # the hash of a token that is to be forgotten


class Seen(NamedTuple):
    """What is known of who asks beside what it says: address, and certificate by its thumbprint."""

    address: str = ""
    certificate: str | None = None


UNSEEN = Seen()


class TokenRequest(OAuth2Request):  # type: ignore[misc]
    """A request as Authlib reads it; the form was awaited before."""

    def __init__(
        self, uri: str, form: Form, authorization: str | None, certificate: str | None = None
    ) -> None:
        super().__init__("POST", uri, headers={"Authorization": authorization or ""})
        self.certificate = certificate
        self._form = form
        self.payload = BasicOAuth2Payload(form)

    @property
    def form(self) -> Form:
        return self._form


class ClientRefusedError(InvalidClientError):  # type: ignore[misc]
    """The same answer for an unknown client and a wrong secret, so that names cannot be tried."""

    def __init__(self, description: str = FAILED) -> None:
        super().__init__(description=sayable(description), status_code=401)

    def get_headers(self) -> list[tuple[str, str]]:
        kept = [each for each in super().get_headers() if each[0] != "WWW-Authenticate"]
        return [*kept, ("WWW-Authenticate", CHALLENGE)]


class BearerRefusedError(OAuth2Error):  # type: ignore[misc]
    """The bearer token that a caller shows is none; https://www.rfc-editor.org/rfc/rfc6750 ."""

    error = "invalid_token"

    def __init__(self, description: str) -> None:
        super().__init__(description=sayable(description), status_code=401)

    def get_headers(self) -> list[tuple[str, str]]:
        challenge = 'Bearer realm="alongside", error="invalid_token"'
        return [*super().get_headers(), ("WWW-Authenticate", challenge)]


class TooManyRequestsError(OAuth2Error):  # type: ignore[misc]
    """429; RFC 6749 has the name for another endpoint, and none of its own for this."""

    error = "temporarily_unavailable"

    def __init__(self, seconds: int) -> None:
        super().__init__(description="too many requests", status_code=429)
        self.seconds = seconds

    def get_headers(self) -> list[tuple[str, str]]:
        return [*super().get_headers(), ("Retry-After", str(self.seconds))]


def sayable(text: str) -> str:
    """Return text that an error may say."""
    return FORBIDDEN.sub("?", text)


def listed(names: list[str]) -> str:
    """Return names as an error says them: what was sent may be long, and anything."""
    return sayable(" ".join(names))[:LONGEST_NAME]


def single(form: Fields) -> Form:
    """Return the form's fields.

    Raises:
        InvalidRequestError: one is repeated, or the caller proves itself in two ways at once.
    """
    fields = dict(form)
    if len(fields) != len(form):
        raise InvalidRequestError(description="a parameter is repeated")
    return fields


def one_proof(form: Form, authorization: str | None) -> None:
    """Raise InvalidRequestError where a caller proves itself in two ways at once (section 2.3)."""
    proofs = (authorization, form.get("client_secret"), form.get("client_assertion"))
    if sum(proof is not None for proof in proofs) > 1:
        raise InvalidRequestError(description="two ways of client authentication at once")
