"""One page of the history of a type or of everything, walked by the events of the store.

What the caller may not see now has no history, but for what a client itself deleted; what is
sealed, or above the ceiling by its own label, is left out (ADR 0007). All of it lies below the
horizon, so that whoever polls by `_since` misses nothing.
https://hl7.org/fhir/R4/http.html#history
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from service.access import Access
from service.fhir.bundle_bytes import link
from service.fhir.endpoint import Answer, Endpoint
from service.fhir.history import Asked, Version, history_bundle, read_history_query
from service.fhir.mapping import ResourceType
from service.fhir.paging import Place, address, next_link, opened, query_string
from service.fhir.rosters import ROSTER, members
from service.fhir.scope_judging import Candidate, granted
from service.fhir.search import beyond, limited
from service.fhir.search_plan import Pairs, Sort
from service.fhir.search_values import Condition
from service.fhir.store_reader import Rows

ORDER = ("e.at", "e.id", "e.version")
# An event for each version: the current one has its content in `documents`, an older one in
# `document_versions`. On a tombstone no content is left.
VERSIONS = (
    "SELECT e.type, coalesce(d.chosen_id, d.id), e.version, e.at,"
    " CASE WHEN v.id IS NULL THEN d.content ELSE v.content END, v.id IS NOT NULL,"
    " CASE WHEN v.id IS NULL THEN d.deleted ELSE v.deleted END, e.id, d.patient_key"
    " FROM events e CROSS JOIN documents d"
    " LEFT JOIN document_versions v ON v.id = e.id AND v.version = e.version"
    " WHERE e.audience = ? AND e.at >= ? AND e.at < ? AND e.type IN (TYPES)"
    " AND d.id = e.id AND d.audience = e.audience"
    " AND d.confidentiality <= ? AND d.purposes & ? <> 0"
    " AND (NOT d.deleted OR d.owner = 'client')"
    " AND (d.version = e.version OR"
    " (NOT v.sealed AND v.confidentiality <= ? AND v.purposes & ? <> 0"
    " AND e.type NOT IN (CURRENT_ONLY)))"
)


async def history_page(
    endpoint: Endpoint,
    access: Access,
    path: str,
    kinds: Sequence[ResourceType],
    *,
    pairs: Pairs,
    strict: bool,
) -> Answer:
    """Return one page of the versions of these types."""
    asked = read_history_query(pairs, endpoint.rules(), strict=strict, sortable=True)
    target = address(path, query_string(asked.used))
    place = asked.cursor and opened(endpoint.link_key, access, target, asked.cursor)
    await endpoint.settle()
    until = place.until if place else await endpoint.reader.horizon()
    if until is None:
        until = await endpoint.moment() + 1
    walk = Walk(kinds, asked, until, endpoint.limits(access, [k.name for k in kinds], "r"))
    rows = await _rows(endpoint, access, walk, place or None)
    links = [link("self", target)]
    if len(rows) > asked.count:
        rows = rows[: asked.count]
        _, _, version, at, *_, stored, _ = rows[-1]
        after = Place((at, stored, version), until)
        links.append(link("next", next_link(endpoint.link_key, access, target, after)))
    versions = [_version(row) for row in rows]
    keys = {row[-1] for row in rows if row[-1]}
    rosters = [each.content for each in versions if each.type == ROSTER and not each.deleted]
    keys |= await members(endpoint.reader, access, rosters)
    body = history_bundle(endpoint.base, links, versions, asked, endpoint.registry)
    return Answer(200, body, patients=keys)


@dataclass(frozen=True)
class Walk:
    """What events are walked for; `limit` is what the caller's scopes ask of a document."""

    kinds: Sequence[ResourceType]
    asked: Asked
    until: int
    limit: Condition | None = None


async def _rows(endpoint: Endpoint, access: Access, walk: Walk, place: Place | None) -> Rows:
    """Return the rows of one page and one more; each version is judged by what it says itself."""
    found: Rows = []
    while len(found) <= walk.asked.count:
        page = await endpoint.reader.rows(*statement(access, walk, place))
        if walk.limit is None:
            return page
        found += await granted(endpoint, access, [(_candidate(row), row) for row in page])
        if len(page) <= walk.asked.count:
            break
        _, _, version, at, *_, stored, _ = page[-1]
        place = Place((at, stored, version), walk.until)
    return found


def _candidate(row: tuple[Any, ...]) -> Candidate:
    *_, stored, key = row
    return Candidate(_version(row), stored, key)


def statement(access: Access, walk: Walk, place: Place | None) -> tuple[str, tuple[object, ...]]:
    """Return the SELECT of one page and one row more: each audience's events, then merged."""
    kinds, asked, until = walk.kinds, walk.asked, walk.until
    names = [kind.name for kind in kinds]
    single = [kind.name for kind in kinds if kind.current_only] or [""]
    sql = VERSIONS.replace("(TYPES)", _marks(names)).replace("(CURRENT_ONLY)", _marks(single))
    own: tuple[object, ...] = (*names, *access.limits, *access.limits, *single)
    sql, own = limited(sql, own, walk.limit)
    since = asked.since
    if place is not None:
        at = int(place.values[0])  # bounds the walk of the index, which the comparison may not
        since, until = (at, until) if asked.ascending else (since, at + 1)
        after = beyond([Sort(each, not asked.ascending) for each in ORDER], place.values)
        sql, own = f"{sql} AND {after.sql}", (*own, *after.args)
    direction = "ASC" if asked.ascending else "DESC"
    order = ", ".join(f"{each} {direction}" for each in ORDER)
    page = f"SELECT * FROM ({sql} ORDER BY {order} LIMIT ?)"  # noqa: S608 - no value is in the text
    args = [(audience, since, until, *own, asked.count + 1) for audience in access.audiences]
    places = ", ".join(f"{number} {direction}" for number in (4, 8, 3))
    whole = f"{page} a UNION ALL {page} b ORDER BY {places} LIMIT ?"
    return whole, (*args[0], *args[1], asked.count + 1)


def _marks(values: Sequence[str]) -> str:
    return f"({', '.join('?' * len(values))})"


def _version(row: tuple[object, ...]) -> Version:
    name, shown, version, at, content, packed, deleted, *_ = row
    body = b"" if deleted else bytes(content)  # type: ignore[call-overload]
    if packed and body:
        body = zlib.decompress(body)
    return Version(str(name), str(shown), int(version), int(at), body, bool(deleted))  # type: ignore[call-overload]
