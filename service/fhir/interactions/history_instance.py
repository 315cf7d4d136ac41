"""FHIR history-instance interaction: the versions that may be shown, newest first (ADR 0007).

https://hl7.org/fhir/R4/http.html#history
"""

import zlib
from collections.abc import Sequence
from typing import NamedTuple

from service.access import Access
from service.fhir.bundle_bytes import link
from service.fhir.endpoint import Answer, Endpoint, require, served
from service.fhir.history import Asked, Version, history_bundle, read_history_query
from service.fhir.interactions.read import latest, stored_id
from service.fhir.paging import Place, address, next_link, opened, query_string
from service.fhir.scope_judging import Candidate, granted

Pairs = Sequence[tuple[str, str]]

OLDER = (
    "SELECT version, last_updated, content, deleted FROM document_versions WHERE id = ?"
    " AND version < ? AND last_updated >= ? AND NOT sealed"
    " AND confidentiality <= ? AND purposes & ? <> 0 ORDER BY version DESC LIMIT ?"
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
    key = next(iter(now.patients), None)
    older = _Older(endpoint, access, current, key, asked)
    versions += await older.after(place.values[0] if place else now.version)
    links = [link("self", target)]
    if len(versions) > asked.count:
        versions = versions[: asked.count]
        after = Place((versions[-1].version, document_id))
        links.append(link("next", next_link(endpoint.link_key, access, target, after)))
    body = history_bundle(endpoint.base, links, versions, asked, endpoint.registry)
    return Answer(200, body, patients=now.patients)


class _Older(NamedTuple):
    """The versions before the current one; `key` is that of the patient whom it is about."""

    endpoint: Endpoint
    access: Access
    now: Version
    key: str | None
    asked: Asked

    async def after(self, before: float | str) -> list[Version]:
        """Return a page of them and one more, which tells whether another follows."""
        found: list[Version] = []
        if self.endpoint.registry.by_type[self.now.type].current_only:
            return found
        stored = stored_id(self.endpoint, self.access, self.now.type, self.now.shown)
        while len(found) <= self.asked.count:
            page = await self._page(stored, before)
            candidates = [(Candidate(each, stored, self.key), each) for each in page]
            found += await granted(self.endpoint, self.access, candidates)
            if len(page) <= self.asked.count:
                break
            before = page[-1].version
        return found

    async def _page(self, stored: str, before: float | str) -> list[Version]:
        asked, now = self.asked, self.now
        args = (stored, before, asked.since, *self.access.limits, asked.count + 1)
        return [
            Version(
                now.type, now.shown, version, at, b"" if gone else zlib.decompress(packed), gone
            )
            for version, at, packed, gone in await self.endpoint.reader.rows(OLDER, args)
        ]
