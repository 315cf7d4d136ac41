"""From touched rows to the enrolments whose Tasks of measurement may change (ADR 0047).

Such a Task is made of a group's plans and sessions, an enrolment and a person's responses. It is
protected by the patient's lock, so that a response needs no other: whoever changes the plans, or
the sessions that they count, holds the locks of all whom they are about. A group without plans
costs one small query.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

import orjson
from sqlmodel import Session as DbSession

from service.driver import as_uuid, chunks, fetched, marks
from service.guard import Touched
from service.models.enrollments import Enrollment
from service.models.groups import Session, SessionStatus, SupportGroup
from service.models.screening import Response
from service.progress.plans import plans_of

MEASURED = "measured"  # what the clock changed of an enrolment, where nothing else changed
ABOUT = (
    "SELECT e.id, e.patient_id, e.group_id, CAST(g.measurement AS TEXT) FROM enrollments e"
    " JOIN support_groups g ON g.id = e.group_id WHERE NOT e.guest AND "
)
BY = "e.{by} IN ({marks})"
HAS_PLANS = "CAST(g.measurement AS TEXT) <> '[]'"
PLANNED = f"SELECT g.id FROM support_groups g WHERE {HAS_PLANS} AND g.id IN ({{marks}})"  # noqa: S608
COPIED = {"part2", "sensitivity"}  # what a Task copies from its group


class About(NamedTuple):
    """An enrolment with the plans of its group, as they are stored."""

    enrollment_id: UUID
    patient_id: UUID
    group_id: UUID
    plans: str


def measured_in_groups(session: DbSession, touched: Touched) -> list[About]:
    """Return the enrolments whose Tasks follow from the groups and sessions that were touched."""
    changed = {row.id: touched.changed[row.id] for row in touched.of(SupportGroup)}
    replanned = {key for key, names in changed.items() if "measurement" in names}
    copied = {key for key, names in changed.items() if names & COPIED} - replanned
    counted = {row.group_id for row in touched.of(Session) if row.status is SessionStatus.HELD}
    found = _about(session, "group_id", replanned, planned=False)  # they may have none now
    for each in _about(session, "group_id", (copied | counted) - replanned):
        if each.group_id in copied or _counts_sessions(each.plans):
            found.append(each)
    return found


def measured_people(session: DbSession, touched: Touched, merged: set[UUID]) -> set[UUID]:
    """Return the enrolments whose Tasks follow from enrolments, responses and a merge."""
    enrolled = [row for row in touched.of(Enrollment) if not row.guest]
    planned = _planned(session, {row.group_id for row in enrolled})
    found = {row.id for row in enrolled if row.group_id in planned}
    answered: dict[UUID, set[str]] = defaultdict(set)
    for row in touched.of(Response):
        answered[row.patient_id].add(f'"{row.instrument}"')
    for each in _about(session, "patient_id", answered):
        if any(name in each.plans for name in answered[each.patient_id]):
            found.add(each.enrollment_id)
    both = _about(session, "patient_id", merged, planned=False)
    return found | {each.enrollment_id for each in both}


def is_clocks_alone(row: Enrollment, touched: Touched) -> bool:
    """Tell whether nothing of this enrolment changed but what the clock has brought."""
    return touched.changed[row.id] == {MEASURED}


def _counts_sessions(plans: str) -> bool:
    return any(each.counts_sessions for each in plans_of(orjson.loads(plans)))


def _about(
    session: DbSession, by: str, keys: Iterable[UUID], *, planned: bool = True
) -> list[About]:
    where = f"{HAS_PLANS} AND {BY}" if planned else BY
    sql = ABOUT + where.replace("{by}", by)
    found = []
    for part in chunks(keys):
        for one, patient, group, plans in fetched(session, marks(sql, part), part):
            found.append(About(as_uuid(one), as_uuid(patient), as_uuid(group), plans))
    return found


def _planned(session: DbSession, groups: set[UUID]) -> set[UUID]:
    found = set[UUID]()
    for part in chunks(groups):
        found |= {as_uuid(key) for (key,) in fetched(session, marks(PLANNED, part), part)}
    return found
