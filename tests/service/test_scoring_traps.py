"""The traps of scoring, one test each, and published worked examples where a source gives one."""

from dataclasses import replace
from decimal import Decimal

import pytest

from service.instruments import instrument, lint, read_text, shipped
from service.scoring import check_answers, safety_hits, score
from tests.service.instrument_files import garden

ITEM = "/93246-7", "/93247-5", "/93248-3", "/93249-1", "/93250-9", "/93267-3", "/93269-9"


def all_of(name, value, **others):
    form = instrument(name)
    given = {item.link_id: value for item in form.items if value in item.values}
    return form, {**given, **{f"/{name}/{n[1:]}": v for n, v in others.items()}}


def beside(result):
    return {each.id: each.value for each in result.scores[1:]}


@pytest.mark.parametrize("printed", range(5))
def test_pss_10_items_4_5_7_and_8_are_reversed_once(printed):
    """All answers alike: six items count what is printed, four count 4 less that."""
    assert score(*all_of("pss-10", printed)).total == 6 * printed + 4 * (4 - printed)


def test_pss_10_reverses_exactly_the_items_that_loinc_reverses_in_its_lists():
    form = instrument("pss-10")
    turned = [item.number for item in form.items if item.chosen(0).score == 4]
    assert turned == [4, 5, 7, 8] == [item.number for item in form.items if item.reverse]


def test_pss_4_is_pss_10_of_items_2_4_5_and_10():
    long, short = instrument("pss-10"), instrument("pss-4")
    for ours, theirs in zip(short.items, (2, 4, 5, 10), strict=True):
        assert ours.reverse == long.items[theirs - 1].reverse
    assert score(*all_of("pss-4", 0)).total == 8


def test_epds_items_are_counted_upwards_for_1_2_and_4_and_downwards_for_the_rest():
    form, first = all_of("epds", 0)
    assert score(form, first).total == 7 * 3
    assert score(*all_of("epds", 3)).total == 3 * 3
    assert score(*all_of("epds", 3, n1=0, n2=0, n4=0)).total == 0


def test_epds_item_10_is_met_by_what_it_counts_and_not_by_its_printed_place():
    form = instrument("epds")
    assert [hit.score for hit in safety_hits(form, {"/epds/10": 0})] == [3]
    assert safety_hits(form, {"/epds/10": 3}) == ()


def test_dast_10_counts_no_for_item_3():
    form, every_no = all_of("dast-10", 0)
    assert score(form, every_no).total == 1
    assert score(form, {**every_no, "/dast-10/3": 1}).total == 0
    assert score(*all_of("dast-10", 1)).total == 9


def test_one_la_code_counts_by_its_list_and_instrument():
    never = {
        ("audit-c", "/68518-0"): 0,
        ("promis-global-10", "/61586-4"): 5,
        ("pss-10", "/66830-1"): 0,
    }
    for (name, link_id), counts in never.items():
        assert instrument(name).by_link_id[link_id].answer("LA6270-8").score == counts
    not_at_all = {("phq-9", "/44250-9"): 0, ("promis-global-10", "/61582-3"): 1}
    for (name, link_id), counts in not_at_all.items():
        assert instrument(name).by_link_id[link_id].answer("LA6568-5").score == counts


def test_phq_a_has_its_panel_and_its_score_the_right_way_round():
    form = instrument("phq-a")
    assert (form.panel, form.total) == ("89206-7", "89204-2")
    primary = replace(form.primary, code="89206-7")
    swapped = replace(form, panel="89204-2", scores=(primary, *form.scores[1:]))
    assert "phq-a: total 89206-7 is a panel" in lint.problems([form, swapped])


@pytest.mark.parametrize(
    ("name", "panel"),
    [("dast-10", "82666-9"), ("gad-7", "69737-5"), ("phq-9", "44249-1"), ("audit-c", "72109-2")],
)
def test_a_panel_is_never_a_score(name, panel):
    form = instrument(name)
    wrong = replace(form, scores=(replace(form.primary, code=panel), *form.scores[1:]))
    assert f"{name}: total {panel} is a panel" in lint.problems([wrong])


def test_phq_a_sums_nine_items_and_none_of_the_four_others():
    form, answers = all_of("phq-a", 1)
    assert (score(form, answers).total, len(form.scored_items)) == (9, 9)
    assert {hit.link_id for hit in safety_hits(form, answers)} == {
        "/phq-a/9", "/phq-a/12", "/phq-a/13",
    }  # fmt: skip


def test_audit_c_has_loincs_first_item_and_not_that_of_the_us_core_example():
    form = instrument("audit-c")
    assert form.items[0].code == "68518-0"
    assert form.item("/68517-2") is None
    assert form.total != "75624-7"


def test_who_5_is_a_percentage_and_higher_is_better():
    assert score(*all_of("who-5", 5)).total == 100
    assert score(*all_of("who-5", 2)).total == 40
    assert instrument("who-5").primary.direction == "better"


def test_ucla_3_begins_at_3():
    assert score(*all_of("ucla-3", 1)).total == 3
    assert score(*all_of("ucla-3", 3)).band.label == "lonely (convention)"


def test_more_of_the_ons_scale_is_less_lonely():
    assert instrument("ons-loneliness").primary.direction == "better"
    assert score(*all_of("ons-loneliness", 3)).total == 12


def test_gse_is_prorated_from_7_answers_and_refused_below():
    form, answers = all_of("gse", 3)
    seven = dict(list(answers.items())[:7])
    result = score(form, {**seven, "/gse/1": 4})
    assert (result.total, result.scores[0].prorated, len(result.missing)) == (31, True, 3)
    del seven["/gse/1"]
    assert score(form, seven).total is None
    assert "at least 7 of 10" in score(form, seven).reason


def test_wsas_is_scored_without_the_work_item_where_it_does_not_apply():
    form, answers = all_of("wsas", 4)
    result = score(form, {**answers, "/wsas/1": 9})
    assert (result.total, result.missing) == (16, ())
    assert result.scores[0].not_applicable == ("/wsas/1",)
    del answers["/wsas/1"]
    assert score(form, answers).total is None


def test_pcl_5_has_four_clusters_and_a_provisional_pattern():
    form, answers = all_of("pcl-5", 1)
    one = {"cluster-b": 5, "cluster-c": 2, "cluster-d": 7, "cluster-e": 6}
    assert beside(score(form, answers)) == {**one, "provisional-dsm-5": 0}
    met = {f"/pcl-5/{n}": 2 for n in (1, 6, 8, 9, 15, 16)}
    found = score(form, {**answers, **met})
    assert (found.total, beside(found)["provisional-dsm-5"]) == (26, 1)
    assert beside(score(form, {**answers, **met, "/pcl-5/16": 1}))["provisional-dsm-5"] == 0
    for n in range(1, 21):
        partial = {k: v for k, v in answers.items() if k != f"/pcl-5/{n}"}
        assert score(form, partial).total is None
        assert list(beside(score(form, partial)).values()).count(None) == 2


def mdq(yes, together, problem):
    given = {f"/mdq/{n}": int(n <= yes) for n in range(1, 14)}
    return score(instrument("mdq"), {**given, "/mdq/14": together, "/mdq/15": problem})


@pytest.mark.parametrize(
    ("yes", "together", "problem", "positive"),
    [(7, 1, 2, 1), (13, 1, 3, 1), (6, 1, 3, 0), (7, 0, 3, 0), (7, 1, 1, 0), (0, 0, 0, 0)],
)
def test_mdq_needs_seven_at_the_same_time_and_a_problem(yes, together, problem, positive):
    found = mdq(yes, together, problem)
    assert (found.total, beside(found)) == (yes, {"screen": positive})


def test_mdq_is_not_decided_until_every_part_is_answered():
    form = instrument("mdq")
    found = score(form, {f"/mdq/{n}": 0 for n in range(1, 15)})
    assert (found.total, beside(found), found.missing) == (0, {"screen": None}, ("/mdq/15",))


def cssrs(*answers):
    given = {k: v for k, v in zip(ITEM, answers, strict=True) if v is not None}
    return score(instrument("c-ssrs-screener"), given)


@pytest.mark.parametrize(
    ("answers", "level"),
    [
        ((0, 0, None, None, None, 0, None), "none"),
        ((1, 0, None, None, None, 0, None), "low"),
        ((1, 1, 0, 0, 0, 0, None), "low"),
        ((1, 1, 1, 0, 0, 0, None), "moderate"),
        ((0, 0, None, None, None, 1, 0), "moderate"),
        ((0, 0, None, None, None, 1, 1), "high"),
        ((1, 1, 0, 1, 0, 0, None), "high"),
        ((1, 1, 0, 0, 1, 0, None), "high"),
        # what was answered decides, whatever else would be
        ((None, None, None, 1, None, None, None), "high"),
        ((None, None, None, None, None, 1, 1), "high"),
        # not answered is not "no"
        ((0, 0, None, None, None, None, None), None),
        ((0, None, None, None, None, 0, None), None),
        ((1, 1, 1, 0, None, 0, None), None),
        ((0, 0, None, None, None, 1, None), None),
        ((None,) * 7, None),
    ],
)
def test_the_c_ssrs_level_is_columbias_and_is_not_guessed(answers, level):
    found = cssrs(*answers)
    assert (found.band.label if found.band else None) == level
    assert (found.reason is None) is (level is not None)


def test_every_yes_of_the_c_ssrs_meets_a_rule_of_its_tier():
    form = instrument("c-ssrs-screener")
    tiers = {rule.link_id: rule.tier for rule in form.safety}
    assert [tiers[each] for each in ITEM] == [
        "watch", "amber", "amber", "red", "red", "amber", "red",
    ]  # fmt: skip
    for each in ITEM:
        assert [hit.link_id for hit in safety_hits(form, {each: 1})] == [each]
        assert safety_hits(form, {each: 0}) == ()


def test_an_answer_that_a_safety_rule_reads_is_never_turned_away():
    form = instrument("c-ssrs-screener")
    contradicting = {"/93247-5": 0, "/93249-1": 1}
    assert check_answers(form, contradicting, complete=True) == []
    assert score(form, contradicting).band.label == "high"


def test_promis_pain_is_recoded_and_counted_with_the_physical_items():
    form, answers = all_of("promis-global-10", 3)
    pain = "/61583-1"
    by_pain = [score(form, {**answers, pain: n}).scores[1].value - 9 for n in range(11)]
    assert by_pain == [5, 4, 4, 4, 3, 3, 3, 2, 2, 2, 1]


def test_promis_global_t_scores_are_those_of_the_table():
    """HL7's PACIO sample Questionnaire PROMIS10: raw 4 and 20 of each scale."""
    form, low = all_of("promis-global-10", 1)
    lowest = score(form, {**low, "/61583-1": 10})
    assert (lowest.total, beside(lowest)) == (
        4, {"gph": 4, "gmh-t": Decimal("21.2"), "gph-t": Decimal("16.2")},
    )  # fmt: skip
    highest = score(
        *all_of("promis-global-10", 5)[:1], {**all_of("promis-global-10", 5)[1], "/61583-1": 0}
    )
    assert beside(highest) == {"gph": 20, "gmh-t": Decimal("67.6"), "gph-t": Decimal("67.7")}
    assert highest.scores[2].band.label == "excellent"
    assert highest.stored == {"gph": 20, "gmh-t": 67.6, "gph-t": 67.7}


def test_promis_needs_all_four_items_of_a_scale_and_the_other_stays_scored():
    form, answers = all_of("promis-global-10", 3)
    del answers["/61578-1"]
    found = score(form, answers)
    assert (found.total, found.scores[2].value) == (None, None)
    assert found.scores[1].value is not None
    assert "/61578-1" in found.scores[2].reason


@pytest.mark.parametrize("name", ["swemwbs", "promis-self-efficacy"])
def test_a_conversion_whose_table_was_not_found_is_not_made(name):
    form = instrument(name)
    assert [each.kind for each in form.scores] == ["sum"]
    assert any("was not found" in gap for gap in form.gaps)


def test_an_item_that_is_asked_by_an_earlier_answer_is_refused_where_it_was_not_asked():
    form = replace(read_text(garden()), safety=())
    [problem] = check_answers(form, {"/garden/1": 0, "/garden/3": 1})
    assert (problem.link_id, problem.rule) == ("/garden/3", "is asked only where /garden/1 != 0")
    assert check_answers(form, {"/garden/1": 1, "/garden/3": 1}) == []
    assert check_answers(form, {"/garden/3": 1}) == []


def test_a_required_item_is_asked_for_when_the_form_is_complete():
    form = read_text(garden())
    form = replace(form, items=(replace(form.items[0], required=True), *form.items[1:]))
    assert check_answers(form, {}) == []
    [problem] = check_answers(form, {}, complete=True)
    assert problem.rule == "must be answered before it is completed"


def test_no_other_item_is_reversed():
    turned = {form.id: {i.number for i in form.items if i.reverse} for form in shipped()}
    assert {name: numbers for name, numbers in turned.items() if numbers} == {
        "dast-10": {3},
        "epds": {3, 5, 6, 7, 8, 9, 10},
        "pss-10": {4, 5, 7, 8},
        "pss-4": {2, 3},
    }
