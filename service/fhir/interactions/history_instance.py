"""FHIR history-instance interaction: the versions that may be shown, newest first (ADR 0007).

https://hl7.org/fhir/R4/http.html#history
"""

import zlib
from collections.abc import Sequence
from typing import Any

from service.access import Access
from service.errors import InvalidElementsError, InvalidError, Problem
from service.fhir.bundle_bytes import bundle, link
from service.fhir.document_bytes import instant
from service.fhir.endpoint import Answer, Endpoint, require, served
from service.fhir.interactions.read import current
from service.fhir.paging import address, next_link, opened, query_string
from service.fhir.search import Key
from service.fhir.search_results import CURSOR

Pairs = Sequence[tuple[str, str]]

OLDER = (
    "SELECT version, last_updated, content, deleted FROM document_versions WHERE id = ?"
    " AND version < ? AND NOT sealed AND confidentiality <= ? ORDER BY version DESC LIMIT ?"
)
SILENT = frozenset({"_count", "_format", "_pretty", CURSOR})


async def history_instance(
    endpoint: Endpoint,
    access: Access,
    name: str,
    document_id: str,
    *,
    pairs: Pairs = (),
    strict: bool = False,
) -> Answer:
    """Return a Bundle of the current version and of the older ones that may be shown."""
    kind = served(endpoint.registry, name)
    require(access, name, "r")
    now = await current(endpoint, access, name, document_id)
    count, cursor = _asked(pairs, endpoint, strict=strict)
    used = [pair for pair in pairs if pair[0] in SILENT and pair[0] != CURSOR]
    target = address(f"{endpoint.base}/{name}/{document_id}/_history", query_string(used))
    after = None if cursor is None else opened(endpoint.link_key, access, target, cursor)
    entries = [(now.version, now.last_updated, now.body, False)] if after is None else []
    if not kind.current_only:
        entries += await _older(endpoint, access, document_id, before=after, now=now, count=count)
    links = [link("self", target)]
    if len(entries) > count:
        entries = entries[:count]
        place = Key(entries[-1][0], document_id)
        links.append(link("next", next_link(endpoint.link_key, access, target, place)))
    prefix = f"{endpoint.base}/{name}/{document_id}"
    body = bundle("history", links, [_entry(prefix, name, *row) for row in entries])
    return Answer(200, body, patients=now.patients)


def _asked(pairs: Pairs, endpoint: Endpoint, *, strict: bool) -> tuple[int, str | None]:
    found = dict(pairs)
    other = [name for name in found if name not in SILENT]
    if other and strict:
        problem = Problem("query", "history takes _count only", "not-supported")
        raise InvalidElementsError((problem,))
    count = found.get("_count", str(endpoint.page_size))
    if not (count.isascii() and count.isdecimal() and 0 < len(count) < 10 and int(count)):  # noqa: PLR2004
        raise InvalidError("must be a whole number, 1 or more", element="_count")
    return min(int(count), endpoint.page_limit), found.get(CURSOR)


async def _older(
    endpoint: Endpoint,
    access: Access,
    document_id: str,
    *,
    before: Key | None,
    now: Answer,
    count: int,
) -> list[Any]:
    version = now.version if before is None else before.value
    args = (document_id, version, access.ceiling, count + 1)
    rows = await endpoint.reader.rows(OLDER, args)
    return [(v, at, zlib.decompress(c), d) if not d else (v, at, b"", d) for v, at, c, d in rows]


def _entry(
    prefix: str, name: str, version: int, last_updated: int, content: bytes, *deleted: bool
) -> bytes:
    """Return one entry: what was asked for then, and how it was answered."""
    method, status = ("PUT", "200") if version > 1 else ("POST", "201")
    if any(deleted):
        method, status = "DELETE", "204"
    url = name if method == "POST" else f"{name}/{prefix.rpartition('/')[2]}"
    resource = b"" if any(deleted) else b'"resource":%b,' % content
    return b'{"fullUrl":"%b",%b"request":{"method":"%b","url":"%b"},"response":%b}' % (
        prefix.encode(),
        resource,
        method.encode(),
        url.encode(),
        f'{{"status":"{status}","etag":"W/\\"{version}\\"",'
        f'"lastModified":"{instant(last_updated)}"}}'.encode(),
    )
