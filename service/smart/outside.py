"""Access tokens of issuers outside: by their signature, or by asking the issuer.

What holds is the row that a token of ours would have, so that nothing after it knows the
difference: scopes are those of the token that the issuer may have, the rest is as configured.
https://www.rfc-editor.org/rfc/rfc9068#section-4
https://www.rfc-editor.org/rfc/rfc7662#section-2
"""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import orjson

from service.access import V1_SCOPES, Scopes
from service.clock import Clock
from service.encryption import Cipher
from service.errors import SecretsError
from service.scopes import shared
from service.smart import assertions
from service.smart.assertions import LEEWAY_SECONDS, RefusedAssertionError
from service.smart.fetching import Fetcher, FetchError
from service.smart.issuers import KnownIssuer
from service.smart.key_sets import KeySets
from service.smart.people import RefusedPersonError, person_of, scopes_of_person

LONGEST = 8192
SECOND = 1_000_000
UNTOLD_SECONDS = 60  # of a token whose issuer does not say when it ends; it is asked again sooner
LAST = 10**11  # seconds, some three thousand years
TYPES = ("at+jwt", "application/at+jwt", "jwt")
PLAIN = re.compile(r"[A-Za-z0-9._:-]{1,64}")

Row = tuple[Any, ...]
Claims = dict[str, Any]


class RefusedTokenError(ValueError):
    """The token is of no use here; the text says why, for our own record."""


@dataclass(frozen=True, kw_only=True)
class OutsideTokens:
    """Looks at tokens that are not ours; `audience` is the FHIR endpoint."""

    fetcher: Fetcher
    key_sets: KeySets
    cipher: Cipher
    audience: str
    clock: Clock
    key: bytes = field(repr=False)  # the installation's: people's pseudonyms are made with it

    def row_of(self, token: str, issuers: Sequence[KnownIssuer]) -> Row:
        """Return the row of tokens.SELECT_ACCESS that the token is worth.

        Raises:
            RefusedTokenError: it is worth nothing.
        """
        if len(token) > LONGEST or not token.isascii():
            raise RefusedTokenError("it is too long, or has other than ASCII characters")
        name = assertions.claimed(token)
        if not name:
            return self._opaque(token, issuers)
        issuer = next((each for each in issuers if each.issuer == name), None)
        if issuer is None:
            raise RefusedTokenError("nobody knows its issuer here")
        try:
            claims = self._signed(token, issuer) if issuer.jwks_url else self._asked(token, issuer)
        except (RefusedAssertionError, FetchError) as error:
            raise RefusedTokenError(str(error)) from error
        return self._row(claims, issuer)

    def _opaque(self, token: str, issuers: Sequence[KnownIssuer]) -> Row:
        """Ask the one who can be asked: of several, a token would be shown to another hospital."""
        asked = [each for each in issuers if each.introspection_url is not None]
        if len(asked) != 1:
            raise RefusedTokenError("it does not say whose it is")
        try:
            return self._row(self._asked(token, asked[0]), asked[0])
        except FetchError as error:
            raise RefusedTokenError(str(error)) from error

    def _signed(self, token: str, issuer: KnownIssuer) -> Claims:
        header, claims = assertions.parts(token)
        if str(header.get("typ", "JWT")).lower() not in TYPES or {"crit", "b64"} & header.keys():
            raise RefusedTokenError("typ must be at+jwt, and crit and b64 are not understood")
        algorithm, kid = header.get("alg"), header.get("kid")
        if algorithm not in issuer.algorithms or not isinstance(kid, str):
            raise RefusedTokenError(f"alg must be of {issuer.algorithms}, and kid name a key")
        key = self.key_sets.find(issuer.jwks_url or "", kid, algorithm)
        if key is None:
            raise RefusedTokenError("not exactly one key has this kid and type")
        assertions.verify(token, key, algorithm)
        return {**claims, "exp": _number(claims, "exp")}

    def _asked(self, token: str, issuer: KnownIssuer) -> Claims:
        url = issuer.introspection_url
        if url is None:
            raise RefusedTokenError("its issuer signs, and this is not signed")
        form = {"token": token, "token_type_hint": "access_token"}
        answer = self.fetcher.post(url, form, self._authorization(issuer))
        try:
            found = orjson.loads(answer.content)
        except orjson.JSONDecodeError as error:
            raise RefusedTokenError("its issuer does not answer in JSON") from error
        if not isinstance(found, dict) or found.get("active") is not True:
            raise RefusedTokenError("its issuer says that it is not active")
        if found.get("iss", issuer.issuer) != issuer.issuer:
            raise RefusedTokenError("another issuer has issued it")
        return found

    def _authorization(self, issuer: KnownIssuer) -> str | None:
        """Return our proof to the issuer; https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1 ."""
        if issuer.login is None:
            return None
        name, kept = issuer.login
        try:
            secret = self.cipher.decrypt(kept).decode()
        except SecretsError as error:
            raise RefusedTokenError(str(error)) from error
        pair = f"{quote(name, safe='')}:{quote(secret, safe='')}"
        return f"Basic {base64.b64encode(pair.encode()).decode()}"

    def _row(self, claims: Claims, issuer: KnownIssuer) -> Row:
        """Return what the claims are worth, whichever way they came."""
        now = self.clock().timestamp()
        ends = _number(claims, "exp") if "exp" in claims else now + UNTOLD_SECONDS
        if ends <= now:
            raise RefusedTokenError("it has expired")
        if any(_number(claims, name) > now + LEEWAY_SECONDS for name in ("nbf",) if name in claims):
            raise RefusedTokenError("it is not valid yet")
        audiences = claims.get("aud")
        listed = audiences if isinstance(audiences, list) else [audiences]
        if (issuer.audience or self.audience) not in listed:
            raise RefusedTokenError("its aud is not this FHIR endpoint")
        held = (int(ends * SECOND), False, None, _certificate(claims))
        return (*held, *self._bound(claims, issuer))

    def _bound(self, claims: Claims, issuer: KnownIssuer) -> Row:
        """Return the rest of the row: what the token may do, and for whom."""
        client, name, ceiling, *bound = issuer.bound
        names, called = _scope(claims), _called(name, claims)
        own = scopes_of_person(names)
        if issuer.people is None or not own:
            return (intersection(names, issuer.scopes), client, called, ceiling, *bound)
        try:
            who = person_of(claims, issuer.issuer, issuer.people, ceiling, self.key)
        except RefusedPersonError as error:
            raise RefusedTokenError(str(error)) from error
        scope = intersection(own, issuer.scopes)
        return (scope, client, called, who.ceiling, *bound, who.name, who.fhir_user, who.role)


def _number(claims: Claims, name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < LAST:
        raise RefusedTokenError(f"{name} must be a number of seconds since 1970")
    return value


def _certificate(claims: Claims) -> str | None:
    """Return the thumbprint that the token is bound to; bound to what else, it is refused."""
    if "cnf" not in claims:
        return None
    bound = claims["cnf"]
    found = bound.get("x5t#S256") if isinstance(bound, dict) and len(bound) == 1 else None
    if not isinstance(found, str) or not found.isascii():
        raise RefusedTokenError("it is bound to what cannot be shown here")
    return found


def _scope(claims: Claims) -> list[str]:
    """Return the scopes of a token; some issuers have a list, under either name."""
    said = claims.get("scope", claims.get("scp", ""))
    if isinstance(said, str):
        return said.split()
    return [each for each in said if isinstance(each, str)] if isinstance(said, list) else []


def intersection(names: Sequence[str], allowed: Scopes) -> str:
    """Return what both have. What is unknown here, or narrowed by a parameter, is left out.

    By which parameters can be searched was looked at where the issuer's own scopes were given.
    """
    plain = [name for name in names if "?" not in name]
    found = sorted(V1_SCOPES.intersection(plain, allowed.names))
    both = shared(Scopes(" ".join(plain)).parsed, allowed.parsed)
    return " ".join([*found, *map(str, both)])


def _called(name: str, claims: Claims) -> str:
    """Return whom the audit row names: the issuer, and its client where that is plain."""
    client = claims.get("client_id", claims.get("azp"))
    if isinstance(client, str) and PLAIN.fullmatch(client):
        return f"{name}/{client}"
    return str(name)
