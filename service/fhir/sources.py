"""From touched rows to the sources whose documents may change, and the locks they need.

A source is `kind:key`; a visit's key is its session and its patient. Group documents (episode,
visit, roster, catalogue entry) are protected by the group's lock, patient documents by the
patient's: whoever changes a patient's consents or links holds the patient's groups too, and
whoever changes what a group measures, or a session that this counts, holds its members.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

from sqlmodel import Session as DbSession
from sqlmodel import col, select

from service.driver import columns, fetched
from service.fhir.measured_sources import (
    is_clocks_alone,
    measured_in_groups,
    measured_people,
    replanned,
)
from service.guard import Touched
from service.models.aggregates import Aggregate, group_aggregate, patient_aggregate
from service.models.base import Projected
from service.models.connections import Facility
from service.models.consents import Consent
from service.models.enrollments import Attendance, Enrollment
from service.models.groups import Facilitator, Place, Programme, Session, SupportGroup
from service.models.patients import Link, Patient, SentPatient
from service.models.screening import Alert, Instrument, Response
from service.models.subjects import Restriction

# What the documents of members copy from their group: a change re-renders them all.
COPIED_FROM_GROUP = {
    "sensitivity", "part2", "modality", "facilitation", "facilitator_id", "place_id",
}  # fmt: skip
STANDALONE: tuple[tuple[type[Projected], str], ...] = (
    (Programme, "programme"),
    (Facility, "facility"),
    (Facilitator, "facilitator"),
    (Place, "place"),
    (Instrument, "instrument"),
)
# What is about one patient: kinds of sources, with their tables.
OF_PATIENTS: tuple[tuple[str, type[Enrollment | Response | Consent | Alert]], ...] = (
    ("enrollment", Enrollment),
    ("response", Response),
    ("consent", Consent),
    ("alert", Alert),
)

# All that is kept by a row of theirs. Consents and links do not change what is due.
MEASUREMENT = "measurement"
OF_ROWS = (*OF_PATIENTS, (MEASUREMENT, Enrollment))

# Those of them that may be about a group, and copy from it.
OF_GROUPS: tuple[tuple[str, type[Enrollment | Response | Alert]], ...] = (
    ("enrollment", Enrollment),
    ("response", Response),
    ("alert", Alert),
)

SENT = "SELECT 1 FROM responses WHERE patient_id = ? AND connection_id = ? LIMIT 2"


@dataclass
class Sources:
    """The ids of the sources to render again, by kind."""

    ids: dict[str, set[UUID]] = field(default_factory=dict)
    visits: set[tuple[UUID, UUID]] = field(default_factory=set)

    def add(self, kind: str, ids: Iterable[UUID]) -> None:
        self.ids.setdefault(kind, set()).update(ids)

    @classmethod
    def of(cls, keys: Iterable[str]) -> "Sources":
        """Return the sources of these keys, as documents remember them."""
        found = cls()
        for key in keys:
            kind, *ids = key.split(":")
            if kind == "visit":
                session_id, patient_id = map(UUID, ids)
                found.visits.add((session_id, patient_id))
            else:
                found.add(kind, map(UUID, ids))
        return found

    def keys(self) -> set[str]:
        """Return the source keys as documents remember them."""
        found = {f"{kind}:{one.hex}" for kind, ids in self.ids.items() for one in ids}
        return found | {f"visit:{s.hex}:{p.hex}" for s, p in self.visits}


def kind_of(source: str) -> str:
    return source.partition(":")[0]


def consent_patients(touched: Touched) -> set[UUID]:
    """Return whose consents, links or restrictions changed, and those that a merge is about."""
    rows = [*touched.of(Consent), *touched.of(Link), *touched.of(Restriction)]
    return {row.patient_id for row in rows} | merged_patients(touched)


def merged_patients(touched: Touched) -> set[UUID]:
    """Return both patients of a merge, or of one that is undone."""
    if not any(map(partial(is_merging, touched), touched.of(Patient))):
        return set()
    return {row.id for row in touched.of(Patient)}


def is_merging(touched: Touched, row: Patient) -> bool:
    """Tell whether this is the source of a merge, or of one that is undone."""
    return row.row_version > 1 and "merged_into_id" in touched.changed[row.id]


def needed_aggregates(session: DbSession, touched: Touched) -> set[Aggregate]:
    """Return every aggregate whose lock protects the touched rows' documents."""
    everything = consent_patients(touched)
    patients = everything | {row.id for row in touched.of(Patient)}
    groups = _groups_of(session, everything)
    for row in [*touched.of(Enrollment), *touched.of(Response)]:
        patients.add(row.patient_id)
        groups.update([row.group_id] if row.group_id else [])
    patients.update(row.patient_id for row in [*touched.of(Alert), *touched.of(SentPatient)])
    groups.update(row.group_id for row in touched.of(Session))
    groups.update(_groups_of_sessions(session, {a.session_id for a in touched.of(Attendance)}))
    groups.update(row.id for row in touched.of(SupportGroup))
    patients.update(_patients_with_results(session, _regrouped(touched)))
    measured = [*replanned(session, touched), *measured_in_groups(session, touched)]
    patients.update(each.patient_id for each in measured)
    patients.update(_consents_to(session, touched, Consent.patient_id))
    alone = {Aggregate(kind, row.id.hex) for cls, kind in STANDALONE for row in touched.of(cls)}
    return alone | {patient_aggregate(p) for p in patients} | {group_aggregate(g) for g in groups}


def aggregates_of(session: DbSession, sources: Sources) -> set[Aggregate]:
    """Return every aggregate whose lock protects the documents of these sources."""
    ids = sources.ids
    patients = {*ids.get("patient", ())}
    groups = {*ids.get("group", ()), *ids.get("roster", ())}
    groups |= _groups_of_sessions(session, {one for one, _ in sources.visits})
    for kind, table in OF_ROWS:
        for row in columns(session, table, ids.get(kind, ())):
            patients.add(row["patient_id"])
            groups.update(filter(None, [row.get("group_id")]))
    alone = {Aggregate(kind, one.hex) for _, kind in STANDALONE for one in ids.get(kind, ())}
    return alone | {patient_aggregate(p) for p in patients} | {group_aggregate(g) for g in groups}


def affected_sources(session: DbSession, touched: Touched) -> Sources:
    """Return the sources whose documents the touched rows may change."""
    sources = Sources()
    for cls, kind in STANDALONE:
        sources.add(kind, {row.id for row in touched.of(cls)})
    sources.add("patient", {row.id for row in touched.of(Patient)})
    sources.add("patient", {row.patient_id for row in touched.of(SentPatient)})
    sources.add("response", {row.id for row in touched.of(Response)})
    sources.add("patient", _first_sent_about(session, touched))
    sources.add("response", {row.response_id for row in touched.of(Alert) if row.response_id})
    sources.add("alert", {row.id for row in touched.of(Alert)})
    sources.add("consent", {row.id for row in touched.of(Consent)})  # one that is erased, too
    _add_patients(session, sources, consent_patients(touched))
    # What was made from the other record's visits is found by them.
    sources.visits |= {
        (one, patient) for one, _ in sources.visits for patient in merged_patients(touched)
    }
    enrolled = [row for row in touched.of(Enrollment) if not is_clocks_alone(row, touched)]
    _add_enrollments(session, sources, enrolled)
    _add_groups(session, sources, touched)
    _add_measurements(session, sources, touched)
    sources.add("consent", _consents_to(session, touched, Consent.id))
    sources.visits.update((a.session_id, a.patient_id) for a in touched.of(Attendance))
    _add_visits(session, sources, sessions={row.id for row in touched.of(Session)})
    return sources


def _add_patients(session: DbSession, sources: Sources, patients: set[UUID]) -> None:
    """Add all that is about these patients, whose consents or links changed."""
    if not patients:
        return
    sources.add("patient", patients)
    groups = _groups_of(session, patients)
    sources.add("roster", groups)
    for kind, table in OF_PATIENTS:
        where = col(table.patient_id).in_(patients)
        sources.add(kind, session.exec(select(table.id).where(where)).all())
    _add_visits(session, sources, patients=patients)


def _add_enrollments(session: DbSession, sources: Sources, rows: list[Enrollment]) -> None:
    sources.add("enrollment", {row.id for row in rows})
    groups = {row.group_id for row in rows}
    sources.add("roster", groups)
    for row in rows:
        sessions = session.exec(select(Session.id).where(Session.group_id == row.group_id))
        sources.visits.update((one, row.patient_id) for one in sessions)


def _add_groups(session: DbSession, sources: Sources, touched: Touched) -> None:
    groups = {row.id for row in touched.of(SupportGroup)}
    sources.add("group", groups)
    sources.add("roster", groups)
    regrouped = _regrouped(touched)
    if regrouped:
        for kind, table in OF_GROUPS:
            where = col(table.group_id).in_(regrouped)
            sources.add(kind, session.exec(select(table.id).where(where)).all())
        inside = select(Session.id).where(col(Session.group_id).in_(regrouped))
        _add_visits(session, sources, sessions=set(session.exec(inside)))


def _add_measurements(session: DbSession, sources: Sources, touched: Touched) -> None:
    in_groups = measured_in_groups(session, touched)
    sources.add(MEASUREMENT, {each.enrollment_id for each in in_groups})
    sources.add(MEASUREMENT, measured_people(session, touched, merged_patients(touched)))


def _add_visits(
    session: DbSession,
    sources: Sources,
    *,
    sessions: set[UUID] | None = None,
    patients: set[UUID] | None = None,
) -> None:
    """Add each member's visit to each session of their group, within these bounds."""
    pairs = select(Session.id, Enrollment.patient_id).join(
        Enrollment, col(Enrollment.group_id) == col(Session.group_id)
    )
    if sessions:
        sources.visits.update(session.exec(pairs.where(col(Session.id).in_(sessions))).all())
    if patients:
        theirs = pairs.where(col(Enrollment.patient_id).in_(patients))
        sources.visits.update(session.exec(theirs).all())


def _regrouped(touched: Touched) -> set[UUID]:
    """Return the groups of which something changed that their members' documents copy."""
    rows = touched.of(SupportGroup)
    return {row.id for row in rows if touched.changed[row.id] & COPIED_FROM_GROUP}


def _first_sent_about(session: DbSession, touched: Touched) -> set[UUID]:
    """Return the patients of whom a hospital sent its first response.

    From then on it may have the Patient that its response is about.
    """
    found = set()
    for row in touched.of(Response):
        if row.connection_id and "patient_id" in touched.changed[row.id]:
            sent = fetched(session, SENT, (row.patient_id.hex, row.connection_id.hex))
            if len(sent) == 1:
                found.add(row.patient_id)
    return found


def _consents_to(session: DbSession, touched: Touched, wanted: Any) -> set[UUID]:  # noqa: ANN401
    """Return a column of the consents that name a hospital whose own organisation changed."""
    roots = {row.connection_id for row in touched.of(Facility) if row.part_of_id is None}
    if not roots:
        return set()
    return set(session.exec(select(wanted).where(col(Consent.connection_id).in_(roots))))


def _groups_of(session: DbSession, patients: set[UUID]) -> set[UUID]:
    if not patients:
        return set()
    where = col(Enrollment.patient_id).in_(patients)
    found = set(session.exec(select(Enrollment.group_id).where(where)))
    for table in (Response, Alert):
        about = select(table.group_id).where(col(table.patient_id).in_(patients))
        found |= {group for group in session.exec(about) if group}
    return found


def _groups_of_sessions(session: DbSession, sessions: set[UUID]) -> set[UUID]:
    if not sessions:
        return set()
    return set(session.exec(select(Session.group_id).where(col(Session.id).in_(sessions))))


def _patients_with_results(session: DbSession, groups: set[UUID]) -> set[UUID]:
    """Return whose responses and alerts are about these groups."""
    if not groups:
        return set()
    found = set(session.exec(select(Response.patient_id).where(col(Response.group_id).in_(groups))))
    return found | set(
        session.exec(select(Alert.patient_id).where(col(Alert.group_id).in_(groups)))
    )


def linked_to(session: DbSession, patients: set[UUID]) -> set[UUID]:
    """Return the hospitals that these people are linked to."""
    if not patients:
        return set()
    linked = select(Link.connection_id).where(col(Link.patient_id).in_(patients))
    return set(session.exec(linked.where(col(Link.undone_at).is_(None))))
