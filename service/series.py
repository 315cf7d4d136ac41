"""Series of sessions: begun, changed from a date on, ended; one occurrence moved or cancelled.

https://www.rfc-editor.org/rfc/rfc5545#section-3.8.5
"""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from uuid import UUID

from sqlmodel import Session as DbSession
from sqlmodel import col, func, select

from service.commands import (
    CreateSeries,
    EndSeries,
    PlanSeries,
    UpdateSeries,
    changes,
)
from service.commands.unset import Unset
from service.errors import BusinessRuleError, InvalidError, RequiredError
from service.models.enrollments import Enrollment, EnrollmentStatus
from service.models.groups import GroupStatus, Place, Session, SessionStatus, SupportGroup
from service.models.series import Series, SeriesFormat
from service.planning import (
    Change,
    Planned,
    arrangement_of,
    attended_of,
    cancel,
    plan,
    rearrange,
    sessions_of,
)
from service.recurrence import Rule, moment, occurrences, parse, starts_with, wall_time, zone
from service.rows import apply, check_version, get, require_text

LONGEST_MINUTES = 24 * 60
BACK = timedelta(days=366)
FALLEN_AWAY = "The series no longer meets then"


def create_series(session: DbSession, command: CreateSeries, now: datetime) -> Series:
    """Begin a series and plan its first sessions."""
    require_plannable(session, command.group_id)
    where = zone(command.time_zone)
    rule = parse(command.rrule)
    if moment(command.start, where) < now - BACK:
        raise InvalidError("must not lie more than a year back", element="start")
    _check_start(rule, command.start, command.time_zone)
    values = {name: value for name, value in vars(command).items() if name != "weeks"}
    row = Series(**{**values, "rrule": rule.text})
    _check(session, row)
    session.add(row)
    session.flush()
    plan(session, row, now + timedelta(weeks=command.weeks), now)
    return row


def update_series(session: DbSession, command: UpdateSeries, now: datetime) -> Series:
    """Change a series; sessions that are still to come follow, from a date on."""
    row = get(session, Series, command.series_id)
    check_version(row, command.if_match)
    require_plannable(session, row.group_id)
    if row.ended_from is not None:
        raise BusinessRuleError("the series has ended")
    horizon = now + timedelta(weeks=command.weeks)
    change = _change(row, command, horizon, now)
    before = arrangement_of(row)
    given = changes(command, "minutes", "place_id", "format", "minimum_size")
    given |= _schedule(row, command, change.cut)
    with session.no_autoflush:
        _plan_up_to(session, row, change)
        apply(row, given)
        _check(session, row)
    if arrangement_of(row) != before:
        rearrange(session, row, before, change)
        session.flush()
        plan(session, row, horizon, now)
    return row


def plan_series(session: DbSession, command: PlanSeries, now: datetime) -> Planned:
    """Make the sessions that are missing up to the horizon."""
    row = get(session, Series, command.series_id)
    require_plannable(session, row.group_id)
    return plan(session, row, now + timedelta(weeks=command.weeks), now)


def end_series(session: DbSession, command: EndSeries, now: datetime) -> Series:
    """End a series: what lies ahead is cancelled, with the reason, and no more is planned."""
    row = get(session, Series, command.series_id)
    check_version(row, command.if_match)
    require_text(command.reason, "reason")
    today = wall_time(now, zone(row.time_zone)).date()
    end = command.from_date or today
    if row.ended_from is not None:
        if row.ended_from != end:
            raise BusinessRuleError(f"the series has ended on {row.ended_from}")
        return row
    if end < today:
        raise BusinessRuleError("must not lie before today", element="from_date")
    row.ended_from = end
    rows = [each for each in sessions_of(session, row) if _lies_ahead(each, end, now)]
    attended = attended_of(session, rows)
    for each in rows:
        if each.id not in attended:
            cancel(each, command.reason, now)
    return row


def require_plannable(session: DbSession, group_id: UUID) -> None:
    """Raise BusinessRuleError where the group meets no more."""
    if get(session, SupportGroup, group_id).status is GroupStatus.CLOSED:
        raise BusinessRuleError("the group is closed")


def require_joinable(session: DbSession, group_id: UUID, now: datetime) -> None:
    """Raise BusinessRuleError where a closed series of the group has begun and goes on."""
    closed = select(Series).where(Series.group_id == group_id, Series.format == SeriesFormat.CLOSED)
    for row in session.exec(closed):
        if _is_under_way(session, row, now):
            raise BusinessRuleError(
                "a closed series of the group has begun; it takes no new members"
            )


def attending(session: DbSession, group_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Return how many active members each of these groups has."""
    counted = (
        select(Enrollment.group_id, func.count())
        .where(
            col(Enrollment.group_id).in_(group_ids), Enrollment.status == EnrollmentStatus.ACTIVE
        )
        .group_by(col(Enrollment.group_id))
    )
    return dict(session.exec(counted).all())


def _is_under_way(session: DbSession, row: Series, now: datetime) -> bool:
    meant = arrangement_of(row)
    today = wall_time(now, meant.where)
    if row.ended_from is not None and row.ended_from <= today.date():
        return False
    rows = [
        each for each in sessions_of(session, row) if each.status is not SessionStatus.CANCELLED
    ]
    if not rows or rows[0].start > now:
        return False
    return any(each.end > now for each in rows) or meant.goes_on(today)


def _lies_ahead(each: Session, end: date, now: datetime) -> bool:
    is_later = each.occurrence is not None and each.occurrence.date() >= end
    return is_later and each.status is SessionStatus.SCHEDULED and each.start > now


def _change(row: Series, command: UpdateSeries, horizon: datetime, now: datetime) -> Change:
    today = wall_time(now, zone(row.time_zone))
    first = command.from_date or today.date()
    if first < today.date():
        raise BusinessRuleError("must not lie before today", element="from_date")
    cut = max(datetime.combine(first, time()), today)
    return Change(cut, horizon, now, command.reason or FALLEN_AWAY)


def _plan_up_to(session: DbSession, row: Series, change: Change) -> None:
    """Plan, by what the row still says, what comes before the change."""
    where = zone(row.time_zone)
    if change.cut <= wall_time(change.now, where):
        return
    near = change.cut <= wall_time(change.horizon, where)
    if not near or not plan(session, row, moment(change.cut, where), change.now).is_complete:
        raise BusinessRuleError("lies beyond what is planned ahead", element="from_date")


def _schedule(row: Series, command: UpdateSeries, cut: datetime) -> dict[str, object]:
    """Return the rule and the start where they change.

    A rule that ends otherwise keeps its start; one with other days says which is its first.
    """
    old = parse(row.rrule)
    rule = old if isinstance(command.rrule, Unset) else parse(command.rrule)
    start = row.start if isinstance(command.start, Unset) else command.start
    if start == row.start and rule.pattern == old.pattern:
        return {"rrule": rule.text}
    if isinstance(command.start, Unset):
        raise RequiredError("a rule with other days needs its first session", element="start")
    if start < cut:
        raise BusinessRuleError("must not lie before `from_date`, or now", element="start")
    if isinstance(command.rrule, Unset):
        rule = old.without_first(_passed(row, old, cut))
    _check_start(rule, start, row.time_zone)
    return {"rrule": rule.text, "start": start}


def _passed(row: Series, rule: Rule, cut: datetime) -> int:
    """Return how many of a rule's occurrences are over, where it counts them."""
    if rule.count is None:
        return 0
    walls = list(occurrences(rule, row.start, zone(row.time_zone)))
    passed = sum(wall < cut for wall in walls)
    if passed == len(walls):
        raise BusinessRuleError("its COUNT is used up: give a new rule", element="rrule")
    return passed


def _check_start(rule: Rule, start: datetime, time_zone: str) -> None:
    if not starts_with(rule, start, zone(time_zone)):
        message = f"must be an occurrence of the rule {rule.text}"
        raise InvalidError(message, element="start")


def _check(session: DbSession, row: Series) -> None:
    if not 1 <= row.minutes <= LONGEST_MINUTES:
        raise InvalidError(f"must be from 1 to {LONGEST_MINUTES}", element="minutes")
    if row.minimum_size is not None and row.minimum_size < 1:
        raise InvalidError("must be at least 1", element="minimum_size")
    if row.place_id:
        get(session, Place, row.place_id, "place_id")
