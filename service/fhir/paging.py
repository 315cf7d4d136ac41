"""Links from page to page: by keyset, signed, and good for one caller's one query.

A token lasts minutes, so the next one of the same client, person, scopes, ceiling and purpose goes
on; one that differs in any of them does not. Nothing that was found or counted travels in a link:
it would outlive the consent that it was shown under.

https://hl7.org/fhir/R4/http.html#paging
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote_plus

import orjson

from service.access import Access
from service.errors import InvalidError
from service.fhir.search_results import CURSOR

SIGNATURE = 16
_SAFE = ",:/"
_FORGED = "the link was changed, or was made for another query, another caller or other rights"


def link_key(installation_key: bytes) -> bytes:
    """Return the key that links are signed with, made from the installation's."""
    return hmac.digest(installation_key, b"page links", hashlib.sha256)


def query_string(pairs: Sequence[tuple[str, str]]) -> str:
    return "&".join(f"{quote_plus(k, _SAFE)}={quote_plus(v, _SAFE)}" for k, v in pairs)


def address(path: str, query: str) -> str:
    return f"{path}?{query}" if query else path


@dataclass(frozen=True)
class Place:
    """Where a page ended: the values that it is walked by, the id among them.

    `until` is the moment of the first page, which bounds the others.
    """

    values: tuple[int | float | str, ...]
    until: int | None = None


def signed(key: bytes, access: Access, target: str, place: Place) -> str:
    """Return the cursor that continues `target` (its path and query) after this place."""
    said = orjson.dumps([place.values, place.until])
    mac = _signature(key, access, target, said)
    return base64.urlsafe_b64encode(mac + said).rstrip(b"=").decode()


def opened(key: bytes, access: Access, target: str, cursor: str) -> Place:
    """Return the place that a cursor of ours names.

    Raises:
        InvalidError: it is not ours, or not for this caller and query.
    """
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raise InvalidError(_FORGED, element=CURSOR) from None
    mac, said = raw[:SIGNATURE], raw[SIGNATURE:]
    if not hmac.compare_digest(mac, _signature(key, access, target, said)):
        raise InvalidError(_FORGED, element=CURSOR)
    values, until = orjson.loads(said)
    return Place(tuple(values), until)


def _signature(key: bytes, access: Access, target: str, place: bytes) -> bytes:
    client = (access.client_id.hex, access.client)  # an issuer's clients share the first
    who = (*client, access.person or "", str(access.audience))
    rights = (" ".join(sorted(access.scopes.names)), *map(str, access.limits))
    bound = "\x1f".join((*who, *rights, target)).encode()
    return hmac.digest(key, bound + b"\x1f" + place, hashlib.sha256)[:SIGNATURE]


def next_link(key: bytes, access: Access, target: str, place: Place) -> str:
    """Return the address of the page after this place."""
    separator = "&" if "?" in target else "?"
    return f"{target}{separator}{CURSOR}={signed(key, access, target, place)}"
