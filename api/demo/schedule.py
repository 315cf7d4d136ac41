"""When a group meets: twelve weeks that have passed, two that are booked."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from api.demo.plan import BOOKED_WEEKS, PAST_WEEKS

ZONE = ZoneInfo("America/Chicago")
LENGTH = timedelta(minutes=90)
WEEK = timedelta(weeks=1)


def meetings(today: date, weekday: int, begins: time) -> tuple[datetime, ...]:
    """Return the starts of all sessions; the last past one has ended when `today` begins."""
    morning = datetime.combine(today, time(), UTC)
    last = today - timedelta(days=(today.weekday() - weekday) % 7)
    while _start(last, begins) + LENGTH > morning:
        last -= WEEK
    weeks = range(1 - PAST_WEEKS, BOOKED_WEEKS + 1)
    return tuple(_start(last + week * WEEK, begins) for week in weeks)


def _start(day: date, begins: time) -> datetime:
    """Return the moment in UTC: the clock time stays when the clocks change."""
    return datetime.combine(day, begins, ZONE).astimezone(UTC)


def intake(today: date) -> datetime:
    """Return a moment before the first session of every group."""
    return datetime.combine(today, time(15), UTC) - (PAST_WEEKS + 3) * WEEK
