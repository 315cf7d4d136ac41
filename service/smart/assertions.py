"""Client assertions: what a JWT must say before a client is believed, whoever it is.

https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html
https://www.rfc-editor.org/rfc/rfc7523#section-3
"""

import base64
import re
from dataclasses import dataclass
from typing import Any

import orjson
from joserfc import jws
from joserfc.errors import JoseError

from service.smart.keys import ALGORITHMS, Jwk, KeyRefusedError, imported

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LONGEST_SECONDS = 300
# Clocks differ; a client that says exactly five minutes must not be refused for a second of it.
LEEWAY_SECONDS = 30
LONGEST_NAME = 255
SEGMENT = re.compile(r"[A-Za-z0-9_-]+")

Claims = dict[str, Any]


class RefusedAssertionError(ValueError):
    """The assertion proves nothing; the text says why, and nothing of what was sent."""


class _Registry(jws.JWSRegistry):
    """A `jku` may be longer than the library's header; other members of a header are ignored."""

    max_header_length = 4096
    max_signature_length = 2048


@dataclass(frozen=True, kw_only=True)
class Assertion:
    """A JWT whose own statements are in order, and whose signature nobody looked at yet."""

    text: str
    client: str
    algorithm: str
    kid: str
    jku: str | None
    jti: str
    ends: float

    def verify(self, key: Jwk) -> None:
        """Raise RefusedAssertionError where this key did not sign it."""
        verify(self.text, key, self.algorithm)


def verify(text: str, key: Jwk, algorithm: str) -> None:
    """Raise RefusedAssertionError where this key did not sign the JWT by this algorithm."""
    registry = _Registry(algorithms=[algorithm], strict_check_header=False)
    try:
        public = imported(key, algorithm)
        jws.deserialize_compact(text, public, registry=registry)
    except KeyRefusedError as error:
        raise RefusedAssertionError(f"the key cannot be used: {error}") from error
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise RefusedAssertionError("the signature is not by that key") from error


def read(text: str, token_url: str, now: float) -> Assertion:
    """Return an assertion that is meant for this token address, now.

    Raises:
        RefusedAssertionError: it breaks a rule, which is named.
    """
    header, claims = parts(text)
    _check_header(header)
    _check_who(claims, token_url)
    _check_when(claims, now)
    return Assertion(
        text=text,
        client=claims["iss"],
        algorithm=header["alg"],
        kid=header["kid"],
        jku=header.get("jku"),
        jti=_name(claims, "jti"),
        ends=claims["exp"],
    )


def claimed(text: str) -> str:
    """Return whose assertion it says it is; nothing of it is checked."""
    try:
        issuer = parts(text)[1].get("iss")
    except RefusedAssertionError:
        return ""
    return issuer if isinstance(issuer, str) else ""


def parts(text: str) -> tuple[Claims, Claims]:
    """Return header and claims of a JWT; nothing of them is checked."""
    segments = text.split(".")
    if len(segments) != 3 or not all(map(SEGMENT.fullmatch, segments)):  # noqa: PLR2004
        raise RefusedAssertionError("the assertion is not a signed JWT in compact form")
    return _object(segments[0]), _object(segments[1])


def _object(segment: str) -> Claims:
    try:
        padded = segment + "=" * (-len(segment) % 4)
        found = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except ValueError as error:
        raise RefusedAssertionError("header or claims of the assertion are not JSON") from error
    if not isinstance(found, dict):
        raise RefusedAssertionError("header or claims of the assertion are not an object")
    return found


def _check_header(header: Claims) -> None:
    if header.get("typ") != "JWT":
        raise RefusedAssertionError("typ must be JWT")
    if header.get("alg") not in ALGORITHMS:
        raise RefusedAssertionError(f"alg must be {' or '.join(ALGORITHMS)}")
    _name(header, "kid")
    if "jku" in header and not isinstance(header["jku"], str):
        raise RefusedAssertionError("jku must be a URL")
    if "crit" in header or "b64" in header:
        raise RefusedAssertionError("crit and b64 are not understood here")


def _check_who(claims: Claims, token_url: str) -> None:
    if not _name(claims, "iss") == _name(claims, "sub"):
        raise RefusedAssertionError("iss and sub must both be the client_id")
    if claims.get("aud") not in (token_url, [token_url]):
        raise RefusedAssertionError(f"aud must be {token_url}")


def _name(members: Claims, name: str) -> str:
    value = members.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_NAME:
        rule = f"{name} is required, text of at most {LONGEST_NAME} characters"
        raise RefusedAssertionError(rule)
    return value


def _check_when(claims: Claims, now: float) -> None:
    ends = _moment(claims, "exp")
    if ends is None:
        raise RefusedAssertionError("exp is required")
    if ends + LEEWAY_SECONDS <= now:
        raise RefusedAssertionError("the assertion has expired")
    if ends > now + LONGEST_SECONDS + LEEWAY_SECONDS:
        raise RefusedAssertionError("exp must be at most 5 minutes ahead")
    for name in ("nbf", "iat"):
        begins = _moment(claims, name)
        if begins is not None and begins > now + LEEWAY_SECONDS:
            raise RefusedAssertionError(f"{name} is still to come")


def _moment(claims: Claims, name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RefusedAssertionError(f"{name} must be a number of seconds since 1970")
    return value
