"""Rules are executed as RFC 5545 says, and times are the moments that clocks show."""

import os
from datetime import UTC, date, datetime, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from service.errors import InvalidError
from service.recurrence import moment, occurrences, parse, starts_with, wall_time, zone
from tests.series import NEW_YORK, wall

WEEKDAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
HORIZON = timedelta(days=400)
EXAMPLES = 2_000 if os.environ.get("ALONGSIDE_NIGHTLY") else 100


def walls(text: str, start: datetime, count: int = 10, where: str = NEW_YORK) -> list[datetime]:
    return list(islice(occurrences(parse(text), start, zone(where)), count))


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("freq=weekly;byday=tu", "FREQ=WEEKLY;BYDAY=TU"),
        ("BYDAY=-1FR,2MO;FREQ=MONTHLY", "FREQ=MONTHLY;BYDAY=-1FR,2MO"),
        ("FREQ=WEEKLY;INTERVAL=1;WKST=MO", "FREQ=WEEKLY"),
        ("FREQ=WEEKLY;INTERVAL=2;WKST=SU;COUNT=8", "FREQ=WEEKLY;INTERVAL=2;WKST=SU;COUNT=8"),
        ("FREQ=MONTHLY;BYMONTHDAY=1,-1,1", "FREQ=MONTHLY;BYMONTHDAY=1,-1"),
        ("FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=-1", "FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=-1"),
        ("FREQ=DAILY;UNTIL=20261231T235959Z", "FREQ=DAILY;UNTIL=20261231T235959Z"),
    ],
)
def test_a_rule_is_kept_in_one_form(text, canonical):
    assert parse(text).text == canonical
    assert parse(canonical) == parse(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "must be parts"),
        ("RRULE:FREQ=WEEKLY", "RRULE:FREQ is not executed"),
        ("FREQ", "must be parts"),
        ("FREQ=WEEKLY;", "must be parts"),
        ("BYDAY=TU", "FREQ is missing"),
        ("FREQ=YEARLY", "FREQ must be one of"),
        ("FREQ=HOURLY", "FREQ must be one of"),
        ("FREQ=WEEKLY;FREQ=DAILY", "FREQ stands twice"),
        ("FREQ=WEEKLY;BYHOUR=9", "BYHOUR is not executed here"),
        ("FREQ=MONTHLY;BYMONTH=2", "BYMONTH is not executed here"),
        ("FREQ=WEEKLY;X-OURS=1", "X-OURS is not executed here"),
        ("FREQ=WEEKLY;INTERVAL=0", "INTERVAL must be a number from 1 to 99"),
        ("FREQ=WEEKLY;INTERVAL=100", "INTERVAL must be"),
        ("FREQ=WEEKLY;INTERVAL=two", "INTERVAL must be"),
        ("FREQ=WEEKLY;INTERVAL=\u0662", "INTERVAL must be"),
        ("FREQ=WEEKLY;COUNT=1000", "COUNT must be"),
        ("FREQ=WEEKLY;COUNT=" + "9" * 100, "COUNT must be"),
        ("FREQ=WEEKLY;COUNT=3;UNTIL=20261231T235959Z", "exclude each other"),
        ("FREQ=WEEKLY;UNTIL=20261231", "UNTIL must be a time in UTC"),
        ("FREQ=WEEKLY;UNTIL=20261231T235959", "UNTIL must be a time in UTC"),
        ("FREQ=WEEKLY;UNTIL=20261331T235959Z", "UNTIL must be a time in UTC"),
        ("FREQ=WEEKLY;BYDAY=2TU", "FREQ=MONTHLY only"),
        ("FREQ=MONTHLY;BYDAY=MO,2TU", "with numbers or without, not both"),
        ("FREQ=WEEKLY;BYDAY=XX", "BYDAY must be days"),
        ("FREQ=MONTHLY;BYDAY=6MO", "BYDAY must be days"),
        ("FREQ=WEEKLY;BYMONTHDAY=3", "not for FREQ=WEEKLY"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY must be numbers"),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "BYMONTHDAY must be numbers"),
        ("FREQ=MONTHLY;BYMONTHDAY=1,,2", "BYMONTHDAY must be numbers"),
        ("FREQ=WEEKLY;BYDAY=MO;BYSETPOS=1", "BYSETPOS takes"),
        ("FREQ=MONTHLY;BYSETPOS=1", "BYSETPOS takes"),
        ("FREQ=WEEKLY;WKST=XX", "WKST must be a day"),
        ("FREQ=WEEKLY;BYDAY=" + ",".join(["MO"] * 99), "no longer than 200"),
    ],
)
def test_a_rule_that_is_not_executed_is_refused_with_the_reason(text, said):
    with pytest.raises(InvalidError) as caught:
        parse(text)
    assert caught.value.element == "rrule"
    assert said in caught.value.message


def test_examples_of_rfc_5545_give_the_dates_it_gives():
    """Section 3.8.5.3, as far as their parts are executed here."""
    start = wall("1997-09-02T09:00")
    assert [w.day for w in walls("FREQ=DAILY;COUNT=10", start, 99)] == [*range(2, 12)]
    biweekly = walls("FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=TU,TH;COUNT=8", start, 99)
    days = [(9, 2), (9, 4), (9, 16), (9, 18), (9, 30), (10, 2), (10, 14), (10, 16)]
    assert [(w.month, w.day) for w in biweekly] == days
    friday = walls("FREQ=MONTHLY;COUNT=10;BYDAY=1FR", wall("1997-09-05T09:00"), 4)
    assert [(w.month, w.day) for w in friday] == [(9, 5), (10, 3), (11, 7), (12, 5)]
    last = walls("FREQ=MONTHLY;BYMONTHDAY=-3", wall("1997-09-28T09:00"), 3)
    assert [(w.month, w.day) for w in last] == [(9, 28), (10, 29), (11, 28)]
    until = walls("FREQ=DAILY;UNTIL=19971224T000000Z", start, 999)
    assert until[-1] == wall("1997-12-23T09:00")
    positions = walls("FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", wall("1997-09-04T09:00"))
    assert [(w.month, w.day) for w in positions] == [(9, 4), (10, 7), (11, 6)]


def test_the_week_start_matters_as_rfc_5545_shows():
    start, rule = wall("1997-08-05T09:00"), "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST="
    assert [w.day for w in walls(rule + "MO", start)] == [5, 10, 19, 24]
    assert [w.day for w in walls(rule + "SU", start)] == [5, 17, 19, 31]


def test_a_day_that_a_month_has_not_is_left_out():
    found = walls("FREQ=MONTHLY", wall("2026-01-31T18:00"), 4)
    assert [(w.month, w.day) for w in found] == [(1, 31), (3, 31), (5, 31), (7, 31)]


def test_until_is_a_moment_and_takes_in_the_session_that_begins_then():
    start = wall("2026-02-03T18:00")  # 23:00 in UTC
    for until, count in [("20260210T230000Z", 2), ("20260210T225959Z", 1)]:
        assert len(walls(f"FREQ=WEEKLY;UNTIL={until}", start)) == count


@pytest.mark.parametrize(
    ("where", "shown", "utc"),
    [
        # The example of section 3.3.5: 2:30 does not exist, and is 3:30 by the clocks after.
        (NEW_YORK, wall("2007-03-11T02:30"), wall("2007-03-11T07:30")),
        # And the other: 1:30 comes twice, and the first is meant.
        (NEW_YORK, wall("2007-11-04T01:30"), wall("2007-11-04T05:30")),
        ("Europe/London", wall("2026-03-29T01:30"), wall("2026-03-29T01:30")),
        ("Europe/London", wall("2026-10-25T01:30"), wall("2026-10-25T00:30")),
        ("Australia/Sydney", wall("2026-10-04T02:30"), wall("2026-10-03T16:30")),
        ("Australia/Sydney", wall("2026-04-05T02:30"), wall("2026-04-04T15:30")),
        # Half an hour, and a day that a zone left out whole.
        ("Australia/Lord_Howe", wall("2026-10-04T02:15"), wall("2026-10-03T15:45")),
        ("Pacific/Apia", wall("2011-12-30T18:00"), wall("2011-12-31T04:00")),
    ],
)
def test_a_time_that_is_not_or_is_twice_is_the_moment_that_rfc_5545_says(where, shown, utc):
    assert moment(shown, zone(where)) == utc.replace(tzinfo=UTC)


def test_a_daily_rule_meets_on_the_day_of_the_gap_too():
    start = wall("2026-03-07T02:30")
    found = [moment(each, zone(NEW_YORK)) for each in walls("FREQ=DAILY", start, 3)]
    assert [(at.day, at.hour, at.minute) for at in found] == [(7, 7, 30), (8, 7, 30), (9, 6, 30)]


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "America", "../etc/passwd", "EST5EDT\0", "/"])
def test_a_zone_that_does_not_exist_is_refused(name):
    with pytest.raises(InvalidError) as caught:
        zone(name)
    assert caught.value.element == "time_zone"


def test_every_zone_of_the_package_can_be_read_and_is_the_one_that_it_says():
    for name in ("UTC", NEW_YORK, "Asia/Kolkata", "America/Argentina/Buenos_Aires"):
        assert zone(name).key == name
        assert zone(name) is zone(name)


def test_a_start_that_its_rule_leaves_out_is_told_at_once():
    tuesday, where = wall("2026-03-03T18:00"), zone(NEW_YORK)
    assert starts_with(parse("FREQ=MONTHLY;BYDAY=1TU"), tuesday, where)
    assert not starts_with(parse("FREQ=MONTHLY;BYDAY=2TU"), tuesday, where)
    assert not starts_with(parse("FREQ=WEEKLY;UNTIL=20260101T000000Z"), tuesday, where)
    # These never come true: the search ends all the same.
    assert not starts_with(parse("FREQ=DAILY;INTERVAL=7;BYDAY=MO"), tuesday, where)
    assert not starts_with(parse("FREQ=MONTHLY;BYMONTHDAY=1;BYDAY=5MO"), tuesday, where)


DAYS = st.lists(st.sampled_from(WEEKDAYS), min_size=1, max_size=3, unique=True)
NUMBERED = st.tuples(
    st.sampled_from(["1", "2", "3", "4", "-1", "-2"]), st.sampled_from(WEEKDAYS)
).map("".join)
STARTS = st.datetimes(wall("2024-01-01T00:00"), wall("2027-12-31T00:00")).map(
    lambda at: at.replace(second=0, microsecond=0)
)


@st.composite
def rules(draw: st.DrawFn) -> str:
    """Texts of rules that are executed here."""
    freq = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY"]))
    parts = [f"FREQ={freq}", f"INTERVAL={draw(st.integers(1, 4))}"]
    if freq == "MONTHLY":
        numbered = draw(st.lists(NUMBERED, max_size=2, unique=True) | DAYS)
        month_days = draw(
            st.lists(st.sampled_from([1, 13, 29, 31, -1, -2]), max_size=2, unique=True)
        )
        parts += [f"BYDAY={','.join(numbered)}"] if numbered else []
        parts += [f"BYMONTHDAY={','.join(map(str, month_days))}"] if month_days else []
        if (numbered or month_days) and draw(st.booleans()):
            parts.append(f"BYSETPOS={draw(st.sampled_from([1, 2, -1]))}")
    elif draw(st.booleans()):
        parts.append(f"BYDAY={','.join(draw(DAYS))}")
    parts.append(f"WKST={draw(st.sampled_from(WEEKDAYS))}")
    if draw(st.booleans()):
        parts.append(f"COUNT={draw(st.integers(1, 20))}")
    return ";".join(parts)


def by_counting_days(text: str, start: datetime, end: datetime) -> list[datetime]:
    """What a rule means, by looking at each day: our own reading of RFC 5545, without a library."""
    parts = dict(part.split("=") for part in text.split(";"))
    interval = int(parts["INTERVAL"])
    days, found = parts.get("BYDAY", "").split(",") if "BYDAY" in parts else [], []
    month_days = (
        [int(each) for each in parts["BYMONTHDAY"].split(",")] if "BYMONTHDAY" in parts else []
    )
    if parts["FREQ"] == "WEEKLY" and not days:
        days = [WEEKDAYS[start.weekday()]]
    if parts["FREQ"] == "MONTHLY" and not days and not month_days:
        month_days = [start.day]
    first = start.date() - timedelta(days=start.day + 6)
    for offset in range((end.date() - first).days + 1):
        day = first + timedelta(days=offset)
        if _in_turn(day, start.date(), parts, interval) and _chosen(day, days, month_days):
            found.append(day)
    if "BYSETPOS" in parts:
        found = [d for d in found if _at_position(d, found, int(parts["BYSETPOS"]))]
    times = [datetime.combine(day, start.time()) for day in found]
    return [at for at in times if start <= at][: int(parts.get("COUNT", 9999))]


def _in_turn(day: date, start: date, parts: dict[str, str], interval: int) -> bool:
    if parts["FREQ"] == "DAILY":
        return (day - start).days % interval == 0
    if parts["FREQ"] == "MONTHLY":
        return ((day.year - start.year) * 12 + day.month - start.month) % interval == 0
    begin = WEEKDAYS.index(parts["WKST"])
    weeks = [each - timedelta(days=(each.weekday() - begin) % 7) for each in (day, start)]
    return (weeks[0] - weeks[1]).days // 7 % interval == 0


def _chosen(day: date, days: list[str], month_days: list[int]) -> bool:
    last = (date(day.year + day.month // 12, day.month % 12 + 1, 1) - timedelta(days=1)).day
    names = WEEKDAYS[day.weekday()]
    numbers = {"", str((day.day - 1) // 7 + 1), str(-((last - day.day) // 7 + 1))}
    if days and not any(each[:-2] in numbers and each[-2:] == names for each in days):
        return False
    return not month_days or bool({day.day, day.day - last - 1} & set(month_days))


def _at_position(day: date, found: list[date], position: int) -> bool:
    month = [each for each in found if (each.year, each.month) == (day.year, day.month)]
    index = position - 1 if position > 0 else len(month) + position
    return 0 <= index < len(month) and month[index] == day


@st.composite
def ruled(draw: st.DrawFn) -> tuple[str, datetime]:
    """A rule with a start that is an occurrence of it."""
    text, begin = draw(rules()), draw(STARTS)
    found = by_counting_days(text, begin, begin + HORIZON)
    assume(found)
    return text, found[0]


def ours(text: str, start: datetime, where: str) -> list[datetime]:
    end = start + HORIZON
    return list(takewhile(lambda at: at <= end, occurrences(parse(text), start, zone(where))))


@settings(max_examples=EXAMPLES, deadline=None)
@given(ruled())
def test_a_rule_gives_the_dates_that_counting_days_gives(rule):
    text, start = rule
    assert starts_with(parse(text), start, zone("UTC"))
    end = start + HORIZON
    counted = by_counting_days(text, start, end + timedelta(days=31))
    assert ours(text, start, "UTC") == [at for at in counted if at <= end]


@settings(max_examples=EXAMPLES, deadline=None)
@given(ruled(), st.sampled_from([NEW_YORK, "Europe/London", "Australia/Sydney"]))
def test_an_icalendar_reader_expands_a_rule_to_the_same_moments(rule, where):
    """The same rule as icalendar reads it from a file, expanded in the zone by dateutil."""
    text, start = rule
    kept = parse(text).text
    content = f"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nRRULE:{kept}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    (event,) = Calendar.from_ical(content).walk("VEVENT")
    begin = start.replace(tzinfo=ZoneInfo(where))
    read = rrulestr(event["RRULE"].to_ical().decode(), dtstart=begin)
    theirs = [at.astimezone(UTC) for at in takewhile(lambda at: at <= begin + HORIZON, read)]
    assert [moment(at, zone(where)) for at in ours(text, start, where)] == theirs


@settings(max_examples=100, deadline=None)
@given(STARTS, st.sampled_from([NEW_YORK, "Europe/London", "Australia/Sydney", "Asia/Kolkata"]))
def test_a_moment_shows_its_time_on_the_wall_unless_the_clocks_leave_it_out(start, where):
    shown = wall_time(moment(start, zone(where)), zone(where))
    assert shown == start or timedelta(0) < shown - start <= timedelta(hours=1)
