"""From a series to its sessions: those that are missing are made, and they follow a changed rule.

A session keeps its id, whatever becomes of its time: its occurrence says which one it is. What was
held, has attendance or was moved by hand stays where it is.
https://www.rfc-editor.org/rfc/rfc5545#section-3.8.4.4
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import takewhile
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel import Session as DbSession
from sqlmodel import col, select

from service.models.enrollments import Attendance
from service.models.groups import Recurrence, Session, SessionStatus
from service.models.series import Series
from service.recurrence import Rule, moment, occurrences, parse, wall_time, zone
from service.rows import apply

MOST = 100  # sessions ahead: each changes a document for every member and hospital
MONTH = timedelta(days=31)


@dataclass(frozen=True)
class Arrangement:
    """When and where a series meets, as its row says it."""

    rule: Rule
    start: datetime
    where: ZoneInfo
    minutes: int
    place_id: UUID | None
    ended_from: date | None

    def walls(self, until: datetime | None = None) -> Iterator[datetime]:
        """Yield the occurrences, all or those that begin by this wall-clock time."""
        end = self.ended_from or date.max
        found = occurrences(self.rule, self.start, self.where)
        return takewhile(lambda wall: (until is None or wall <= until) and wall.date() < end, found)

    def has(self, wall: datetime) -> bool:
        return any(each == wall for each in self.walls(wall))

    def goes_on(self, after: datetime) -> bool:
        """Return whether there is an occurrence after this wall-clock time."""
        return any(each > after for each in self.walls())

    def times(self, wall: datetime) -> tuple[datetime, datetime]:
        """Return when the session of an occurrence begins and ends; it lasts as long on any day."""
        start = moment(wall, self.where)
        return start, start + timedelta(minutes=self.minutes)


@dataclass(frozen=True)
class Planned:
    """What planning did: `is_complete` where nothing before the horizon is left to make."""

    made: int
    is_complete: bool


def arrangement_of(row: Series) -> Arrangement:
    return Arrangement(
        parse(row.rrule), row.start, zone(row.time_zone), row.minutes, row.place_id, row.ended_from
    )


def sessions_of(session: DbSession, row: Series) -> list[Session]:
    statement = select(Session).where(Session.series_id == row.id)
    return list(session.exec(statement.order_by(col(Session.start), col(Session.id))))


def plan(session: DbSession, row: Series, until: datetime, now: datetime) -> Planned:
    """Make the sessions that are missing until then; the same again makes none."""
    meant = arrangement_of(row)
    today = wall_time(now, meant.where)
    rows = sessions_of(session, row)
    known = {each.occurrence for each in rows}
    missing = [wall for wall in meant.walls(wall_time(until, meant.where)) if wall not in known]
    room = MOST - sum(_is_ahead(each, today) for each in rows)
    new = missing[: max(room, 0)]
    session.add_all(session_at(row, meant, wall) for wall in new)
    session.flush()
    return Planned(len(new), is_complete=len(new) == len(missing))


def session_at(
    row: Series, meant: Arrangement, wall: datetime, kind: Recurrence = Recurrence.RULE
) -> Session:
    """Return a new session of a series."""
    start, end = meant.times(wall)
    return Session(
        group_id=row.group_id,
        series_id=row.id,
        recurrence=kind,
        occurrence=wall,
        start=start,
        end=end,
        place_id=meant.place_id,
    )


def rearrange(
    session: DbSession, row: Series, before: Arrangement, change: "Change"
) -> list[Session]:
    """Let the sessions follow what the row says now; return those that fell away.

    Each occurrence takes the session it had; else one of the same day or week, or of the same
    month where both rules go by months.
    """
    after = arrangement_of(row)
    rows = sessions_of(session, row)
    later = [each for each in rows if each.occurrence and each.occurrence >= change.cut]
    fixed = attended_of(session, later) | {
        each.id for each in later if each.status is SessionStatus.HELD
    }
    following = [each for each in later if change.moves(each) and each.id not in fixed]
    last = max([change.cut, *(each.occurrence for each in later if each.occurrence)])
    wanted = [wall for wall in after.walls(last + MONTH) if wall >= change.cut]
    taken = {each.occurrence: each for each in later}
    left = [each for each in following if each.occurrence not in set(wanted)]
    for wall in wanted:
        if (found := taken.get(wall)) and found.id not in fixed:
            _keep(found, wall, (before, after), change)
    free = [wall for wall in wanted if wall not in taken]
    for found, wall in _nearest(left, free, _nearness(before.rule, after.rule)):
        _keep(found, wall, (before, after), change)
        left.remove(found)
    for each in left:
        _drop(each, change)
    return left


@dataclass(frozen=True)
class Change:
    """A change of a series: from which wall-clock time on, when, and why."""

    cut: datetime
    horizon: datetime
    now: datetime
    reason: str

    def moves(self, each: Session) -> bool:
        """Return whether a session that was not held may follow the rule."""
        if each.recurrence is not Recurrence.RULE:
            return False
        return each.status is SessionStatus.CANCELLED or each.start > self.now


def attended_of(session: DbSession, rows: Iterable[Session]) -> set[UUID]:
    """Return the ids of those sessions that have attendance."""
    ids = [each.id for each in rows]
    statement = select(Attendance.session_id).where(col(Attendance.session_id).in_(ids))
    return set(session.exec(statement))


def cancel(each: Session, reason: str, now: datetime) -> None:
    """Cancel a session that nobody has attended."""
    changed = {"status": SessionStatus.CANCELLED, "cancel_reason": reason, "revised_at": now}
    apply(each, changed)


def revive(each: Session, meant: Arrangement, kind: Recurrence, now: datetime) -> None:
    """Plan a session again that had fallen away, as the session that it was."""
    if each.status is SessionStatus.CANCELLED and each.occurrence:
        start, end = meant.times(each.occurrence)
        again = {"status": SessionStatus.SCHEDULED, "cancel_reason": None, "revised_at": now}
        apply(each, {**again, "start": start, "end": end, "place_id": meant.place_id})
    apply(each, {"recurrence": kind})


def _is_ahead(each: Session, wall: datetime) -> bool:
    is_planned = each.recurrence is not Recurrence.DROPPED
    return is_planned and each.occurrence is not None and each.occurrence > wall


def _keep(
    found: Session, wall: datetime, meant: tuple[Arrangement, Arrangement], change: Change
) -> None:
    """Give a session this occurrence, with its time and place unless they were set by hand."""
    before, after = meant
    if found.recurrence is Recurrence.DROPPED:
        revive(found, after, Recurrence.RULE, change.now)
        return
    if not change.moves(found) or found.occurrence is None:
        return
    changed: dict[str, object] = {"occurrence": wall}
    if (found.start, found.end) == before.times(found.occurrence):
        changed["start"], changed["end"] = after.times(wall)
    if found.place_id == before.place_id:
        changed["place_id"] = after.place_id
    if any(getattr(found, name) != value for name, value in changed.items()):
        apply(found, {**changed, "revised_at": change.now})


def _drop(each: Session, change: Change) -> None:
    if each.status is SessionStatus.SCHEDULED:
        cancel(each, change.reason, change.now)
    apply(each, {"recurrence": Recurrence.DROPPED})


def _nearness(before: Rule, after: Rule) -> Iterator[Callable[[datetime], object]]:
    """Yield what two times of one meeting have in common; a month, where both rules go by it.

    Else a session of the last week that is planned would go to one that is not planned yet.
    """
    yield lambda wall: wall.date()
    yield lambda wall: wall.isocalendar()[:2]
    if before.freq == after.freq == "MONTHLY":
        yield lambda wall: (wall.year, wall.month)


def _nearest(
    rows: list[Session], walls: list[datetime], nearness: Iterable[Callable[[datetime], object]]
) -> Iterator[tuple[Session, datetime]]:
    """Yield pairs of one day, then of one week, then of one month, each in order of time."""
    left, free = list(rows), list(walls)
    for key in nearness:
        offered: dict[object, list[datetime]] = defaultdict(list)
        for wall in reversed(free):
            offered[key(wall)].append(wall)
        for each in list(left):
            if each.occurrence and (same := offered[key(each.occurrence)]):
                wall = same.pop()
                left.remove(each)
                free.remove(wall)
                yield each, wall
