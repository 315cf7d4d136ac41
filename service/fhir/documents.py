"""The document store: versions, history, index rows and events, in few plain statements.

https://hl7.org/fhir/R4/http.html#versioning
"""

import zlib
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from sqlmodel import Session

from service.driver import CHUNK, Row, fetched
from service.fhir.batches import write_all
from service.fhir.document_bytes import head, meta, tail
from service.fhir.index_tables import CLEAR, INSERTS
from service.fhir.mapping import Audience, Draft, ResourceType
from service.fhir.numbering import next_number
from service.fhir.seals import Seal
from service.fhir.search_index import REVISION, IndexRows, index
from service.models.purposes import EVERY_PURPOSE

COMPRESSION = 1

SELECT_ALL = (
    "SELECT id, audience, type, version, last_updated, content, deleted, confidentiality,"
    " revision, source, patient_key, subject, owner, chosen_id, number, purposes FROM documents"
)
SELECT_BY_SOURCE = SELECT_ALL + " WHERE source IN (:sources)"
SELECT_BY_ID = SELECT_ALL + " WHERE id IN (:ids) ORDER BY id"
# In the order of ids, so that two never wait for each other. Of what is changed the key stays, so
# it may be referred to meanwhile (sent_references); what is deleted may not.
CHANGING = " FOR NO KEY UPDATE"
LEAVING = " FOR UPDATE"
INSERT = (
    "INSERT INTO documents (id, audience, type, version, last_updated, content, deleted, source,"
    " patient_key, subject, date_low, date_high, confidentiality, sensitivity, owner, revision,"
    " chosen_id, created, indexed, number, purposes) VALUES"
    " (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
UPDATE = (
    "UPDATE documents SET version = ?, last_updated = ?, content = ?, deleted = ?, patient_key = ?,"
    " subject = ?, date_low = ?, date_high = ?, confidentiality = ?, sensitivity = ?, owner = ?,"
    " revision = ?, indexed = ?, purposes = ? WHERE id = ?"
)
TOMBSTONE = (
    "UPDATE documents SET version = version + 1, last_updated = ?, content = ?, deleted = ?"
    " WHERE id = ?"
)
ARCHIVE = (
    "INSERT INTO document_versions (id, version, last_updated, content, deleted, confidentiality,"
    " purposes, sealed) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
RAISE = "UPDATE documents SET revision = ? WHERE id = ?"
NARROW = "UPDATE documents SET purposes = ? WHERE id = ?"
MOVE = "UPDATE documents SET source = ?, patient_key = ? WHERE id = ?"
SEAL = "UPDATE document_versions SET sealed = ? WHERE id = ?"
EVENT = "INSERT INTO events (id, version, audience, type, kind, at) VALUES (?, ?, ?, ?, ?, ?)"
# Whatever order rows were collected in, old index rows go before new ones come.
ORDER = (SEAL, ARCHIVE, INSERT, UPDATE, TOMBSTONE, RAISE, NARROW, MOVE, *CLEAR, *INSERTS, EVENT)


@dataclass(frozen=True)
class Stored:
    """A current document, as it is before the change; `content` is empty on a tombstone."""

    id: str
    audience: int
    type: str
    version: int
    last_updated: int
    content: bytes
    deleted: bool
    confidentiality: int
    revision: int
    source: str
    patient_key: str | None
    subject: str | None
    owner: str
    chosen_id: str | None
    number: int
    purposes: int

    @property
    def shown_id(self) -> str:
        """The id as clients know it."""
        return self.chosen_id or self.id


@dataclass(frozen=True)
class Target:
    """A draft with where it goes: its audience, source and mapping revision.

    `rows` is its index where that was made already; otherwise it is made when it is written.
    """

    draft: Draft
    audience: Audience
    source: str
    revision: int
    rows: IndexRows | None = None

    @cached_property
    def id(self) -> str:
        return self.audience.id(self.draft.type, self.draft.source)

    @property
    def purposes(self) -> int:
        """Return for which purposes it may be had; only hospitals are asked for theirs."""
        return EVERY_PURPOSE if self.audience.connection_id is None else self.draft.purposes


class Put(NamedTuple):
    """The version that a document has after it was put."""

    version: int
    last_updated: int
    content: bytes


class Writer:
    """Collects the statements of one unit of work and runs them in batches.

    `again` tells that nothing happened but a new rendering; what follows events may pass that over.
    """

    def __init__(
        self,
        session: Session,
        stamp: int,
        types: dict[str, ResourceType],
        *,
        again: bool = False,
    ) -> None:
        self.session = session
        self.stamp = stamp
        self.types = types
        self.again = again
        self._batches: dict[str, list[Row]] = defaultdict(list)

    def put(self, target: Target, stored: Stored | None, seal: Seal | None = None) -> Put:
        """Write a new version, unless it would say what the current one says, to as many.

        Who may have it from now on finds it by a new version, as what is new.
        """
        rest = tail(target.draft)
        seal = Seal.ALL if target.draft.past_is_sealed else seal
        if seal is Seal.ALL and stored is not None:
            self._add(SEAL, True, stored.id)
        if stored is None:
            return self._create(target, rest)
        wider = target.purposes & ~stored.purposes
        if stored.deleted or wider or self._differs(stored, rest):
            return self._replace(target, rest, stored, seal=seal is not None)
        if target.purposes != stored.purposes:
            self._add(NARROW, target.purposes, stored.id)
        return Put(stored.version, stored.last_updated, stored.content)

    def remove(self, stored: Stored, seal: Seal | None = None) -> None:
        """Leave a tombstone."""
        if seal is not None:  # it may come back for another reason, and then without its past
            self._add(SEAL, True, stored.id)
        if stored.deleted:
            return
        stamp = self._archive(stored, seal=seal is not None)
        self._add(TOMBSTONE, stamp, b"", True, stored.id)
        self.clear(stored.number)
        self._event(stored.id, stored.version + 1, stored.audience, stored.type, "delete", stamp)

    def raise_revision(self, stored: Stored, revision: int) -> None:
        """Note that a mapping of this revision has looked at the document."""
        self._add(RAISE, revision, stored.id)

    def move(self, stored: Stored, source: str, patient_key: str | None) -> None:
        """Note whose the document is where a merge has changed that; no version comes of it."""
        if (stored.source, stored.patient_key) != (source, patient_key):
            self._add(MOVE, source, patient_key, stored.id)

    @property
    def versions(self) -> int:
        """Return how many versions are about to be written."""
        return len(self._batches[EVENT])

    def run(self) -> None:
        """Execute what was collected."""
        if self._batches:
            write_all(self.session, self._batches, ORDER)
            self._batches.clear()

    def _differs(self, stored: Stored, rest: bytes) -> bool:
        opening = head(stored.type, stored.shown_id, stored.version, stored.last_updated)
        return stored.content[len(opening) :] != rest

    def _create(self, target: Target, rest: bytes) -> Put:
        draft, rows, document_id = target.draft, self._index(target), target.id
        number = next_number(self.session)
        content = head(draft.type, draft.chosen_id or document_id, 1, self.stamp) + rest
        self._add(
            INSERT, document_id, target.audience.number, draft.type, 1, self.stamp, content, False,
            target.source, patient_key(draft), subject(target), rows.low, rows.high,
            draft.labels.confidentiality.rank, draft.labels.sensitivity or "", draft.owner.value,
            target.revision, draft.chosen_id, self.stamp, REVISION, number, target.purposes,
        )  # fmt: skip
        self.index(number, target.audience.number, draft.type, rows)
        self._event(document_id, 1, target.audience.number, draft.type, "create", self.stamp)
        return Put(1, self.stamp, content)

    def _replace(self, target: Target, rest: bytes, stored: Stored, *, seal: bool) -> Put:
        draft, rows, version = target.draft, self._index(target), stored.version + 1
        stamp = self._archive(stored, seal=seal)
        content = head(draft.type, stored.shown_id, version, stamp) + rest
        self._add(
            UPDATE, version, stamp, content, False, patient_key(draft), subject(target), rows.low,
            rows.high, draft.labels.confidentiality.rank, draft.labels.sensitivity or "",
            draft.owner.value, target.revision, REVISION, target.purposes, stored.id,
        )  # fmt: skip
        self.clear(stored.number)
        self.index(stored.number, stored.audience, stored.type, rows)
        kind = "rerendered" if self.again else "update"
        self._event(stored.id, version, stored.audience, stored.type, kind, stamp)
        return Put(version, stamp, content)

    def _archive(self, stored: Stored, *, seal: bool) -> int:
        """Move the current version to history; return the stamp of the one that follows it."""
        if seal:
            self._add(SEAL, True, stored.id)
        packed = zlib.compress(stored.content, COMPRESSION)
        self._add(
            ARCHIVE, stored.id, stored.version, stored.last_updated, packed, stored.deleted,
            stored.confidentiality, stored.purposes, seal,
        )  # fmt: skip
        return max(self.stamp, stored.last_updated + 1)

    def _index(self, target: Target) -> IndexRows:
        if target.rows is not None:
            return target.rows
        draft = target.draft
        kind = self.types[draft.type]
        return index(draft.resource, kind, meta=meta(draft), subject=subject(target))

    def index(self, number: int, audience: int, resource_type: str, rows: IndexRows) -> None:
        """Add the index rows of a document that has none."""
        where = (number, audience, resource_type)
        for statement, of_table in zip(INSERTS, rows.tables, strict=True):
            if of_table:
                self._batches[statement] += [where + row for row in sorted(of_table)]

    def clear(self, number: int) -> None:
        """Remove the index rows of a document."""
        for statement in CLEAR:
            self._add(statement, number)

    def _event(self, *row: object) -> None:
        self._add(EVENT, *row)

    def _add(self, statement: str, *row: object) -> None:
        self._batches[statement].append(row)


def patient_key(draft: Draft) -> str | None:
    return draft.patient_id.hex if draft.patient_id else None


def subject(target: Target) -> str | None:
    """Return the id of the Patient document that this one is about, in the same audience."""
    patient_id = target.draft.patient_id
    if patient_id is None:
        return None
    return target.audience.id("Patient", f"patient:{patient_id.hex}")


def stored_by_source(session: Session, sources: Iterable[str]) -> dict[str, Stored]:
    """Return the current documents, tombstones too, that were made from these sources, by id."""
    return _stored(session, SELECT_BY_SOURCE, ":sources", sources)


def stored_by_id(
    session: Session, ids: Iterable[str], leaving: Collection[str] = ()
) -> dict[str, Stored]:
    """Return the current documents, tombstones too, that have these ids, by id, to be written.

    PostgreSQL locks their rows: no aggregate stands for a document of a client. Those that are
    `leaving` are to be deleted.
    """
    if session.get_bind().dialect.name == "sqlite":
        return _stored(session, SELECT_BY_ID, ":ids", ids)
    found = _stored(session, SELECT_BY_ID + CHANGING, ":ids", ids)
    return found | _stored(session, SELECT_BY_ID + LEAVING, ":ids", leaving)


def _stored(session: Session, sql: str, marks: str, wanted: Iterable[str]) -> dict[str, Stored]:
    found: dict[str, Stored] = {}
    keys = sorted(wanted)
    for start in range(0, len(keys), CHUNK):
        part = keys[start : start + CHUNK]
        for row in fetched(session, sql.replace(marks, ", ".join("?" * len(part))), part):
            found[row[0]] = Stored(*row)
    return found
