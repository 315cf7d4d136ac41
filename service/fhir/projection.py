"""A row changes, and its FHIR documents follow in the same transaction (DESIGN section 2).

Touched rows lead to sources, sources to facts, facts and views to drafts; a draft that says
what the current version says is dropped.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import delete, insert
from sqlmodel import Session as DbSession
from sqlmodel import col, select

from service.clock import Clock, microseconds, system_clock
from service.driver import chunks, fetched, marks
from service.errors import OutdatedError
from service.fence import raise_epochs
from service.fhir import loading
from service.fhir.audiences import (
    Views,
    connection_audiences,
    identifier_key,
    programme_audience,
    public_audience,
    views,
)
from service.fhir.documents import Stored, Target, Writer, patient_key, stored_by_source
from service.fhir.following import Following, follow, last_merge
from service.fhir.loading_measurement import measurements
from service.fhir.mapping import Audience, Registry, View
from service.fhir.measured_sources import replanned
from service.fhir.sealing import relabelled, seals_of, taken_from
from service.fhir.seals import Seal
from service.fhir.sources import (
    MEASUREMENT,
    Sources,
    affected_sources,
    consent_patients,
    is_merging,
    kind_of,
    merged_patients,
    needed_aggregates,
)
from service.guard import Touched
from service.models.aggregates import Aggregate
from service.models.consents import Category
from service.models.documents import DueKind, ProjectionDue
from service.models.enrollments import Enrollment, EnrollmentStatus
from service.models.facts import MemberFacts, RosterFacts
from service.models.patients import Patient
from service.models.purposes import TREATMENT_ONLY

OUTDATED = "a newer version of the service has written these records: restart this process with it"
NOTED = "SELECT key, at FROM projection_due WHERE kind = ? AND key IN ({marks})"
Found = tuple[str, str, Any]  # a kind, the key of its source, and the facts
ON_ROSTER = (EnrollmentStatus.ACTIVE, EnrollmentStatus.ON_HOLD)


class Again(NamedTuple):
    """What rendering again did: the versions it wrote, and what it left to a newer version."""

    versions: int = 0
    newer: int = 0


class DocumentProjector:
    """Keeps documents true; given to the `Database` by `api.bootstrap`."""

    def __init__(self, registry: Registry, clock: Clock = system_clock, base: str = "") -> None:
        self.registry = registry
        self.clock = clock
        self.base = base  # the address of the FHIR endpoint
        self._key: bytes | None = None

    def key(self, session: DbSession) -> bytes:
        """Return the key of FHIR ids, read once."""
        if self._key is None:
            self._key = identifier_key(session)
        return self._key

    def aggregates(self, session: DbSession, touched: Touched) -> set[Aggregate]:
        return needed_aggregates(session, touched)

    def project(self, session: DbSession, touched: Touched, stamp: int) -> None:
        """Write the documents of the touched rows as of `stamp`, microseconds since 1970."""
        sources = affected_sources(session, touched)
        regranted = consent_patients(touched)
        now = self.clock()
        rendering = Rendering(self.registry, session, self.key(session), now)
        targets = rendering.targets(sources)
        stored = stored_by_source(session, sources.keys())
        if any(map(self._is_newer, stored.values())):
            raise OutdatedError(OUTDATED)
        writer = Writer(session, stamp, self.registry.by_type)
        holding = {row.audience for row in stored.values()}
        seals = seals_of(session, touched, now) | relabelled(touched, holding)
        _write(writer, targets, stored, seals)
        for row in filter(partial(is_merging, touched), touched.of(Patient)):
            merge = last_merge(session, row.id)
            key = self.key(session)
            follow(Following(session, writer, self.registry, key, self.base, merge), stored)
        writer.run()
        _remember_due(session, regranted, rendering.views)
        _remember_ends(session, touched)
        again = {each.enrollment_id: now for each in replanned(session, touched)}
        _note(session, DueKind.MEASUREMENT, rendering.changes | again)
        raise_epochs(session, taken_from(seals, is_merge=bool(merged_patients(touched))))

    def render_again(self, session: DbSession, sources: Sources, stamp: int) -> Again:
        """Write the documents of these sources as the mappings make them now.

        The caller holds the locks. Those of a higher revision stay as they are.
        """
        rendering = Rendering(self.registry, session, self.key(session), self.clock())
        found = stored_by_source(session, sources.keys())
        newer = {one for one, row in found.items() if self._is_newer(row)}
        stored = {one: row for one, row in found.items() if one not in newer}
        targets = [each for each in rendering.targets(sources) if each.id not in newer]
        writer = Writer(session, stamp, self.registry.by_type, again=True)
        _write(writer, targets, stored, {})
        for row in stored.values():
            if row.revision < (current := self._revision(row)):
                writer.raise_revision(row, current)
        versions = writer.versions
        writer.run()
        _note(session, DueKind.MEASUREMENT, rendering.changes)
        return Again(versions=versions, newer=len(newer))

    def _is_newer(self, row: Stored) -> bool:
        return row.revision > self._revision(row)

    def _revision(self, row: Stored) -> int:
        """Return the revision of our mapping of this document; its own where we have none."""
        return self.registry.revisions.get((row.type, kind_of(row.source)), row.revision)


def _write(
    writer: Writer, targets: list[Target], stored: dict[str, Stored], seals: dict[int, Seal]
) -> None:
    """Put every target, and remove what is stored and no target any more."""
    written = set()
    for target in targets:
        written.add(target.id)
        if (found := stored.get(target.id)) is not None:
            writer.move(found, target.source, patient_key(target.draft))
        writer.put(target, found, seals.get(target.audience.number))
    for document_id, document in stored.items():
        if document_id not in written:
            writer.remove(document, seals.get(document.audience))


class Rendering:
    """Renders sources for everyone who may read them, at one moment."""

    def __init__(self, registry: Registry, session: DbSession, key: bytes, now: datetime) -> None:
        self.registry = registry
        self.session = session
        self.key = key
        self.now = now
        self.views = Views()
        self.changes: dict[UUID, datetime | None] = {}  # when the clock changes what is due

    def targets(self, sources: Sources) -> list[Target]:
        """Return every document that these sources make now."""
        return [
            *self._public(sources),
            *self._facilities(sources.ids.get("facility", set())),
            *self._rosters(sources.ids.get("roster", set())),
            *self._about_patients(sources),
        ]

    def _render(self, kind: str, key: str, facts: Any, view: View) -> Iterator[Target]:  # noqa: ANN401
        for mapping in self.registry.by_kind.get(kind, ()):
            for draft in mapping.render(facts, view):
                yield Target(draft, view.audience, f"{kind}:{key}", mapping.revision)

    def _public(self, sources: Sources) -> Iterator[Target]:
        view = View(public_audience(self.key))
        for kind, load in loading.PUBLIC_LOADERS.items():
            if ids := sources.ids.get(kind):
                for facts in load(self.session, ids):
                    yield from self._render(kind, facts.id.hex, facts, view)
        if ids := sources.ids.get("group"):
            for group in loading.groups(self.session, ids).values():
                yield from self._render("group", group.id.hex, group, view)

    def _facilities(self, ids: set[UUID]) -> Iterator[Target]:
        if not ids:
            return
        audiences = connection_audiences(self.session, self.key)
        for connection_id, facts in loading.facilities(self.session, ids):
            for audience in (audiences[connection_id], programme_audience(self.key)):
                yield from self._render("facility", facts.id.hex, facts, View(audience))

    def _about_patients(self, sources: Sources) -> Iterator[Target]:
        found = [*self._people(sources), *self._measured(sources), *self._visited(sources)]
        patients = {facts.id if kind == "patient" else facts.patient_id for kind, _, facts in found}
        if not patients:
            return
        self.views = views(self.session, self.key, patients, self.now)
        for kind, key, facts in found:
            patient_id = facts.id if kind == "patient" else facts.patient_id
            for view in self.views.of[patient_id]:
                yield from self._render(kind, key, facts, view)

    def _people(self, sources: Sources) -> Iterator[Found]:
        for kind, load in loading.PATIENT_LOADERS.items():
            if ids := sources.ids.get(kind):
                for facts in load(self.session, ids):
                    yield kind, facts.id.hex, facts

    def _measured(self, sources: Sources) -> Iterator[Found]:
        if ids := sources.ids.get(MEASUREMENT):
            self.changes = dict.fromkeys(ids)
            for facts in measurements(self.session, ids, self.now):
                self.changes[facts.id] = facts.changes_at
                yield MEASUREMENT, facts.id.hex, facts

    def _visited(self, sources: Sources) -> Iterator[Found]:
        if sources.visits:
            for visit in loading.visits(self.session, sources.visits):
                yield "visit", f"{visit.session_id.hex}:{visit.patient_id.hex}", visit

    def _rosters(self, ids: set[UUID]) -> Iterator[Target]:
        """Yield each audience's part of each group: whom it may know of for treatment."""
        if not ids:
            return
        members = _members(self.session, ids)
        patients = {row.patient_id for rows in members.values() for row in rows}
        seen = views(self.session, self.key, patients, self.now)
        for group in loading.groups(self.session, ids).values():
            labels = self.registry.membership(group)
            parts: dict[Audience, list[MemberFacts]] = defaultdict(list)
            for row in members[group.id]:
                member = MemberFacts(patient_id=row.patient_id, status=row.status, start=row.start)
                for view in seen.of[row.patient_id]:
                    if view.purposes(Category.ENROLLMENT, labels) & TREATMENT_ONLY:
                        parts[view.audience].append(member)
            for audience, own in parts.items():
                facts = RosterFacts(group=group, members=tuple(own))
                yield from self._render("roster", group.id.hex, facts, View(audience))


def _members(session: DbSession, groups: set[UUID]) -> dict[UUID, list[Any]]:
    found: dict[UUID, list[Any]] = defaultdict(list)
    statement = (
        select(Enrollment.group_id, Enrollment.patient_id, Enrollment.status, Enrollment.start)
        .where(col(Enrollment.group_id).in_(groups), col(Enrollment.status).in_(ON_ROSTER))
        .order_by(col(Enrollment.start), col(Enrollment.id))
    )
    for row in session.execute(statement):
        found[row.group_id].append(row)
    return found


def _remember_due(session: DbSession, patients: set[UUID], seen: Views) -> None:
    """Note when the consents of these patients next begin or end (ADR 0005)."""
    _note(session, DueKind.CONSENTS, {one: seen.due.get(one) for one in patients})


def _remember_ends(session: DbSession, touched: Touched) -> None:
    """Note when the clock ends the present status of these enrolments (ADR 0022)."""
    rows = [row for row in touched.of(Enrollment) if "until" in touched.changed[row.id]]
    _note(session, DueKind.ENROLLMENT, {row.id: row.until for row in rows})


def _note(session: DbSession, kind: DueKind, moments: Mapping[UUID, datetime | None]) -> None:
    noted = {
        key: at
        for part in chunks(moments)
        for key, at in fetched(session, marks(NOTED, part), (kind.value, *part))
    }
    wanted = {key.hex: microseconds(at) for key, at in moments.items() if at}
    changed = {one.hex for one in moments if noted.get(one.hex) != wanted.get(one.hex)}
    if gone := changed & noted.keys():
        where = (col(ProjectionDue.kind) == kind, col(ProjectionDue.key).in_(gone))
        session.execute(delete(ProjectionDue).where(*where))
    rows = [{"kind": kind, "key": key, "at": wanted[key]} for key in changed & wanted.keys()]
    if rows:
        session.execute(insert(ProjectionDue), rows)
