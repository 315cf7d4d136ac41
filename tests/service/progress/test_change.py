"""What a change means: each rule by its own name, and nothing where no rule has a source."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from service.instruments import ChangeKind, ChangeRule, Measure, Threshold, instrument
from service.progress.change import Result, findings, without_rule
from service.progress.series import BaselineRule, Value, progress

JOINED = datetime(2026, 3, 2, 18, tzinfo=UTC)
DAY = timedelta(days=1)
PHQ9, GAD7, WHO5 = instrument("phq-9"), instrument("gad-7"), instrument("who-5")


def results(form, baseline, now):
    found = findings(form, form.primary, Decimal(baseline), Decimal(now))
    return {each.rule.id: each.result for each in found}


def series(*values, index=JOINED, form=PHQ9):
    """Values as (day, number); the day counts from when the person joined."""
    made = [
        Value(at=JOINED + day * DAY, key=f"{n:02}", value=None if v is None else Decimal(v))
        for n, (day, v) in enumerate(values)
    ]
    return progress(form, form.primary, made, index)


def test_points_and_proportion_disagree_and_both_are_reported():
    low = results(PHQ9, 10, 7)
    assert low["important-5-points"] is Result.NOT_MET
    assert low["important-20-percent"] is Result.MET
    high = results(PHQ9, 27, 22)
    assert high["important-5-points"] is Result.MET
    assert high["important-20-percent"] is Result.NOT_MET


@pytest.mark.parametrize(
    ("now", "response", "remission"),
    [(6, "not-met", "not-met"), (5, "met", "not-met"), (4, "met", "met")],
)
def test_response_and_remission_are_met_at_their_own_edge(now, response, remission):
    found = results(PHQ9, 10, now)
    assert found["response-50-percent"] == response
    assert found["remission-below-5"] == remission


def test_a_rule_for_a_high_baseline_says_nothing_of_a_low_one():
    (rule,) = [
        each
        for each in findings(PHQ9, PHQ9.primary, Decimal(9), Decimal(2))
        if each.rule.id == "response-50-percent"
    ]
    assert rule.result is Result.NOT_APPLICABLE
    assert rule.reason == "the rule is for a baseline of 10 or more"


def test_an_odd_baseline_needs_the_whole_half():
    assert results(PHQ9, 11, 6)["response-50-percent"] is Result.NOT_MET
    assert results(PHQ9, 11, 5)["response-50-percent"] is Result.MET


def test_as_many_points_the_other_way_are_a_deterioration_of_two_kinds_only():
    found = results(PHQ9, 10, 16)
    assert found["reliable-6-points"] is Result.DETERIORATED
    assert found["important-5-points"] is Result.DETERIORATED
    assert found["important-20-percent"] is Result.NOT_MET
    assert found["response-50-percent"] is Result.NOT_MET
    assert results(PHQ9, 10, 15)["reliable-6-points"] is Result.NOT_MET


def test_where_higher_is_better_a_rise_is_the_improvement():
    assert results(WHO5, 40, 50)["important-10-points"] is Result.MET
    assert results(WHO5, 50, 40)["important-10-points"] is Result.DETERIORATED


def test_a_strict_rule_is_not_met_by_its_threshold():
    isi = instrument("isi")
    assert results(isi, 20, 13)["response-more-than-7-points"] is Result.NOT_MET
    assert results(isi, 20, 12)["response-more-than-7-points"] is Result.MET


def test_what_the_baseline_met_already_is_no_remission():
    assert results(GAD7, 3, 2)["remission-below-5"] is Result.NOT_APPLICABLE


def test_there_is_no_proportion_of_zero():
    assert results(GAD7, 0, 0)["important-20-percent"] is Result.NOT_APPLICABLE
    assert results(GAD7, 0, 4)["reliable-4-points"] is Result.DETERIORATED


def test_a_rule_of_two_thresholds_is_met_by_either():
    rule = ChangeRule(
        id="either", kind=ChangeKind.IMPROVED, score="total", source="made up", confirmed=False,
        thresholds=(Threshold(measure=Measure.PROPORTION, value=Decimal("0.5")),
                    Threshold(measure=Measure.AT_MOST, value=Decimal(9))),
    )  # fmt: skip
    form = replace(PHQ9, change=(rule,))
    assert results(form, 12, 9) == {"either": Result.MET}
    assert results(form, 20, 10) == {"either": Result.MET}
    assert results(form, 18, 10) == {"either": Result.NOT_MET}


def test_nothing_is_said_where_no_rule_has_a_source():
    gse = instrument("gse")
    found = series((0, 20), (30, 38), form=gse)
    assert found.findings == ()
    assert found.silent == tuple(ChangeKind)[:4]
    assert found.points[-1].from_baseline == 18
    assert without_rule(PHQ9, PHQ9.primary) == ()


def test_a_category_has_no_difference():
    form = instrument("c-ssrs-screener")
    found = series((0, 1), (30, 3), form=form)
    assert [each.from_last for each in found.points] == [None, None]
    assert found.findings == ()


def test_the_baseline_is_the_first_scorable_one_from_a_week_before_joining():
    found = series((-30, 22), (-8, 21), (-7, 18), (1, 15), (20, 9))
    assert (found.rule, found.baseline.value, found.last.value) == (BaselineRule.ENROLLMENT, 18, 9)
    assert [each.from_baseline for each in found.points] == [None, None, None, -3, -9]
    assert [each.from_last for each in found.points] == [None, -1, -3, -3, -6]


def test_without_an_index_date_the_first_scorable_one_is_the_baseline():
    found = series((-30, None), (-20, 21), (20, 9), index=None)
    assert (found.rule, found.baseline.value) == (BaselineRule.FIRST, 21)


def test_what_could_not_be_scored_is_counted_and_compared_with_nothing():
    found = series((0, None), (14, 12), (28, None), (42, 6))
    assert found.not_scorable == 2
    assert found.baseline.value == 12
    assert found.points[2].from_last is None
    assert found.points[3].from_last == -6


def test_a_baseline_alone_and_none_at_all_say_nothing():
    assert series((0, 12)).findings == ()
    assert series().baseline is None
    old = series((-30, 20))
    assert old.baseline is None
    assert old.last.value == 20
    assert old.findings == ()


def test_what_was_authored_at_once_is_in_the_order_of_its_key():
    found = series((0, 12), (0, 9))
    assert (found.baseline.value, found.last.value) == (12, 9)


@pytest.mark.parametrize("form", ["phq-9", "gad-7", "pcl-5", "isi", "who-5", "wsas", "epds"])
def test_every_rule_has_a_result_for_every_pair_of_values(form):
    form = instrument(form)
    low, high = int(form.primary.minimum), int(form.primary.maximum)
    for baseline in range(low, high + 1):
        for now in range(low, high + 1):
            for each in findings(form, form.primary, Decimal(baseline), Decimal(now)):
                assert (each.reason is None) == (each.result is not Result.NOT_APPLICABLE)
                if now == baseline:
                    assert each.result in {Result.NOT_MET, Result.NOT_APPLICABLE}
