"""FHIR history-instance interaction: the versions that may be shown, newest first (ADR 0007).

https://hl7.org/fhir/R4/http.html#history
"""

import zlib
from collections.abc import Sequence

from service.access import Access
from service.fhir.bundle_bytes import bundle, link
from service.fhir.endpoint import Answer, Endpoint, require, served
from service.fhir.history import Asked, Version, entries, read_history_query
from service.fhir.interactions.read import latest, stored_id
from service.fhir.paging import Place, address, next_link, opened, query_string

Pairs = Sequence[tuple[str, str]]

OLDER = (
    "SELECT version, last_updated, content, deleted FROM document_versions WHERE id = ?"
    " AND version < ? AND last_updated >= ? AND NOT sealed AND confidentiality <= ?"
    " ORDER BY version DESC LIMIT ?"
)


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
    served(endpoint.registry, name)
    require(access, name, "r")
    now, deleted = await latest(endpoint, access, name, document_id)
    asked = read_history_query(pairs, endpoint.rules(), strict=strict, sortable=False)
    path = f"{endpoint.base}/{name}/{document_id}/_history"
    target = address(path, query_string(asked.used))
    place = asked.cursor and opened(endpoint.link_key, access, target, asked.cursor)
    current = Version(name, document_id, now.version, now.last_updated, now.body, deleted)
    versions = [current] if not place and now.last_updated >= asked.since else []
    versions += await _older(endpoint, access, current, place or None, asked)
    links = [link("self", target)]
    if len(versions) > asked.count:
        versions = versions[: asked.count]
        after = Place((versions[-1].version, document_id))
        links.append(link("next", next_link(endpoint.link_key, access, target, after)))
    told = entries(endpoint.base, versions, asked, endpoint.registry)
    return Answer(200, bundle("history", links, told), patients=now.patients)


async def _older(
    endpoint: Endpoint, access: Access, now: Version, place: Place | None, asked: Asked
) -> list[Version]:
    if endpoint.registry.by_type[now.type].current_only:
        return []
    stored = stored_id(endpoint, access, now.type, now.shown)
    before = place.values[0] if place else now.version
    args = (stored, before, asked.since, access.ceiling, asked.count + 1)
    return [
        Version(now.type, now.shown, version, at, b"" if gone else zlib.decompress(packed), gone)
        for version, at, packed, gone in await endpoint.reader.rows(OLDER, args)
    ]
