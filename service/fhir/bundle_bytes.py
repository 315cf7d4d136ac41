"""Bundles joined from the bytes of documents, which are never parsed on the way out.

https://hl7.org/fhir/R4/bundle.html
"""

from collections.abc import Iterable, Sequence

import orjson

from service.fhir.high_water import high_water


def link(relation: str, url: str) -> bytes:
    return b'{"relation":"%b","url":%b}' % (relation.encode(), orjson.dumps(url))


def bundle(
    kind: str,
    links: Sequence[bytes],
    entries: Sequence[bytes],
    *,
    total: int | None = None,
    shown: Iterable[bytes] = (),
) -> bytes:
    """Return a Bundle; what is `shown` in it, whole, gives it its label."""
    parts = [b'{"resourceType":"Bundle"']
    if meta := high_water(shown):
        parts.append(meta)
    parts.append(b'"type":"%b"' % kind.encode())
    if total is not None:
        parts.append(b'"total":%d' % total)
    if links:
        parts.append(b'"link":[%b]' % b",".join(links))
    if entries:
        parts.append(b'"entry":[%b]' % b",".join(entries))
    return b",".join(parts) + b"}"


def entry(mode: bytes, url: str, content: bytes) -> bytes:
    """Return a search entry; `mode` is match or include, `url` the resource's address."""
    return b'{"fullUrl":"%b","resource":%b,"search":{"mode":"%b"}}' % (url.encode(), content, mode)


def remark(outcome: bytes) -> bytes:
    """Return the entry that says how the search was understood."""
    return b'{"resource":%b,"search":{"mode":"outcome"}}' % outcome
