"""Keys and signed assertions, as a hospital's client makes them.

https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html
"""

import json
import secrets
from functools import cache
from typing import Any

from joserfc import jws
from joserfc.jwk import ECKey, OctKey, RSAKey

from service.clock import system_clock
from service.smart.assertions import ASSERTION_TYPE

Key = RSAKey | ECKey | OctKey
KNOWN = ["RS384", "ES384", "RS256", "HS256", "ES256", "none"]


@cache
def rsa(kid: str = "rsa-1", bits: int = 2048) -> RSAKey:
    return RSAKey.generate_key(bits, {"kid": kid})


@cache
def ec(kid: str = "ec-1", curve: str = "P-384") -> ECKey:
    return ECKey.generate_key(curve, {"kid": kid})


def public(*keys: RSAKey | ECKey, **more: Any) -> list[dict[str, Any]]:
    return [{**key.as_dict(private=False), **more} for key in keys]


def jwk_set(*keys: RSAKey | ECKey) -> bytes:
    """A JWK Set as a hospital publishes it."""
    return json.dumps({"keys": public(*keys)}).encode()


def claims(client: str, audience: str, **changes: Any) -> dict[str, Any]:
    """The claims of a good assertion, with changes; None takes one away."""
    now = int(system_clock().timestamp())
    good = {"iss": client, "sub": client, "aud": audience, "exp": now + 300}
    good["jti"] = secrets.token_hex(32)
    return {name: each for name, each in {**good, **changes}.items() if each is not None}


def signed(key: Key, content: dict[str, Any], **header: Any) -> str:
    """A JWT; the header says RS384 or ES384 as the key is, unless told otherwise."""
    alg = "ES384" if isinstance(key, ECKey) else "RS384"
    said = {"alg": alg, "kid": key.kid, "typ": "JWT", **header}
    said = {name: each for name, each in said.items() if each is not None}
    registry = jws.JWSRegistry(algorithms=KNOWN, strict_check_header=False)
    registry.max_header_length = 9_999
    return jws.serialize_compact(said, json.dumps(content), key, registry=registry)


def form(assertion: str, scope: str = "system/*.rs", **more: str) -> dict[str, str]:
    """A token request."""
    return {
        "grant_type": "client_credentials",
        "scope": scope,
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion,
        **more,
    }
