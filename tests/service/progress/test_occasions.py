"""What is due: made of a plan, a membership, sessions that were held, answers and a clock."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from service.commands import MeasurementPlan
from service.errors import BusinessRuleError, InvalidError
from service.progress.memberships import index_date
from service.progress.occasions import Answered, Membership, asked, occasions
from service.progress.plans import check_plans
from service.progress.series import Asked

JOINED = datetime(2026, 3, 2, 18, tzinfo=UTC)
DAY, WEEK = timedelta(days=1), timedelta(weeks=1)
TWO_WEEKLY = MeasurementPlan(instrument="phq-9", every_weeks=2, end_after_weeks=6)


def member(end=None, active=None):
    return Membership(
        enrollment_id=UUID(int=1), patient_id=UUID(int=2), group_id=UUID(int=3),
        start=JOINED, end=end, active=active or ((JOINED, end),),
    )  # fmt: skip


def states(plan, day, *answered, membership=None, held=()):
    """Each occasion as its kind, the day it begins and its state, on a day."""
    given = [Answered(response_id=UUID(int=n), at=JOINED + d * DAY) for n, d in enumerate(answered)]
    ends = [JOINED + each * DAY for each in held]
    found = occasions(plan, membership or member(), ends, given, JOINED + day * DAY)
    return [(each.kind.value, (each.begins - JOINED).days, each.state.value) for each in found]


def test_baseline_rhythm_and_end_begin_in_their_time():
    assert states(TWO_WEEKLY, -1) == []
    assert states(TWO_WEEKLY, 0) == [("baseline", 0, "due")]
    assert states(TWO_WEEKLY, 100, 0, 14, 28, 42) == [
        ("baseline", 0, "answered"), ("follow-up", 14, "answered"),
        ("follow-up", 28, "answered"), ("end", 42, "answered"),
    ]  # fmt: skip


def test_what_is_not_answered_is_due_then_overdue_then_missed():
    for day, state in ((0, "due"), (6, "due"), (7, "overdue"), (13, "overdue"), (14, "missed")):
        assert states(TWO_WEEKLY, day)[0] == ("baseline", 0, state)


def test_a_response_of_the_week_before_joining_is_the_baseline():
    assert states(TWO_WEEKLY, 0, -7) == [("baseline", 0, "answered")]
    assert states(TWO_WEEKLY, 0, -8) == [("baseline", 0, "due")]


def test_one_that_comes_a_little_early_answers_the_next_only_where_this_one_is_answered():
    assert states(TWO_WEEKLY, 14, 1, 12)[1] == ("follow-up", 14, "answered")
    assert states(TWO_WEEKLY, 14, 1, 11)[1] == ("follow-up", 14, "due")
    assert states(TWO_WEEKLY, 14, 13) == [("baseline", 0, "answered"), ("follow-up", 14, "due")]


def test_one_response_answers_one_occasion():
    assert states(TWO_WEEKLY, 14, 1, 2, 3)[1] == ("follow-up", 14, "due")


def test_sessions_count_while_the_person_is_a_member():
    plan = MeasurementPlan(
        instrument="phq-9", baseline=False, every_sessions=2, end_after_sessions=5
    )
    held = (-7, 0, 7, 14, 21, 28, 35, 42)
    assert states(plan, 60, held=held) == [
        ("follow-up", 7, "missed"), ("follow-up", 21, "missed"), ("end", 28, "overdue"),
    ]  # fmt: skip


def test_nothing_begins_while_the_person_is_on_hold():
    away = ((JOINED, JOINED + 10 * DAY), (JOINED + 20 * DAY, None))
    on_hold = member(active=away)
    assert states(TWO_WEEKLY, 30, 0, membership=on_hold) == [
        ("baseline", 0, "answered"), ("follow-up", 28, "due"),
    ]  # fmt: skip


def test_who_has_left_owes_nothing():
    left = member(end=JOINED + 20 * DAY)
    assert states(TWO_WEEKLY, 30, 0, membership=left) == [
        ("baseline", 0, "answered"), ("follow-up", 14, "cancelled"),
    ]  # fmt: skip
    assert states(TWO_WEEKLY, 19, 0, membership=left)[1] == ("follow-up", 14, "due")


def test_what_was_missed_stays_missed_when_the_person_leaves():
    left = member(end=JOINED + 20 * DAY)
    found = occasions(TWO_WEEKLY, left, (), (), JOINED + 30 * DAY)
    assert asked(found) == Asked(due=1, answered=0, overdue=0, missed=1, unanswered=(JOINED,))
    assert asked([]) is None


@pytest.mark.parametrize("rhythm", [{"every_weeks": 1}, {"every_sessions": 1}])
def test_a_rhythm_without_an_end_goes_on(rhythm):
    plan = MeasurementPlan(instrument="phq-9", **rhythm)
    assert len(states(plan, 7 * 100, held=range(7, 701, 7))) == 101


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"instrument": "gad-7"}, BusinessRuleError),
        ({"every_weeks": 1, "every_sessions": 1}, InvalidError),
        ({"end_after_weeks": 1, "end_after_sessions": 1}, InvalidError),
        ({"every_weeks": 53}, InvalidError),
        ({"overdue_days": 0}, InvalidError),
        ({"baseline": False}, InvalidError),
    ],
)
def test_a_plan_that_cannot_be_followed_is_refused(values, error):
    with pytest.raises(error):
        check_plans([MeasurementPlan(**{"instrument": "phq-9", **values})], ["phq-9"])


def test_a_questionnaire_has_one_plan():
    with pytest.raises(BusinessRuleError):
        check_plans([TWO_WEEKLY, TWO_WEEKLY], ["phq-9"])


def test_progress_counts_from_the_membership_in_force_that_began_first():
    now = JOINED + 100 * DAY
    ended, first, second = (
        (JOINED, JOINED + 50 * DAY), (JOINED + 20 * DAY, None), (JOINED + 60 * DAY, None),
    )  # fmt: skip
    assert index_date([ended, second, first], now) == first[0]
    assert index_date([ended], now) == JOINED
    assert index_date([(now + DAY, None)], now) is None
    assert index_date([], now) is None
