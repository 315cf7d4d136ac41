"""From touched rows to the enrolments whose Tasks of measurement may change (ADR 0047).

Such a Task is made of a group's plans and sessions, an enrolment and a person's responses. It is
protected by the patient's lock, so that a response needs no other: whoever changes the plans, or
the sessions that they count, holds the locks of all whom they are about. A group without plans
costs one small query.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from sqlalchemy import inspect
from sqlmodel import Session as DbSession

from service.driver import as_uuid, chunks, columns, fetched, marks
from service.guard import Touched
from service.models.enrollments import Enrollment
from service.models.groups import Session, SessionStatus, SupportGroup
from service.models.screening import Response
from service.progress.plans import plans_of

MEASURED = "measured"  # what the clock changed of an enrolment, where nothing else changed
HAS_PLANS = "CAST(g.measurement AS TEXT) <> '[]'"
PLANS = (
    "SELECT g.id, CAST(g.measurement AS TEXT) FROM support_groups g"  # noqa: S608 - constants
    f" WHERE {HAS_PLANS} AND g.id IN ({{marks}})"
)
ABOUT = (
    "SELECT e.id, e.patient_id, CAST(g.measurement AS TEXT) FROM enrollments e"
    " JOIN support_groups g ON g.id = e.group_id WHERE NOT e.guest AND "
)
BY = "e.{by} IN ({marks})"
LABELLING = {"part2", "sensitivity"}  # what the labels of a group's records come from


class About(NamedTuple):
    """An enrolment with the plans of its group, as they are stored."""

    enrollment_id: UUID
    patient_id: UUID
    plans: str = ""


def replanned(session: DbSession, touched: Touched) -> list[About]:
    """Return the enrolments of groups whose plans changed; these may have none now.

    Years of Tasks of everybody may follow, more than one change may take time for: they are noted
    as what the clock brings at once.
    """
    rows = touched.of(SupportGroup)
    changed = {row.id for row in rows if "measurement" in touched.changed[row.id]}
    return _about(session, "group_id", changed, planned=False)


def measured_in_groups(session: DbSession, touched: Touched) -> list[About]:
    """Return the enrolments whose Tasks follow from the labels and sessions of groups."""
    rows = touched.of(SupportGroup)
    copied = {row.id for row in rows if touched.changed[row.id] & LABELLING}
    return [*_about(session, "group_id", copied), *_counted(session, touched)]


def _counted(session: DbSession, touched: Touched) -> Iterator[About]:
    """Yield the enrolments for which sessions count that were touched: those of then."""
    held = [row for row in touched.of(Session) if row.status is SessionStatus.HELD]
    plans = _plans(session, {row.group_id for row in held})
    counting = [group for group, stored in plans.items() if _counts_sessions(stored)]
    for row in columns(session, Enrollment, counting, "group_id"):
        if not row["guest"] and any(_concerns(each, row, touched) for each in held):
            yield About(row["id"], row["patient_id"])


def _concerns(held: Session, row: dict[str, Any], touched: Touched) -> bool:
    if held.group_id != row["group_id"]:
        return False
    changed = touched.changed[held.id]
    if "end" in changed and "status" not in changed:  # who was there before, is not known here
        return True
    began: bool = row["start"] <= held.end
    return began and (row["end"] is None or held.end <= row["end"])


def measured_people(session: DbSession, touched: Touched, merged: set[UUID]) -> set[UUID]:
    """Return the enrolments whose Tasks follow from enrolments, responses and a merge."""
    enrolled = [row for row in touched.of(Enrollment) if not row.guest]
    planned = _plans(session, {row.group_id for row in enrolled})
    found = {row.id for row in enrolled if row.group_id in planned or _had_plans(row, touched)}
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


def _had_plans(row: Enrollment, touched: Touched) -> bool:
    """Tell whether it may have Tasks of plans that its group has no more."""
    return is_clocks_alone(row, touched) or inspect(row).deleted


def _counts_sessions(plans: str) -> bool:
    return any(each.counts_sessions for each in plans_of(orjson.loads(plans)))


def _about(
    session: DbSession, by: str, keys: Iterable[UUID], *, planned: bool = True
) -> list[About]:
    where = f"{HAS_PLANS} AND {BY}" if planned else BY
    sql = ABOUT + where.replace("{by}", by)
    found = []
    for part in chunks(keys):
        for one, patient, plans in fetched(session, marks(sql, part), part):
            found.append(About(as_uuid(one), as_uuid(patient), plans))
    return found


def _plans(session: DbSession, groups: set[UUID]) -> dict[UUID, str]:
    """Return what is stored of the plans of those of these groups that have any."""
    found: dict[UUID, str] = {}
    for part in chunks(groups):
        found |= {
            as_uuid(key): stored for key, stored in fetched(session, marks(PLANS, part), part)
        }
    return found
