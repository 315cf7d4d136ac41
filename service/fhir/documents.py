"""The document store: versions, history, index rows and events, in few plain statements.

https://hl7.org/fhir/R4/http.html#versioning
"""

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import orjson
from sqlalchemy import Connection
from sqlmodel import Session

from service.fhir.mapping import Audience, Draft, ResourceType
from service.fhir.search_index import IndexRows, index

CHUNK = 400
COMPRESSION = 1
V3 = "http://terminology.hl7.org/CodeSystem/v3-"

SELECT_ALL = (
    "SELECT id, audience, type, version, last_updated, content, deleted, confidentiality,"
    " revision FROM documents"
)
SELECT_BY_SOURCE = SELECT_ALL + " WHERE source IN (:sources)"
INSERT = (
    "INSERT INTO documents (id, audience, type, version, last_updated, content, deleted, source,"
    " patient_key, subject, date_low, date_high, confidentiality, sensitivity, owner, revision)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
UPDATE = (
    "UPDATE documents SET version = ?, last_updated = ?, content = ?, deleted = ?, subject = ?,"
    " date_low = ?, date_high = ?, confidentiality = ?, sensitivity = ?, owner = ?, revision = ?"
    " WHERE id = ?"
)
TOMBSTONE = (
    "UPDATE documents SET version = version + 1, last_updated = ?, content = ?, deleted = ?"
    " WHERE id = ?"
)
ARCHIVE = (
    "INSERT INTO document_versions (id, version, last_updated, content, deleted, confidentiality,"
    " sealed) VALUES (?, ?, ?, ?, ?, ?, ?)"
)
SEAL = "UPDATE document_versions SET sealed = ? WHERE id = ?"
EVENT = "INSERT INTO events (id, version, audience, type, kind, at) VALUES (?, ?, ?, ?, ?, ?)"
INSERT_TAG = (
    "INSERT INTO document_tokens (id, param, system, code, audience, type)"
    " VALUES (?, ?, ?, ?, ?, ?)"
)
INSERT_STRING = (
    "INSERT INTO document_strings (id, param, value, audience, type) VALUES (?, ?, ?, ?, ?)"
)
DELETE_TOKENS = "DELETE FROM document_tokens WHERE id = ?"
DELETE_STRINGS = "DELETE FROM document_strings WHERE id = ?"

# Whatever order rows were collected in, old index rows go before new ones come.
ORDER = (
    SEAL,
    ARCHIVE,
    INSERT,
    UPDATE,
    TOMBSTONE,
    DELETE_TOKENS,
    DELETE_STRINGS,
    INSERT_TAG,
    INSERT_STRING,
    EVENT,
)


class Seal(Enum):
    """What is hidden for good when consents or links changed (ADR 0007).

    What was taken away hides the past of every document it was about; what was given, only the
    past of those that changed.
    """

    ALL = "all"
    REPLACED = "replaced"


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


@dataclass(frozen=True)
class Target:
    """A draft with where it goes: its audience, source and mapping revision."""

    draft: Draft
    audience: Audience
    source: str
    revision: int

    @property
    def id(self) -> str:
        return self.audience.id(self.draft.type, self.draft.source)


def instant(stamp: int) -> str:
    """Return microseconds since 1970 as a FHIR instant."""
    seconds, fraction = divmod(stamp, 1_000_000)
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{fraction:06d}Z"


def head(resource_type: str, document_id: str, version: int, stamp: int) -> bytes:
    """Return the opening bytes of a document: everything that differs between equal versions."""
    return (
        f'{{"resourceType":"{resource_type}","id":"{document_id}","meta":{{"versionId":"{version}",'
        f'"lastUpdated":"{instant(stamp)}"'
    ).encode()


def tail(draft: Draft) -> bytes:
    """Return the rest of a document: profile and labels, then the elements."""
    meta: dict[str, Any] = {}
    if draft.profiles:
        meta["profile"] = list(draft.profiles)
    meta["security"] = security(draft)
    opened = b"," + orjson.dumps(meta)[1:]
    if draft.members is not None:
        own = {"resourceType", "id", "meta"}
        texts = (
            f",{orjson.dumps(k).decode()}:{v}" for k, v in draft.members.items() if k not in own
        )
        return opened + "".join(texts).encode() + b"}"
    body = orjson.dumps(draft.resource)
    return opened + (b"," + body[1:] if len(body) > len("{}") else b"}")


def security(draft: Draft) -> list[dict[str, str]]:
    """Return `meta.security`: confidentiality, sensitivity and the Part 2 handling codes."""
    labels = draft.labels
    codings = [{"system": V3 + "Confidentiality", "code": labels.confidentiality.value}]
    if labels.sensitivity:
        codings.append({"system": V3 + "ActCode", "code": labels.sensitivity})
    if labels.part2:
        codings.append({"system": V3 + "ActCode", "code": "42CFRPart2"})
    return codings


class Writer:
    """Collects the statements of one unit of work and runs them in batches."""

    def __init__(self, session: Session, stamp: int, types: dict[str, ResourceType]) -> None:
        self.connection: Connection = session.connection()
        self.stamp = stamp
        self.types = types
        self.positional = self.connection.dialect.name == "sqlite"
        self._batches: dict[str, list[tuple[Any, ...]]] = {}

    def put(self, target: Target, stored: Stored | None, seal: Seal | None = None) -> None:
        """Write a new version, unless it would say what the current one says."""
        rest = tail(target.draft)
        if seal is Seal.ALL and stored is not None:
            self._add(SEAL, True, stored.id)
        if stored is None:
            self._create(target, rest)
        elif stored.deleted or self._differs(stored, rest):
            self._replace(target, rest, stored, seal=seal is not None)

    def remove(self, stored: Stored, seal: Seal | None = None) -> None:
        """Leave a tombstone."""
        if seal is not None:  # it may come back for another reason, and then without its past
            self._add(SEAL, True, stored.id)
        if stored.deleted:
            return
        stamp = self._archive(stored, seal=seal is not None)
        self._add(TOMBSTONE, stamp, b"", True, stored.id)
        self._clear(stored.id)
        self._event(stored.id, stored.version + 1, stored.audience, stored.type, "delete", stamp)

    def run(self) -> None:
        """Execute what was collected."""
        for statement in ORDER:
            if rows := self._batches.get(statement):
                sql = statement if self.positional else statement.replace("?", "%s")
                self.connection.exec_driver_sql(sql, rows)
        self._batches.clear()

    def _differs(self, stored: Stored, rest: bytes) -> bool:
        opening = head(stored.type, stored.id, stored.version, stored.last_updated)
        return stored.content[len(opening) :] != rest

    def _create(self, target: Target, rest: bytes) -> None:
        draft, rows, document_id = target.draft, self._index(target), target.id
        content = head(draft.type, document_id, 1, self.stamp) + rest
        self._add(
            INSERT, document_id, target.audience.number, draft.type, 1, self.stamp, content, False,
            target.source, draft.patient_id.hex if draft.patient_id else None, subject(target),
            rows.low, rows.high, draft.labels.confidentiality.rank,
            draft.labels.sensitivity or "", draft.owner.value, target.revision,
        )  # fmt: skip
        self._search_rows(document_id, target, rows)
        self._event(document_id, 1, target.audience.number, draft.type, "create", self.stamp)

    def _replace(self, target: Target, rest: bytes, stored: Stored, *, seal: bool) -> None:
        draft, rows, version = target.draft, self._index(target), stored.version + 1
        stamp = self._archive(stored, seal=seal)
        content = head(draft.type, stored.id, version, stamp) + rest
        self._add(
            UPDATE, version, stamp, content, False, subject(target), rows.low, rows.high,
            draft.labels.confidentiality.rank, draft.labels.sensitivity or "", draft.owner.value,
            target.revision, stored.id,
        )  # fmt: skip
        self._clear(stored.id)
        self._search_rows(stored.id, target, rows)
        kind = "rerendered" if target.revision > stored.revision else "update"
        self._event(stored.id, version, stored.audience, stored.type, kind, stamp)

    def _archive(self, stored: Stored, *, seal: bool) -> int:
        """Move the current version to history; return the stamp of the one that follows it."""
        if seal:
            self._add(SEAL, True, stored.id)
        packed = zlib.compress(stored.content, COMPRESSION)
        self._add(
            ARCHIVE, stored.id, stored.version, stored.last_updated, packed, stored.deleted,
            stored.confidentiality, seal,
        )  # fmt: skip
        return max(self.stamp, stored.last_updated + 1)

    def _index(self, target: Target) -> IndexRows:
        return index(target.draft.resource, self.types[target.draft.type])

    def _search_rows(self, document_id: str, target: Target, rows: IndexRows) -> None:
        where = (target.audience.number, target.draft.type)
        for param, system, code in sorted(rows.tokens):
            self._add(INSERT_TAG, document_id, param, system, code, *where)
        for param, value in sorted(rows.strings):
            self._add(INSERT_STRING, document_id, param, value, *where)

    def _clear(self, document_id: str) -> None:
        self._add(DELETE_TOKENS, document_id)
        self._add(DELETE_STRINGS, document_id)

    def _event(self, *row: object) -> None:
        self._add(EVENT, *row)

    def _add(self, statement: str, *row: object) -> None:
        self._batches.setdefault(statement, []).append(row)


def subject(target: Target) -> str | None:
    """Return the id of the Patient document that this one is about, in the same audience."""
    patient_id = target.draft.patient_id
    if patient_id is None:
        return None
    return target.audience.id("Patient", f"patient:{patient_id.hex}")


def stored_by_source(session: Session, sources: Iterable[str]) -> dict[str, Stored]:
    """Return the current documents, tombstones too, that were made from these sources, by id."""
    found: dict[str, Stored] = {}
    keys = sorted(sources)
    for start in range(0, len(keys), CHUNK):
        for row in _rows(session, keys[start : start + CHUNK]):
            found[row[0]] = Stored(*row)
    return found


def _rows(session: Session, keys: Sequence[str]) -> Sequence[Any]:
    connection = session.connection()
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    statement = SELECT_BY_SOURCE.replace(":sources", ", ".join([mark] * len(keys)))
    return connection.exec_driver_sql(statement, tuple(keys)).fetchall()
