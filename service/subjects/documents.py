"""Every document about one person, of every audience, with the versions before it.

https://hl7.org/fhir/R4/bundle.html
"""

import zlib
from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import NamedTuple
from uuid import UUID

from sqlmodel import Session as DbSession
from sqlmodel import select

from service.driver import chunks, fetched, marks
from service.models.connections import Connection
from service.models.documents import PROGRAMME, PUBLIC

# Of every audience: it is the person who asks, and nobody else is in a document about them.
ABOUT = (
    "SELECT id, audience, type, chosen_id, version, content, deleted, source, owner FROM documents"
    " WHERE patient_key IN ({marks}) AND audience > 0 ORDER BY audience, type, id"
)
BEFORE = (
    "SELECT version, content, deleted FROM document_versions WHERE id = ? ORDER BY version DESC"
)


class Held(NamedTuple):
    """A document as it is now; a tombstone has no content."""

    id: str
    audience: int
    type: str
    chosen_id: str | None
    version: int
    content: bytes
    deleted: bool
    source: str
    owner: str

    @property
    def shown_id(self) -> str:
        return self.chosen_id or self.id


def held(session: DbSession, family: Collection[UUID]) -> list[Held]:
    """Return the documents about these records of one person, tombstones too."""
    return [
        Held(*row) for part in chunks(family) for row in fetched(session, marks(ABOUT, part), part)
    ]


def bundles(session: DbSession, family: Collection[UUID], base: str) -> dict[str, bytes]:
    """Return a Bundle for each audience, by its name: every document and every version kept."""
    found: dict[int, list[bytes]] = defaultdict(list)
    for each in held(session, family):
        found[each.audience] += _entries(session, each, base)
    names = audience_names(session)
    return {names[number]: _collection(entries) for number, entries in found.items()}


def _entries(session: DbSession, document: Held, base: str) -> Iterator[bytes]:
    url = f"{base}/{document.type}/{document.shown_id}".encode()
    if not document.deleted:
        yield b'{"fullUrl":"%b","resource":%b}' % (url, document.content)
    for _, packed, deleted in fetched(session, BEFORE, (document.id,)):
        if not deleted and packed:
            yield b'{"fullUrl":"%b","resource":%b}' % (url, zlib.decompress(packed))


def _collection(entries: list[bytes]) -> bytes:
    opening = b'{"resourceType":"Bundle","type":"collection"'
    return opening + (b',"entry":[%b]}' % b",".join(entries) if entries else b"}")


def audience_names(session: DbSession) -> dict[int, str]:
    """Return what each audience is called on the page."""
    rows = session.exec(select(Connection.number, Connection.name)).all()
    return {PUBLIC: "everybody", PROGRAMME: "the programme", **dict(rows)}
