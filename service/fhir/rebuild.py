"""Renders documents again whose mapping has changed since (DESIGN section 2).

A chunk of sources is one unit of work under the locks of a change, so that a process may serve
meanwhile. What was stopped goes on: a document says which revision has looked at it, and a
rebuild of everything notes how far it came.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, and_, func, or_
from sqlmodel import Session as DbSession
from sqlmodel import col, select

from service import canonical
from service.clock import microseconds
from service.database import Database
from service.errors import BusyError
from service.fhir.mapping import Owner, Registry
from service.fhir.projection import Again, DocumentProjector
from service.fhir.publication import KIND as DEFINITION
from service.fhir.sources import Sources, aggregates_of
from service.fhir.statements import rows_of
from service.fhir.verification import KINDS
from service.models.base import Projected
from service.models.enrollments import Enrollment
from service.models.groups import Session
from service.upkeep import end, note, under_way

CHUNK = 50  # sources: a fraction of a second
NAME = "rebuild"
VISIT = "visit"
TABLES: dict[str, type[Projected]] = {kind: table for table, kind in KINDS}
ORDER = (*TABLES, VISIT)
VISITS = select(Session.id, Enrollment.patient_id).join(
    Enrollment, col(Enrollment.group_id) == col(Session.group_id)
)

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuild did: sources rendered, versions written, documents left to a newer one."""

    sources: int = 0
    versions: int = 0
    newer: int = 0

    def and_also(self, sources: int, again: Again) -> "Rebuilt":
        versions, newer = self.versions + again.versions, self.newer + again.newer
        return Rebuilt(self.sources + sources, versions, newer)


class Walk(Protocol):
    """Which sources to render, in an order that can be taken up again."""

    def begin(self, session: DbSession) -> str:
        """Return the source after which to begin."""

    def left(self, session: DbSession, after: str) -> int:
        """Return about how many sources come after this one."""

    def after(self, session: DbSession, source: str, count: int) -> list[str]:
        """Return the next sources."""

    def done(self, session: DbSession, source: str, at: int) -> None:
        """Note, in the transaction that renders it, that this source and all before it are done."""

    def end(self, session: DbSession) -> None:
        """Note that all are done."""


def rebuild(
    database: Database,
    projector: DocumentProjector,
    *,
    everything: bool = False,
    progress: Progress | None = None,
) -> Rebuilt:
    """Render older documents again, or `everything` there are rows of; what says the same stays.

    `progress` is told how many sources are done, of how many.
    """
    walk: Walk = Everything(projector.registry) if everything else Older(projector.registry)
    source = database.read(walk.begin)
    total = database.read(partial(walk.left, after=source))
    done, size = Rebuilt(), CHUNK
    while keys := database.read(partial(walk.after, source=source, count=size)):
        try:
            again = _chunk(database, projector, walk, keys)
        except BusyError:  # over the time that a change may take, or locks were not to be had
            if len(keys) == 1:
                raise
            size = len(keys) // 2
            continue
        source, size = keys[-1], CHUNK
        done = done.and_also(len(keys), again)
        if progress is not None:
            progress(done.sources, max(total, done.sources))
    database.unit_of_work(walk.end)
    return done


def _chunk(
    database: Database, projector: DocumentProjector, walk: Walk, keys: Sequence[str]
) -> Again:
    sources = Sources.of(keys)

    def work(session: DbSession) -> Again:
        walk.done(session, keys[-1], microseconds(database.clock()))
        return projector.render_again(session, sources, database.stamp(session))

    locks = database.read(lambda session: aggregates_of(session, sources))
    return database.unit_of_work(work, *locks)


class Older:
    """The sources of documents of an older revision; how far one came stands in the documents."""

    def __init__(self, registry: Registry) -> None:
        older = [
            f"type = '{name}' AND substr(source, 1, {len(kind) + 1}) = '{kind}:'"
            f" AND revision < {revision}"
            for (name, kind), revision in registry.revisions.items()
            if kind != DEFINITION  # published by `alongside migrate`
        ]
        self._where = (
            f"FROM documents WHERE audience >= 0 AND owner <> '{Owner.CLIENT.value}'"
            f" AND source > ? AND ({' OR '.join(older)})"
        )

    def begin(self, _session: DbSession) -> str:
        return ""

    def left(self, session: DbSession, after: str) -> int:
        counted = f"SELECT count(DISTINCT source) {self._where}"
        return int(rows_of(session, counted, (after,))[0][0])

    def after(self, session: DbSession, source: str, count: int) -> list[str]:
        listed = f"SELECT DISTINCT source {self._where} ORDER BY source LIMIT ?"
        return [row[0] for row in rows_of(session, listed, (source, count))]

    def done(self, session: DbSession, source: str, at: int) -> None:
        """Note nothing: the documents' revisions were raised."""

    def end(self, session: DbSession) -> None:
        """Note nothing."""


class Everything:
    """Every source that there are rows of, also those that no document was made from yet."""

    def __init__(self, registry: Registry) -> None:
        said = repr((canonical.BASE, sorted(registry.revisions.items())))
        self._of = hashlib.blake2b(said.encode(), digest_size=16).hexdigest()

    def begin(self, session: DbSession) -> str:
        """Go on where a rebuild by the same mappings stopped."""
        noted = under_way(session, NAME)
        of, source = orjson.loads(noted[0]) if noted else ("", "")
        return str(source) if of == self._of else ""

    def left(self, session: DbSession, after: str) -> int:
        return sum(_count(session, kind, key) for kind, key in _rest(after))

    def after(self, session: DbSession, source: str, count: int) -> list[str]:
        for kind, key in _rest(source):
            if found := _keys(session, kind, key, count):
                return found
        return []

    def done(self, session: DbSession, source: str, at: int) -> None:
        note(session, NAME, orjson.dumps([self._of, source]).decode(), at)

    def end(self, session: DbSession) -> None:
        end(session, NAME)


def _rest(source: str) -> list[tuple[str, str]]:
    """Return each kind that is not done, with the key that was done last of it."""
    kind, _, key = source.partition(":")
    begun = ORDER.index(kind) if kind else 0
    return [(each, key if each == kind else "") for each in ORDER[begun:]]


def _keys(session: DbSession, kind: str, after: str, count: int) -> list[str]:
    if kind == VISIT:
        pairs = VISITS.where(_visits_after(after)).distinct()
        ordered = pairs.order_by(col(Session.id), col(Enrollment.patient_id)).limit(count)
        return [f"{VISIT}:{one.hex}:{patient.hex}" for one, patient in session.exec(ordered)]
    identifier = col(TABLES[kind].id)
    statement = select(identifier).where(_rows_after(identifier, after)).order_by(identifier)
    return [f"{kind}:{one.hex}" for one in session.exec(statement.limit(count))]


def _count(session: DbSession, kind: str, after: str) -> int:
    if kind == VISIT:
        pairs = VISITS.where(_visits_after(after)).distinct().subquery()
        return session.exec(select(func.count()).select_from(pairs)).one()
    identifier = col(TABLES[kind].id)
    return session.exec(select(func.count(identifier)).where(_rows_after(identifier, after))).one()


def _rows_after(identifier: Any, key: str) -> ColumnElement[bool]:  # noqa: ANN401 - a column
    found: ColumnElement[bool] = identifier > UUID(key or "0" * 32)
    return found


def _visits_after(key: str) -> ColumnElement[bool]:
    one, _, patient = (key or f"{'0' * 32}:{'0' * 32}").partition(":")
    first, second = col(Session.id), col(Enrollment.patient_id)
    return or_(first > UUID(one), and_(first == UUID(one), second > UUID(patient)))
