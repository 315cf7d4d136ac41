"""Facts of what enrolments are asked for: the occasions that `/v1` lists, of the same rows."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlmodel import Session as DbSession

from service.instruments import load_instruments
from service.models.facts import GroupFacts, MeasurementFacts, OccasionFacts
from service.progress.occasions import Occasion
from service.progress.reading import Measured, measured

GROUP = tuple(GroupFacts.__dataclass_fields__)


def measurements(
    session: DbSession, enrollments: Iterable[UUID], now: datetime
) -> list[MeasurementFacts]:
    return [_facts(each) for each in measured(session, enrollments, now)]


def _facts(one: Measured) -> MeasurementFacts:
    known = load_instruments()  # nobody can answer one whose file is gone
    return MeasurementFacts(
        id=one.membership.enrollment_id,
        patient_id=one.membership.patient_id,
        group=GroupFacts(**{name: one.group[name] for name in GROUP}),
        occasions=tuple(_occasion(each) for each in one.occasions if each.plan.instrument in known),
        changes_at=one.changes_at,
    )


def _occasion(one: Occasion) -> OccasionFacts:
    return OccasionFacts(
        instrument=one.plan.instrument,
        number=one.number,
        begins=one.begins,
        overdue_from=one.overdue_from,
        state=one.state,
        response_id=one.response_id,
    )
