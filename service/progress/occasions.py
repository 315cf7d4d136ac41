"""What is due: occasions of measurement, made of a plan, a membership and a clock; all pure.

An occasion begins at a known moment and ends when the next one begins. A response answers the
occasion that it falls in, or the next where that one is answered already and the response is
less than `EARLY` before it. Nothing begins while the person is on hold or after they left, and
what was not answered then is cancelled.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID

from service.commands import MeasurementPlan
from service.models.measurement import OccasionKind, OccasionState
from service.progress.series import EARLIEST, Asked

EARLY = timedelta(days=2)
WEEK = timedelta(weeks=1)


@dataclass(frozen=True, kw_only=True)
class Membership:
    """One enrolment from when the person joined; `active` are its periods that were no hold."""

    enrollment_id: UUID
    patient_id: UUID
    group_id: UUID
    start: datetime
    end: datetime | None
    active: tuple[tuple[datetime, datetime | None], ...]

    def is_active(self, at: datetime) -> bool:
        return any(begin <= at and (end is None or at < end) for begin, end in self.active)


@dataclass(frozen=True, kw_only=True)
class Answered:
    """A response that was finished: which, and when."""

    response_id: UUID
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Occasion:
    """One time that a questionnaire is due; `number` counts from 0 within the plan."""

    membership: Membership
    plan: MeasurementPlan
    kind: OccasionKind
    number: int
    begins: datetime
    overdue_from: datetime
    ends: datetime | None = None
    response_id: UUID | None = None
    state: OccasionState = OccasionState.DUE


def occasions(
    plan: MeasurementPlan,
    membership: Membership,
    held: Iterable[datetime],
    answers: Iterable[Answered],
    now: datetime,
) -> tuple[Occasion, ...]:
    """Return what has begun until now; `held` are the ends of the group's sessions."""
    begun = [
        each
        for each in _planned(plan, membership, _attended(membership, held), now)
        if each.begins <= now and membership.is_active(each.begins)
    ]
    bounded = [replace(a, ends=b.begins) for a, b in pairwise(begun)] + begun[-1:]
    taken = _taken(bounded, sorted(answers, key=lambda each: (each.at, each.response_id)))
    return tuple(_settled(each, taken.get(each.number), now) for each in bounded)


def next_moment(
    plan: MeasurementPlan, membership: Membership, held: Iterable[datetime], now: datetime
) -> datetime | None:
    """Return when the clock next changes what is due, as things stand now.

    That is when an occasion begins, or when the person leaves and what is open is cancelled.
    """
    known = max([now, *(begin for begin, _ in membership.active)])
    until = known + WEEK * (plan.every_weeks or 0)  # a rhythm has a beat in that time
    planned = _planned(plan, membership, _attended(membership, held), until)
    moments = [each.begins for each in planned if membership.is_active(each.begins)]
    moments += [membership.end] if membership.end else []
    return min((each for each in moments if each > now), default=None)


def asked(found: Iterable[Occasion]) -> Asked | None:
    """Count what was due; None where nothing was."""
    owed = [each for each in found if each.state is not OccasionState.CANCELLED]
    if not owed:
        return None
    states = [each.state for each in owed]
    late = {OccasionState.OVERDUE, OccasionState.MISSED}
    return Asked(
        due=len(states),
        answered=states.count(OccasionState.ANSWERED),
        overdue=states.count(OccasionState.OVERDUE),
        missed=states.count(OccasionState.MISSED),
        unanswered=tuple(sorted(each.begins for each in owed if each.state in late)),
    )


def _attended(membership: Membership, held: Iterable[datetime]) -> list[datetime]:
    return sorted(each for each in held if membership.is_active(each))


def _planned(
    plan: MeasurementPlan, member: Membership, held: Sequence[datetime], until: datetime
) -> Iterator[Occasion]:
    last = _end(plan, member, held)
    moments = [(OccasionKind.BASELINE, member.start)] if plan.baseline else []
    moments += [
        (OccasionKind.FOLLOW_UP, at)
        for at in _rhythm(plan, member, held, min(until, last or until))
        if last is None or at < last
    ]
    moments += [(OccasionKind.END, last)] if last else []
    late = timedelta(days=plan.overdue_days)
    for number, (kind, at) in enumerate(moments):
        yield Occasion(
            membership=member,
            plan=plan,
            kind=kind,
            number=number,
            begins=at,
            overdue_from=at + late,
        )


def _rhythm(
    plan: MeasurementPlan, member: Membership, held: Sequence[datetime], until: datetime
) -> Iterator[datetime]:
    if plan.every_sessions:
        yield from held[plan.every_sessions - 1 :: plan.every_sessions]
    elif plan.every_weeks:
        step = plan.every_weeks * WEEK
        at = member.start + step
        while at <= until:
            yield at
            at += step


def _end(plan: MeasurementPlan, member: Membership, held: Sequence[datetime]) -> datetime | None:
    if plan.end_after_weeks:
        return member.start + plan.end_after_weeks * WEEK
    if plan.end_after_sessions and len(held) >= plan.end_after_sessions:
        return held[plan.end_after_sessions - 1]
    return None


def _taken(begun: Sequence[Occasion], answers: Iterable[Answered]) -> dict[int, UUID]:
    """Return which response answers which occasion, by its number."""
    taken: dict[int, UUID] = {}
    for answer in answers:
        before = True
        for each in begun:
            if each.number not in taken and _falls_in(each, answer.at, early=before):
                taken[each.number] = answer.response_id
                break
            before = each.number in taken
    return taken


def _falls_in(each: Occasion, at: datetime, *, early: bool) -> bool:
    """Tell whether it falls in; `early` where the occasion before is answered, or there is none."""
    ahead = EARLIEST if each.kind is OccasionKind.BASELINE else EARLY * early
    return each.begins - ahead <= at and (each.ends is None or at < each.ends)


def _settled(each: Occasion, response_id: UUID | None, now: datetime) -> Occasion:
    return replace(each, response_id=response_id, state=_state(each, response_id, now))


def _state(each: Occasion, response_id: UUID | None, now: datetime) -> OccasionState:
    left = each.membership.end
    if response_id is not None:
        return OccasionState.ANSWERED
    if each.ends is not None and each.ends <= now:
        return OccasionState.MISSED
    if left is not None and left <= now:
        return OccasionState.CANCELLED
    return OccasionState.OVERDUE if each.overdue_from <= now else OccasionState.DUE
