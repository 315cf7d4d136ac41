"""The address of a request as it was asked, encrypted by the keys of those it may name.

With one patient by that patient's key; with several by one made from all of theirs, so that the
text goes with any of them; with none by the installation's.
https://cryptography.io/en/latest/hazmat/primitives/aead/
"""

import base64
import hashlib
import hmac
import os
from collections.abc import Collection
from functools import lru_cache

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12


def installation_key(identifier_key: bytes) -> bytes:
    """Return the key for addresses of requests that are about no patient."""
    return hmac.digest(identifier_key, b"audit details", hashlib.sha256)


def key_of(keys: Collection[bytes]) -> bytes:
    """Return the key that these make together."""
    if len(keys) == 1:
        return next(iter(keys))
    return hashlib.sha256(b"".join(sorted(keys))).digest()


def encrypted(key: bytes, request_id: str, path: str, query: str | None) -> str:
    nonce = os.urandom(NONCE_BYTES)
    text = orjson.dumps([path, query])
    sealed = nonce + _cipher(key).encrypt(nonce, text, request_id.encode())
    return base64.b64encode(sealed).decode()


def decrypted(key: bytes, request_id: str, detail: str) -> tuple[str, str | None] | None:
    """Return path and query; None where this key does not open them."""
    try:
        sealed = base64.b64decode(detail)
        nonce, text = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        path, query = orjson.loads(_cipher(key).decrypt(nonce, text, request_id.encode()))
    except (InvalidTag, ValueError):
        return None
    return path, query


@lru_cache(maxsize=4096)
def _cipher(key: bytes) -> AESGCM:
    return AESGCM(key)
