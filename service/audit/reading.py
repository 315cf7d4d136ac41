"""Audit rows read again: by whom, when and about whom, page by page, the newest first.

A row is opened for who may read it: the address as it was asked, and whom it is about. What
belonged to a person who was forgotten stays closed.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, Engine, or_, select
from sqlmodel import Session

from service.audit.details import decrypted, key_of
from service.audit.entries import AuditEntry
from service.audit.pseudonyms import Known, of_pseudonyms
from service.engine import create_engine
from service.models.audit import audit_entries

FIELDS = [audit_entries.c[name] for name in AuditEntry._fields]
STRANGER = "p"  # what a pseudonym begins with, and no id does


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Which rows are asked for; without an audience those of every one."""

    audience: int | None = None
    since: str | None = None  # the least id
    before: str | None = None  # the id that all are below
    client: str | None = None
    request_id: str | None = None
    patients: Collection[str] | None = field(default=None, repr=False)  # as rows name them


class Opened(NamedTuple):
    """A row as its reader may see it; None among the patients is one who was forgotten."""

    entry: AuditEntry
    path: str
    query: str | None
    patients: tuple[UUID | None, ...]
    closed: bool = False  # there was more to it, and nobody can read it any more


class AuditReader:
    """Reads the audit rows of an installation, over connections of its own."""

    def __init__(self, url: str) -> None:
        self.engine = create_engine(url)

    def close(self) -> None:
        self.engine.dispose()


def read(engine: Engine, asked: Asked, limit: int) -> list[AuditEntry]:
    """Return rows, the newest first."""
    statement = select(*FIELDS).where(*_conditions(asked))
    statement = statement.order_by(audit_entries.c.request_id.desc()).limit(limit)
    with engine.connect() as connection:
        return [AuditEntry(*row) for row in connection.execute(statement)]


def _conditions(asked: Asked) -> Iterable[ColumnElement[bool]]:
    columns = audit_entries.c
    exact = {"audience": asked.audience, "client": asked.client, "request_id": asked.request_id}
    yield from (columns[name] == value for name, value in exact.items() if value is not None)
    if asked.since is not None:
        yield columns.request_id >= asked.since
    if asked.before is not None:
        yield columns.request_id < asked.before
    if asked.patients is not None:
        yield or_(*(columns.patients.contains(f'"{each}"') for each in sorted(asked.patients)))


def named(entry: AuditEntry) -> list[str]:
    """Return the patients of a row as it names them."""
    return list(orjson.loads(entry.patients)) if entry.patients else []


def opened(session: Session, key: bytes, entries: Sequence[AuditEntry]) -> list[Opened]:
    """Return the rows as who may read them sees them; `key` is the installation's for details."""
    wanted = {each for entry in entries for each in named(entry) if each.startswith(STRANGER)}
    whose = of_pseudonyms(session, wanted) if wanted else {}
    return [_opened(entry, whose, key) for entry in entries]


def _opened(entry: AuditEntry, whose: dict[str, tuple[UUID, Known]], key: bytes) -> Opened:
    names = named(entry)
    patients = tuple(_patient(each, whose) for each in names)
    if entry.detail is None:
        return Opened(entry, entry.path, entry.query, patients)
    keys = [whose[each][1].key for each in names if each in whose]
    found: Any = None
    if len(keys) == len(names):
        found = decrypted(key_of(keys) if keys else key, entry.request_id, entry.detail)
    if found is None:
        return Opened(entry, entry.path, None, patients, closed=True)
    return Opened(entry, found[0], found[1], patients)


def _patient(name: str, whose: dict[str, tuple[UUID, Known]]) -> UUID | None:
    if not name.startswith(STRANGER):
        return UUID(name)  # of a row from before there were pseudonyms
    return whose[name][0] if name in whose else None
