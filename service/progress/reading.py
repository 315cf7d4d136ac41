"""Progress and what is due, from rows: all of it computed when it is asked for."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlmodel import Session as DbSession
from sqlmodel import col, select

from service.driver import columns
from service.errors import ValueSetError
from service.instruments import Instrument, ScoreRule, instrument, load_instruments
from service.models.enrollments import Attendance, AttendanceMark, Enrollment
from service.models.groups import Session, SupportGroup
from service.models.patients import Patient
from service.models.provisions import Label
from service.models.screening import Response, ResponseStatus
from service.progress.memberships import held, index_date, memberships
from service.progress.occasions import (
    Answered,
    Membership,
    Occasion,
    asked,
    next_moment,
    occasions,
)
from service.progress.plans import plans_of
from service.progress.series import Asked, Progress, Value, progress
from service.rows import get

# In progress is not finished, and what was entered in error was never answered.
COUNTED = (ResponseStatus.COMPLETED, ResponseStatus.AMENDED, ResponseStatus.STOPPED)
ANSWERED = frozenset({"id", "patient_id", "instrument", "authored", "status"})
READ = (
    Response.id,
    Response.patient_id,
    Response.instrument,
    Response.authored,
    Response.total,
    Response.scores,
)


@dataclass(frozen=True, kw_only=True)
class Visited:
    """A session that has a mark for this person."""

    at: datetime
    mark: AttendanceMark


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A membership of a group that measures: what has begun, and when the clock changes that."""

    membership: Membership
    group: Mapping[str, Any]
    occasions: tuple[Occasion, ...]
    changes_at: datetime | None


def progress_of(
    session: DbSession, patient_id: UUID, now: datetime, name: str | None = None
) -> list[Progress]:
    """Return each score of each questionnaire that was answered or planned, or of the one named.

    Raises:
        NotFoundError: there is no such patient.
        ValueSetError: there is no such questionnaire.
    """
    get(session, Patient, patient_id)
    form_of(name)
    members = memberships(session, [patient_id], "patient_id")
    answers = _responses(session, [patient_id])
    due = _occasions(session, members, answers, now)
    index = index_date([(each.start, each.end) for each in members], now)
    names = {row["instrument"] for row in answers} | {each.plan.instrument for each in due}
    return [
        each
        for one in sorted(names if name is None else {name})
        for each in _of_form(
            instrument(one),
            [row for row in answers if row["instrument"] == one],
            index,
            asked(each for each in due if each.plan.instrument == one),
        )
    ]


def scores_of(
    session: DbSession, response: Response, form: Instrument, now: datetime
) -> list[Progress]:
    """Return each score of one questionnaire in the responses of this one's sender.

    Without what was due, and empty where there is nothing to compare: it is asked at each answer.
    Of a hospital's, the baseline is its first: it may not know when the person joined.
    """
    of_form = Response.instrument == form.id
    sender = col(Response.connection_id) == response.connection_id
    rows = _responses(session, [response.patient_id], of_form, sender)
    if len(rows) < 2:  # noqa: PLR2004 - a baseline and what is compared with it
        return []
    index = None if response.connection_id else _joined(session, response.patient_id, now)
    return list(_of_form(form, rows, index, None))


def _joined(session: DbSession, patient_id: UUID, now: datetime) -> datetime | None:
    members = memberships(session, [patient_id], "patient_id")
    return index_date([(each.start, each.end) for each in members], now)


def _of_form(
    form: Instrument, rows: list[Mapping[str, Any]], index: datetime | None, counted: Asked | None
) -> Iterator[Progress]:
    for score in form.reported_scores:
        yield progress(form, score, _values(form, score, rows), index, counted)


def form_of(name: str | None) -> Instrument | None:
    """Return the questionnaire of this name.

    Raises:
        ValueSetError: there is none.
    """
    if name is not None and name not in load_instruments():
        raise ValueSetError("no such questionnaire here", element="instrument")
    return None if name is None else instrument(name)


def attendance_of(session: DbSession, patient_id: UUID) -> list[Visited]:
    """Return the sessions that have a mark for this person, in the order of time."""
    marks = (
        select(Session.start, Attendance.mark)
        .join(Attendance, col(Attendance.session_id) == col(Session.id))
        .where(Attendance.patient_id == patient_id)
        .order_by(col(Session.start))
    )
    return [Visited(at=at, mark=AttendanceMark(mark)) for at, mark in session.exec(marks)]


def is_part2(session: DbSession, patient_id: UUID, form: Instrument) -> bool:
    """Tell whether a chart of this questionnaire shows records under 42 CFR Part 2.

    It shows attendance of every group, and a questionnaire may be about substance use itself.
    """
    groups = select(Enrollment.group_id).where(Enrollment.patient_id == patient_id)
    protected = select(SupportGroup.id).where(
        col(SupportGroup.id).in_(groups), col(SupportGroup.part2).is_(True)
    )
    return form.sensitivity == Label.SUBSTANCE_USE or session.exec(protected).first() is not None


def due_of_patient(session: DbSession, patient_id: UUID, now: datetime) -> list[Occasion]:
    get(session, Patient, patient_id)
    members = memberships(session, [patient_id], "patient_id")
    return _occasions(session, members, _responses(session, [patient_id]), now)


def due_of_group(session: DbSession, group_id: UUID, now: datetime) -> list[Occasion]:
    get(session, SupportGroup, group_id)
    members = memberships(session, [group_id], "group_id")
    answers = _responses(session, {each.patient_id for each in members})
    return _occasions(session, members, answers, now)


def measured(session: DbSession, enrollments: Iterable[UUID], now: datetime) -> list[Measured]:
    """Return those of these enrolments that are memberships of a group that measures."""
    members = memberships(session, enrollments)
    groups = _groups(session, members)
    planned = [each for each in members if groups[each.group_id]["measurement"]]
    if not planned:
        return []
    patients = {each.patient_id for each in planned}
    rows = columns(session, Response, patients, "patient_id", ANSWERED)
    answers = [row for row in rows if row["status"] in COUNTED]
    return list(_measured(session, planned, groups, answers, now))


def _responses(
    session: DbSession,
    patients: Iterable[UUID],
    *where: ColumnElement[bool] | bool,
) -> list[Mapping[str, Any]]:
    """Return what counts of these people's responses, in the order of time."""
    found = select(*READ).where(  # type: ignore[call-overload]
        col(Response.patient_id).in_(set(patients)), col(Response.status).in_(COUNTED), *where
    )
    rows = session.execute(found).mappings()
    return sorted((dict(row) for row in rows), key=lambda row: (row["authored"], row["id"]))


def _values(
    form: Instrument, score: ScoreRule, rows: Iterable[Mapping[str, Any]]
) -> Iterable[Value]:
    """Yield a value for each response that has this score; older ones may not have it."""
    for row in rows:
        scores = {form.primary.id: row["total"], **(row["scores"] or {})}
        if score.id in scores:
            value = scores[score.id]
            number = None if value is None else Decimal(str(value))
            yield Value(at=row["authored"], key=row["id"].hex, value=number)


def _occasions(
    session: DbSession,
    members: list[Membership],
    answers: Iterable[Mapping[str, Any]],
    now: datetime,
) -> list[Occasion]:
    groups = _groups(session, members)
    found = _measured(session, members, groups, answers, now)
    return [occasion for each in found for occasion in each.occasions]


def _groups(session: DbSession, members: Iterable[Membership]) -> dict[UUID, dict[str, Any]]:
    """Return the rows of their groups by key."""
    rows = columns(session, SupportGroup, {each.group_id for each in members})
    return {row["id"]: row for row in rows}


def _measured(
    session: DbSession,
    members: Iterable[Membership],
    groups: Mapping[UUID, Mapping[str, Any]],
    answers: Iterable[Mapping[str, Any]],
    now: datetime,
) -> Iterator[Measured]:
    plans = {key: plans_of(row["measurement"]) for key, row in groups.items()}
    counting = [key for key, found in plans.items() if any(each.counts_sessions for each in found)]
    ended = held(session, counting) if counting else {}
    given: dict[tuple[UUID, str], list[Answered]] = defaultdict(list)
    for row in answers:
        key = row["patient_id"], row["instrument"]
        given[key].append(Answered(response_id=row["id"], at=row["authored"]))
    for each in members:
        ends = ended.get(each.group_id, [])
        found, moments = list[Occasion](), list[datetime]()
        for plan in plans[each.group_id]:
            found += occasions(plan, each, ends, given[each.patient_id, plan.instrument], now)
            moments += filter(None, [next_moment(plan, each, ends, now)])
        yield Measured(
            membership=each,
            group=groups[each.group_id],
            occasions=tuple(found),
            changes_at=min(moments, default=None),
        )
