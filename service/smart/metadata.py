"""What software says of itself when it registers: read, checked, and held to its invitation.

What is not known here is ignored, as the RFC has it; what is known and wrong is refused by name.
https://www.rfc-editor.org/rfc/rfc7591#section-2
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import orjson
from authlib.oauth2.rfc7591.errors import (  # type: ignore[import-untyped]
    InvalidClientMetadataError,
    InvalidRedirectURIError,
    InvalidSoftwareStatementError,
    UnapprovedSoftwareStatementError,
)

from service.access import Scopes, is_scope
from service.smart.assertions import SEGMENT
from service.smart.authentication import BY_SECRET, CLIENT_CREDENTIALS, METHODS, PRIVATE_KEY_JWT
from service.smart.clients import Keys
from service.smart.keys import ALGORITHMS
from service.smart.messages import listed, sayable

LONGEST_TEXT, LONGEST_URI, MOST = 200, 2000, 10
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
TEXTS = ("client_name", "software_id", "software_version")
URIS = ("client_uri", "logo_uri", "tos_uri", "policy_uri")
METHOD = "token_endpoint_auth_method"
ALGORITHM = "token_endpoint_auth_signing_alg"

Metadata = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Software:
    """What is registered; `said` is what was said beyond scopes and keys."""

    scopes: tuple[str, ...]
    keys: Keys | None
    said: dict[str, Any] = field(default_factory=dict)


def read(document: Metadata, allowed: Sequence[str]) -> Software:
    """Return what is registered of what was sent; the rest takes what there is to choose.

    Raises:
        OAuth2Error: a member breaks a rule, or asks for more than is allowed.
    """
    sent = {name: each for name, each in document.items() if each is not None}
    _check_statement(sent)
    _check_redirects(sent)
    _check_grants(sent)
    method = _method(sent)
    said: dict[str, Any] = {METHOD: method}
    said |= {name: _text(sent, name, LONGEST_TEXT) for name in TEXTS if name in sent}
    said |= {name: _uri(sent, name) for name in URIS if name in sent}
    if "contacts" in sent:
        said["contacts"] = _texts(sent, "contacts")
    keys = _keys(sent) if method == PRIVATE_KEY_JWT else None
    return Software(scopes=_scopes(sent, allowed), keys=keys, said=said)


def wrong(name: str, rule: str) -> InvalidClientMetadataError:
    """Return the refusal of a member; of what was sent nothing is said."""
    return InvalidClientMetadataError(description=sayable(f"{name} {rule}"))


def _check_statement(sent: Metadata) -> None:
    """Refuse a signed statement: nobody is trusted to make one, so that it would say nothing."""
    statement = sent.get("software_statement")
    if statement is None:
        return
    parts = statement.split(".") if isinstance(statement, str) else []
    if len(parts) != 3 or not all(map(SEGMENT.fullmatch, parts)):  # noqa: PLR2004
        raise InvalidSoftwareStatementError(description="software_statement is not a signed JWT")
    raise UnapprovedSoftwareStatementError(
        description="no issuer of software statements is known here: leave it out"
    )


def _check_redirects(sent: Metadata) -> None:
    """Nobody is redirected by client credentials: what is well-formed is ignored."""
    if "redirect_uris" not in sent:
        return
    uris = sent["redirect_uris"]
    if not isinstance(uris, list) or not all(isinstance(each, str) for each in uris):
        raise InvalidRedirectURIError(description="redirect_uris must be a list of texts")
    if len(uris) > MOST or not all(_is_absolute(each) for each in uris):
        rule = f"redirect_uris must be at most {MOST} absolute URIs without fragment"
        raise InvalidRedirectURIError(description=rule)


def _check_grants(sent: Metadata) -> None:
    grants = _texts(sent, "grant_types") if "grant_types" in sent else [CLIENT_CREDENTIALS]
    if CLIENT_CREDENTIALS not in grants:
        raise wrong("grant_types", f"must have {CLIENT_CREDENTIALS}, the only one that is here")
    if "response_types" in sent:
        _texts(sent, "response_types")


def _method(sent: Metadata) -> str:
    has_keys = "jwks" in sent or "jwks_uri" in sent
    if METHOD not in sent:
        return PRIVATE_KEY_JWT if has_keys else BY_SECRET[0]
    method = sent[METHOD]
    if method not in METHODS:
        raise wrong(METHOD, f"must be {', '.join(METHODS[:-1])} or {METHODS[-1]}")
    if (method == PRIVATE_KEY_JWT) is not has_keys:
        raise wrong(METHOD, f"takes jwks or jwks_uri where it is {PRIVATE_KEY_JWT}, else neither")
    return str(method)


def _keys(sent: Metadata) -> Keys:
    if "jwks" in sent and "jwks_uri" in sent:
        raise wrong("jwks", "and jwks_uri must not both be there")
    algorithm = sent.get(ALGORITHM)
    if algorithm is not None and algorithm not in ALGORITHMS:
        raise wrong(ALGORITHM, f"must be {' or '.join(ALGORITHMS)}")
    algorithms = ALGORITHMS if algorithm is None else (algorithm,)
    if "jwks_uri" in sent:
        return Keys(jwks_url=_uri(sent, "jwks_uri"), algorithms=algorithms)
    if not isinstance(sent["jwks"], dict):
        raise wrong("jwks", "must be a JWK Set, as an object")
    return Keys(jwks=orjson.dumps(sent["jwks"]), algorithms=algorithms)


def _scopes(sent: Metadata, allowed: Sequence[str]) -> tuple[str, ...]:
    """Return what the software asks for, or all that it may have; never more."""
    if "scope" not in sent:
        return tuple(allowed)
    names = tuple(dict.fromkeys(_text(sent, "scope", LONGEST_URI).split()))
    if not names:
        raise wrong("scope", "is empty")
    limit = Scopes(" ".join(allowed))
    if refused := [each for each in names if not is_scope(each) or not Scopes(each).within(limit)]:
        raise wrong("scope", f"has what the invitation does not allow: {listed(refused)}")
    return names


def _text(sent: Metadata, name: str, longest: int) -> str:
    value = sent[name]
    if not isinstance(value, str) or len(value) > longest or CONTROL.search(value):
        raise wrong(name, f"must be text of at most {longest} characters, none of them control")
    return value


def _texts(sent: Metadata, name: str) -> list[str]:
    values = sent[name]
    if not isinstance(values, list) or len(values) > MOST:
        raise wrong(name, f"must be a list of at most {MOST} texts")
    return [_text({name: each}, name, LONGEST_TEXT) for each in values]


def _uri(sent: Metadata, name: str) -> str:
    value = _text(sent, name, LONGEST_URI)
    if not value.startswith(("https://", "http://")) or not _is_absolute(value):
        raise wrong(name, "must be an address that begins with https://")
    return value


def _is_absolute(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    printable = text.isascii() and text.isprintable() and " " not in text
    return printable and bool(parts.scheme) and not parts.fragment and len(text) <= LONGEST_URI
