"""What becomes of the sessions of a series when its rule changes, and what is refused."""

from datetime import UTC, date, datetime, timedelta

import pytest

from service.commands import (
    AddExtraSession,
    CreatePlace,
    EndSeries,
    ExceptOccurrence,
    UpdateGroup,
    UpdateSession,
)
from service.errors import (
    AlongsideError,
    BusinessRuleError,
    DuplicateError,
    InvalidError,
    NotFoundError,
    RequiredError,
    VersionError,
)
from service.handlers import execute
from service.identifiers import new_id
from service.models.groups import GroupStatus, Recurrence, SessionStatus
from service.models.series import SeriesFormat
from service.planning import MOST
from tests import world
from tests.series import change, occurrences, plan, series, sessions, versions, wall

SCHEDULED, HELD, CANCELLED = SessionStatus
WEDNESDAYS = {"rrule": "FREQ=WEEKLY;BYDAY=WE", "start": wall("2026-02-18T18:00")}


@pytest.fixture
def group(sqlite_timed):
    return world.group(sqlite_timed)


@pytest.fixture
def weekly(sqlite_timed, group):
    """Tuesdays at six, six of them, from 3 February on."""
    return series(sqlite_timed, group, weeks=6)


def refused(database, command, error=BusinessRuleError) -> AlongsideError:
    with pytest.raises(error) as caught:
        execute(database, command)
    return caught.value


def element(database, weekly, error=BusinessRuleError, **more) -> str | None:
    with pytest.raises(error) as caught:
        change(database, weekly, **more)
    return caught.value.element


def test_sessions_follow_a_rule_from_its_date_on(sqlite_timed, weekly):
    before = sessions(sqlite_timed, weekly)
    changed = change(sqlite_timed, weekly, **WEDNESDAYS, from_date=date(2026, 2, 15))
    after = sessions(sqlite_timed, weekly)
    assert [each.id for each in after] == [each.id for each in before]
    assert [row.start for row in after[:2]] == [row.start for row in before[:2]]
    assert all(
        b.start - a.start == timedelta(days=1) for a, b in zip(before[2:], after[2:], strict=True)
    )
    assert changed.start == wall("2026-02-18T18:00")
    seen = versions(sqlite_timed, weekly)
    same = change(sqlite_timed, weekly, **WEDNESDAYS, from_date=date(2026, 2, 15))
    assert same.row_version == changed.row_version
    assert versions(sqlite_timed, weekly) == seen


def test_what_falls_away_is_cancelled_with_the_reason_and_comes_back_as_itself(
    sqlite_timed, weekly
):
    before = sessions(sqlite_timed, weekly)
    biweekly = "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU"
    change(sqlite_timed, weekly, rrule=biweekly, start=weekly.start, reason="Half the room")
    after = sessions(sqlite_timed, weekly)
    assert [each.id for each in after] == [each.id for each in before]
    assert [each.status for each in after] == [SCHEDULED, CANCELLED] * 3
    assert {each.cancel_reason for each in after[1::2]} == {"Half the room"}
    assert {each.recurrence for each in after[1::2]} == {Recurrence.DROPPED}
    assert plan(sqlite_timed, weekly, weeks=6).made == 0
    change(sqlite_timed, weekly, rrule="FREQ=WEEKLY;BYDAY=TU", start=weekly.start)
    again = sessions(sqlite_timed, weekly)
    assert [(each.id, each.start, each.status) for each in again] == [
        (each.id, each.start, SCHEDULED) for each in before
    ]
    assert {(each.recurrence, each.cancel_reason) for each in again} == {(Recurrence.RULE, None)}


def test_what_fell_away_and_was_taken_up_by_hand_is_the_series_again_as_it_is(sqlite_timed, weekly):
    *_, fifth, last = sessions(sqlite_timed, weekly)
    change(sqlite_timed, weekly, rrule="FREQ=WEEKLY;BYDAY=TU;COUNT=4")
    moved = last.start + timedelta(hours=1)
    for each, start in ((fifth, fifth.start), (last, moved)):
        back = UpdateSession(
            session_id=each.id, status=SCHEDULED, start=start, end=start + timedelta(hours=1)
        )
        execute(sqlite_timed, back)
    held = execute(sqlite_timed, UpdateSession(session_id=fifth.id, status=HELD))
    change(sqlite_timed, weekly, rrule="FREQ=WEEKLY;BYDAY=TU")
    *_, fifth, last = sessions(sqlite_timed, weekly)
    assert (last.start, last.recurrence) == (moved, Recurrence.RULE)
    assert (fifth.row_version, fifth.recurrence) == (held.row_version, Recurrence.DROPPED)
    assert plan(sqlite_timed, weekly, weeks=6).made == 0


def test_a_reason_is_given_where_nobody_gave_one(sqlite_timed, weekly):
    change(sqlite_timed, weekly, rrule="FREQ=WEEKLY;BYDAY=TU;COUNT=5")
    assert sessions(sqlite_timed, weekly)[-1].cancel_reason == "The series no longer meets then"


def test_a_session_goes_to_the_one_of_its_month_where_the_rules_go_by_months(sqlite_timed, group):
    second, third = "FREQ=MONTHLY;BYDAY=2TU", "FREQ=MONTHLY;BYDAY=3TH"
    row = series(sqlite_timed, group, rrule=second, start=wall("2026-02-10T18:00"))
    before = sessions(sqlite_timed, row)
    change(sqlite_timed, row, rrule=third, start=wall("2026-02-19T18:00"), weeks=12)
    after = sessions(sqlite_timed, row)
    assert [each.id for each in after] == [each.id for each in before]
    assert [(each.start.month, each.start.day) for each in after] == [(2, 19), (3, 19), (4, 16)]


def test_a_session_does_not_go_to_another_week(sqlite_timed, group):
    biweekly = "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU"
    row = series(sqlite_timed, group, rrule=biweekly, weeks=6)
    change(sqlite_timed, row, start=wall("2026-02-10T18:00"))
    assert occurrences(sqlite_timed, row) == [
        ("02-03 18:00", "cancelled"), ("02-10 18:00", "scheduled"),
        ("02-17 18:00", "cancelled"), ("02-24 18:00", "scheduled"),
        ("03-03 18:00", "cancelled"), ("03-10 18:00", "scheduled"),
    ]  # fmt: skip


def test_what_was_moved_by_hand_stays_where_it_was_moved(sqlite_timed, weekly):
    first, second, third, *_ = sessions(sqlite_timed, weekly)
    by_hand = UpdateSession(
        session_id=second.id,
        start=second.start + timedelta(hours=3),
        end=second.end + timedelta(hours=3),
    )
    execute(sqlite_timed, by_hand)
    place = execute(sqlite_timed, CreatePlace(name="Library"))
    execute(sqlite_timed, UpdateSession(session_id=third.id, place_id=place.id))
    change(sqlite_timed, weekly, minutes=60, start=wall("2026-02-03T17:00"), place_id=None)
    rows = {each.id: each for each in sessions(sqlite_timed, weekly)}
    assert rows[first.id].start == first.start - timedelta(hours=1)
    assert rows[first.id].end - rows[first.id].start == timedelta(hours=1)
    assert rows[second.id].start == second.start + timedelta(hours=3)
    assert rows[second.id].occurrence == wall("2026-02-10T17:00")
    assert rows[third.id].place_id == place.id
    assert rows[third.id].start == third.start - timedelta(hours=1)


def test_a_place_is_taken_over_by_what_had_the_one_before(sqlite_timed, weekly):
    place = execute(sqlite_timed, CreatePlace(name="Library"))
    change(sqlite_timed, weekly, place_id=place.id, from_date=date(2026, 2, 16))
    places = [each.place_id for each in sessions(sqlite_timed, weekly)]
    assert places == [None, None, *[place.id] * 4]


def test_held_sessions_and_those_under_way_stay(sqlite_timed, weekly, time):
    first, second, *_ = sessions(sqlite_timed, weekly)
    execute(sqlite_timed, UpdateSession(session_id=second.id, status=HELD))
    time.now = first.start + timedelta(minutes=10)
    change(sqlite_timed, weekly, **{**WEDNESDAYS, "start": wall("2026-02-04T18:00")})
    rows = {each.id: each for each in sessions(sqlite_timed, weekly)}
    for each in (first, second):
        assert (rows[each.id].start, rows[each.id].occurrence) == (each.start, each.occurrence)
    assert rows[first.id].status is SCHEDULED
    assert ("02-11 18:00", "scheduled") in occurrences(sqlite_timed, weekly)


def test_a_count_goes_on_where_it_was(sqlite_timed, group, time):
    row = series(sqlite_timed, group, rrule="FREQ=WEEKLY;BYDAY=TU;COUNT=8")
    time.pass_by(weeks=3)
    changed = change(sqlite_timed, row, start=wall("2026-02-24T19:00"), weeks=12)
    assert changed.rrule == "FREQ=WEEKLY;BYDAY=TU;COUNT=5"
    rows = sessions(sqlite_timed, row)
    assert len(rows) == 8
    assert {each.status for each in rows} == {SCHEDULED}
    assert change(sqlite_timed, row, start=wall("2026-02-24T19:00"), weeks=12) == changed
    time.pass_by(weeks=20)
    assert element(sqlite_timed, row, start=wall("2026-07-14T19:00")) == "rrule"


def test_an_end_is_moved_without_a_new_start(sqlite_timed, group):
    row = series(sqlite_timed, group, rrule="FREQ=WEEKLY;COUNT=3")
    change(sqlite_timed, row, rrule="FREQ=WEEKLY;COUNT=5")
    assert len(sessions(sqlite_timed, row)) == 5
    change(sqlite_timed, row, rrule="FREQ=WEEKLY;UNTIL=20260217T230000Z")
    assert [status for _, status in occurrences(sqlite_timed, row)] == [
        *["scheduled"] * 3, *["cancelled"] * 2,
    ]  # fmt: skip


def test_what_comes_before_a_change_is_planned_by_the_old_rule(sqlite_timed, weekly):
    later = {"rrule": "FREQ=WEEKLY;BYDAY=TH", "start": wall("2026-04-02T18:00")}
    change(sqlite_timed, weekly, **later, from_date=date(2026, 3, 29), weeks=12)
    days = [each.start.weekday() for each in sessions(sqlite_timed, weekly)]
    assert days == [1] * 8 + [3] * 4


def test_a_cancelled_occurrence_stays_cancelled_and_is_never_planned_twice(sqlite_timed, weekly):
    far = wall("2026-06-02T18:00")
    command = ExceptOccurrence(series_id=weekly.id, occurrence=far, reason="Closed")
    row = execute(sqlite_timed, command)
    assert (row.status, row.occurrence) == (CANCELLED, far)
    seen = execute(sqlite_timed, command)
    assert (seen.id, seen.row_version) == (row.id, row.row_version)
    plan(sqlite_timed, weekly, weeks=26)
    at_that = [each for each in sessions(sqlite_timed, weekly) if each.occurrence == far]
    assert [(each.id, each.status) for each in at_that] == [(row.id, CANCELLED)]


def test_an_occurrence_is_moved_on_the_wall_and_keeps_its_length(sqlite_timed, weekly):
    # 8 March is when the clocks change.
    command = ExceptOccurrence(
        series_id=weekly.id, occurrence=wall("2026-03-03T18:00"), moved_to=wall("2026-03-09T18:00")
    )
    moved = execute(sqlite_timed, command)
    assert moved.start == datetime(2026, 3, 9, 22, tzinfo=UTC)
    assert moved.end - moved.start == timedelta(minutes=90)
    assert moved.occurrence == wall("2026-03-03T18:00")
    seen = versions(sqlite_timed, weekly)
    execute(sqlite_timed, command)
    assert plan(sqlite_timed, weekly, weeks=6).made == 0
    assert versions(sqlite_timed, weekly) == seen


def test_an_extra_session_stays_beside_every_rule(sqlite_timed, weekly):
    add = AddExtraSession(series_id=weekly.id, start=wall("2026-02-19T10:00"), minutes=45)
    extra = execute(sqlite_timed, add)
    assert (extra.recurrence, extra.occurrence) == (Recurrence.EXTRA, wall("2026-02-19T10:00"))
    assert extra.end - extra.start == timedelta(minutes=45)
    change(sqlite_timed, weekly, **WEDNESDAYS)
    kept = next(each for each in sessions(sqlite_timed, weekly) if each.id == extra.id)
    assert (kept.row_version, kept.status) == (extra.row_version, SCHEDULED)
    change(sqlite_timed, weekly, rrule="FREQ=WEEKLY;BYDAY=TH", start=wall("2026-02-19T10:00"))
    assert occurrences(sqlite_timed, weekly).count(("02-19 10:00", "scheduled")) == 1


def test_a_session_that_fell_away_comes_back_as_an_extra_one(sqlite_timed, weekly):
    last = sessions(sqlite_timed, weekly)[-1]
    change(sqlite_timed, weekly, rrule="FREQ=WEEKLY;BYDAY=TU;COUNT=5")
    extra = execute(sqlite_timed, AddExtraSession(series_id=weekly.id, start=last.occurrence))
    assert (extra.id, extra.status, extra.recurrence) == (last.id, SCHEDULED, Recurrence.EXTRA)


@pytest.mark.parametrize("start", ["2026-02-10T18:00", "2026-08-04T18:00"])
def test_there_is_no_second_session_at_one_time(sqlite_timed, weekly, start):
    command = AddExtraSession(series_id=weekly.id, start=wall(start))
    assert refused(sqlite_timed, command, DuplicateError).element == "start"


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"reason": "x", "moved_to": wall("2026-02-11T18:00")}, "reason"),
        ({}, "reason"),
        ({"occurrence": wall("2026-02-11T18:00"), "reason": "x"}, "occurrence"),
        ({"occurrence": wall("2029-02-13T18:00"), "reason": "x"}, "occurrence"),
        ({"reason": " "}, "cancel_reason"),
    ],
)
def test_an_exception_that_cannot_be_is_named(sqlite_timed, weekly, more, named):
    values = {"occurrence": wall("2026-02-10T18:00"), **more}
    command = ExceptOccurrence(series_id=weekly.id, **values)
    assert refused(sqlite_timed, command, InvalidError).element == named


def test_a_cancelled_occurrence_is_not_moved(sqlite_timed, weekly):
    at = {"series_id": weekly.id, "occurrence": wall("2026-02-10T18:00")}
    execute(sqlite_timed, ExceptOccurrence(**at, reason="Snow"))
    moved = ExceptOccurrence(**at, moved_to=wall("2026-02-11T18:00"))
    assert refused(sqlite_timed, moved).element == "occurrence"


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"minutes": 0}, "minutes"),
        ({"minutes": 1441}, "minutes"),
        ({"place_id": new_id()}, "place_id"),
        ({"start": wall("2031-02-10T18:00")}, "start"),
    ],
)
def test_an_extra_session_that_cannot_be_is_named(sqlite_timed, weekly, more, named):
    command = AddExtraSession(series_id=weekly.id, **{"start": wall("2026-02-12T18:00"), **more})
    assert refused(sqlite_timed, command, InvalidError).element == named


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"rrule": "FREQ=YEARLY"}, "rrule"),
        ({"start": wall("2026-02-04T18:00")}, "start"),
        ({"start": wall("2025-01-07T18:00")}, "start"),
        ({"time_zone": "Nowhere"}, "time_zone"),
        ({"minutes": 0}, "minutes"),
        ({"minutes": 1441}, "minutes"),
        ({"minimum_size": 0}, "minimum_size"),
        ({"place_id": new_id()}, "place_id"),
    ],
)
def test_a_series_that_cannot_be_is_named_and_leaves_nothing(sqlite_timed, group, more, named):
    with pytest.raises(InvalidError) as caught:
        series(sqlite_timed, group, **more)
    assert caught.value.element == named
    counted = sqlite_timed.read(lambda session: session.connection().exec_driver_sql(
        "SELECT (SELECT count(*) FROM series) + (SELECT count(*) FROM sessions)"
    ).scalar_one())  # fmt: skip
    assert counted == 0


@pytest.mark.parametrize(
    ("more", "named", "error"),
    [
        ({"from_date": date(2026, 1, 31)}, "from_date", BusinessRuleError),
        ({"from_date": date(2026, 9, 1)}, "from_date", BusinessRuleError),
        ({"from_date": date.max}, "from_date", BusinessRuleError),
        ({"start": wall("2026-01-27T18:00")}, "start", BusinessRuleError),
        ({"rrule": "FREQ=WEEKLY;BYDAY=WE"}, "start", RequiredError),
        ({"start": wall("2026-02-04T18:00")}, "start", InvalidError),
        ({"rrule": "nonsense"}, "rrule", InvalidError),
        ({"minutes": -1}, "minutes", InvalidError),
    ],
)
def test_a_change_that_cannot_be_is_named_and_changes_nothing(
    sqlite_timed, weekly, more, named, error
):
    before = versions(sqlite_timed, weekly)
    assert element(sqlite_timed, weekly, error, **more) == named
    assert versions(sqlite_timed, weekly) == before


def test_a_stale_version_is_refused(sqlite_timed, weekly):
    assert change(sqlite_timed, weekly, minimum_size=4, if_match=1).row_version == 2
    with pytest.raises(VersionError):
        change(sqlite_timed, weekly, minimum_size=5, if_match=1)
    end = EndSeries(series_id=weekly.id, reason="x", if_match=1)
    refused(sqlite_timed, end, VersionError)


def test_a_series_ends_with_a_reason_and_stays_so(sqlite_timed, weekly, time):
    time.now = sessions(sqlite_timed, weekly)[1].start
    execute(sqlite_timed, AddExtraSession(series_id=weekly.id, start=wall("2026-02-20T18:00")))
    end = EndSeries(series_id=weekly.id, reason="The room is gone", from_date=date(2026, 2, 18))
    ended = execute(sqlite_timed, end)
    assert [status for _, status in occurrences(sqlite_timed, weekly)] == [
        *["scheduled"] * 3, *["cancelled"] * 4,
    ]  # fmt: skip
    assert sessions(sqlite_timed, weekly)[-1].cancel_reason == "The room is gone"
    seen = versions(sqlite_timed, weekly)
    assert execute(sqlite_timed, end).row_version == ended.row_version
    assert plan(sqlite_timed, weekly, weeks=30).made == 0
    assert versions(sqlite_timed, weekly) == seen
    refused(sqlite_timed, EndSeries(series_id=weekly.id, reason="x", from_date=date(2026, 3, 1)))
    assert element(sqlite_timed, weekly, minutes=30) is None
    later = AddExtraSession(series_id=weekly.id, start=wall("2026-02-18T10:00"))
    assert refused(sqlite_timed, later).element == "start"


@pytest.mark.parametrize(
    ("more", "named", "error"),
    [
        ({"reason": ""}, "reason", RequiredError),
        ({"from_date": date(2026, 1, 1)}, "from_date", BusinessRuleError),
    ],
)
def test_an_end_that_cannot_be_is_named(sqlite_timed, weekly, more, named, error):
    command = EndSeries(series_id=weekly.id, **{"reason": "x", **more})
    assert refused(sqlite_timed, command, error).element == named


def test_a_closed_group_has_no_series_to_plan(sqlite_timed, group, weekly):
    execute(sqlite_timed, UpdateGroup(group_id=group.id, status=GroupStatus.CLOSED))
    for attempt in (
        lambda: series(sqlite_timed, group),
        lambda: plan(sqlite_timed, weekly),
        lambda: change(sqlite_timed, weekly, minutes=30),
    ):
        with pytest.raises(BusinessRuleError, match="the group is closed"):
            attempt()


def test_an_unknown_series_is_not_found(sqlite_timed):
    command = EndSeries(series_id=new_id(), reason="x")
    refused(sqlite_timed, command, NotFoundError)


def test_no_more_lie_ahead_than_one_change_can_move(sqlite_timed, group, time):
    row = series(sqlite_timed, group, rrule="FREQ=DAILY", weeks=52)
    assert len(sessions(sqlite_timed, row)) == MOST
    done = plan(sqlite_timed, row, weeks=52)
    assert (done.made, done.is_complete) == (0, False)
    time.pass_by(days=10)
    assert plan(sqlite_timed, row, weeks=52).made == 8  # of 3 February to 10 February


def test_a_closed_series_takes_nobody_once_it_has_begun(sqlite_timed, group, time):
    row = series(sqlite_timed, group, format=SeriesFormat.CLOSED, rrule="FREQ=WEEKLY;COUNT=3")
    first, _, last = sessions(sqlite_timed, row)
    world.enroll(sqlite_timed, world.patient(sqlite_timed), group, start=time.now)
    time.now = first.start
    with pytest.raises(BusinessRuleError, match="closed series"):
        world.enroll(sqlite_timed, world.patient(sqlite_timed), group, start=time.now)
    time.now = last.end  # the series is over: a next one may take new members
    world.enroll(sqlite_timed, world.patient(sqlite_timed), group, start=time.now)


def test_a_closed_series_whose_first_session_was_cancelled_begins_with_the_next(
    sqlite_timed, group, time
):
    row = series(sqlite_timed, group, format=SeriesFormat.CLOSED)
    first, second, *_ = sessions(sqlite_timed, row)
    execute(
        sqlite_timed, ExceptOccurrence(series_id=row.id, occurrence=first.occurrence, reason="x")
    )
    time.now = first.start
    world.enroll(sqlite_timed, world.patient(sqlite_timed), group, start=time.now)
    time.now = second.start
    with pytest.raises(BusinessRuleError):
        world.enroll(sqlite_timed, world.patient(sqlite_timed), group, start=time.now)
    change(sqlite_timed, row, format=SeriesFormat.OPEN)
    world.enroll(sqlite_timed, world.patient(sqlite_timed), group, start=time.now)


def test_a_closed_series_that_was_ended_takes_new_members(sqlite_timed, group, time):
    row = series(sqlite_timed, group, format=SeriesFormat.CLOSED)
    time.pass_by(days=10)
    execute(sqlite_timed, EndSeries(series_id=row.id, reason="x"))
    world.enroll(sqlite_timed, world.patient(sqlite_timed), group, start=time.now)
