"""Public keys of clients: what may be registered, and which one an assertion names.

https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html
https://www.rfc-editor.org/rfc/rfc7517
"""

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import orjson
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.util import urlsafe_b64decode

from service.errors import InvalidError, RequiredError, ValueSetError

Jwk = dict[str, Any]
Key = RSAKey | ECKey


class Algorithm(StrEnum):
    """What is signed with here: https://www.rfc-editor.org/rfc/rfc7518#section-3.1 ."""

    RS384 = "RS384"
    ES384 = "ES384"


ALGORITHMS = tuple(each.value for each in Algorithm)
# Issuers outside sign with these besides; our own clients do not.
OUTSIDE = (*ALGORITHMS, "RS256", "ES256")
KEY_TYPES = {"RS384": "RSA", "ES384": "EC", "RS256": "RSA", "ES256": "EC"}
CURVE = "P-384"
CURVES = {"ES384": CURVE, "ES256": "P-256"}
# https://www.rfc-editor.org/rfc/rfc7518#section-3.3: RSA keys have 2048 bits or more. Larger than
# these nobody needs, and their check would take our time.
SMALLEST_MODULUS, LARGEST_MODULUS = 2048, 8192
LARGEST_EXPONENT = 2**32
SECRET_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
# What is kept of a key; https://www.rfc-editor.org/rfc/rfc7517#section-4 has the rest.
NEEDED = ("kty", "n", "e", "crv", "x", "y")
MEMBERS = ("kid", "use", "key_ops", "alg", *NEEDED)


class KeyRefusedError(ValueError):
    """A key that cannot be used here; the text says why."""


def keys_of(document: bytes) -> list[Jwk]:
    """Return the keys of a JWK Set, not looked at yet.

    Raises:
        InvalidError: it is not a JWK Set, or holds what must be secret.
    """
    try:
        found = orjson.loads(document)
    except orjson.JSONDecodeError as error:
        raise InvalidError("the keys are not JSON", element="jwks") from error
    keys = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        rule = 'the keys are not a JWK Set: {"keys": [...]}'
        raise InvalidError(rule, element="jwks")
    if any(SECRET_MEMBERS.intersection(key) for key in keys):
        rule = "the set holds a private or symmetric key: publish the public keys alone"
        raise InvalidError(rule, element="jwks")
    return keys


def registered(document: bytes, algorithms: Sequence[str]) -> dict[str, Any]:
    """Return a JWK Set as it is kept: every key in it can be used by these algorithms.

    Raises:
        InvalidError: the set or one of its keys breaks a rule, which is named.
    """
    keys = keys_of(document)
    if not keys:
        raise RequiredError("the set has no key", element="jwks")
    for number, key in enumerate(keys):
        _check(key, algorithms, f"jwks.keys[{number}]")
    (kid, times), *_ = Counter(key["kid"] for key in keys).most_common(1)
    if times > 1:
        raise InvalidError(f"{times} keys have the kid {kid}", element="jwks")
    return {"keys": [{name: key[name] for name in MEMBERS if name in key} for key in keys]}


def _check(key: Jwk, algorithms: Sequence[str], element: str) -> None:
    if not isinstance(key.get("kid"), str) or not key["kid"]:
        raise RequiredError(f"{element} has no kid, by which assertions name it", element=element)
    wanted = [name for name in algorithms if KEY_TYPES[name] == key.get("kty")]
    if not wanted:
        rule = f"{element} has none of the types that {' and '.join(algorithms)} use"
        raise ValueSetError(rule, element=element)
    try:
        imported(key, wanted[0])
    except KeyRefusedError as error:
        raise InvalidError(f"{element}: {error}", element=element) from error


def named(keys: Sequence[Jwk], kid: str, algorithm: str) -> Jwk | None:
    """Return the key with this kid and of this algorithm's type, where there is exactly one."""
    kind = KEY_TYPES[algorithm]
    found = [key for key in keys if key.get("kid") == kid and key.get("kty") == kind]
    return found[0] if len(found) == 1 else None


def imported(key: Jwk, algorithm: str) -> Key:
    """Return the key to verify signatures with.

    Raises:
        KeyRefusedError: it is not one for this algorithm.
    """
    if key.get("alg", algorithm) != algorithm:
        raise KeyRefusedError(f"its alg is not {algorithm}")
    if key.get("use", "sig") != "sig":
        raise KeyRefusedError("its use is not sig")
    operations = key.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        raise KeyRefusedError("its key_ops do not have verify")
    needed = {name: key[name] for name in NEEDED if name in key}
    try:
        return _rsa(needed) if KEY_TYPES[algorithm] == "RSA" else _ec(needed, algorithm)
    except KeyRefusedError:
        raise
    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise KeyRefusedError("it cannot be read as a public key") from error


def _rsa(members: Jwk) -> RSAKey:
    if not SMALLEST_MODULUS <= _number(members["n"]).bit_length() <= LARGEST_MODULUS:
        rule = f"an RSA key has {SMALLEST_MODULUS} to {LARGEST_MODULUS} bits"
        raise KeyRefusedError(rule)
    if _number(members["e"]) > LARGEST_EXPONENT:
        raise KeyRefusedError("its exponent is too large")
    return RSAKey.import_key(members)


def _number(text: str) -> int:
    return int.from_bytes(urlsafe_b64decode(text.encode()))


def _ec(members: Jwk, algorithm: str) -> ECKey:
    if members.get("crv") != CURVES[algorithm]:
        raise KeyRefusedError(f"{algorithm} takes a key on {CURVES[algorithm]}")
    return ECKey.import_key(members)
