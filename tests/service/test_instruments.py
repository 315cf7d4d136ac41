from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType

import pytest

from service import instruments
from service.instruments import (
    Band,
    Condition,
    Measure,
    MissingKind,
    MissingRule,
    Operator,
    SafetyRule,
    Threshold,
    lint,
)
from tests.service.instrument_files import garden

PHQ_9 = instruments.instrument("phq-9")
GAD_7 = instruments.instrument("gad-7")


def test_every_instrument_of_the_research_is_defined():
    assert list(instruments.load_instruments()) == [
        "asrm", "audit-c", "c-ssrs-screener", "dast-10", "epds", "gad-2", "gad-7", "gse", "isi",
        "mdq", "ons-loneliness", "pcl-5", "phq-2", "phq-9", "phq-a", "promis-global-10",
        "promis-self-efficacy", "pss-10", "pss-4", "swemwbs", "ucla-3", "who-5", "wsas",
    ]  # fmt: skip


def test_every_definition_agrees_with_itself():
    assert lint.problems(instruments.all_versions()) == []


def test_words_ship_only_where_a_source_lets_them():
    assert [each.id for each in instruments.shipped() if lint.unshippable(each)] == []
    shown = {each.id for each in instruments.shipped() if each.text_ships}
    assert shown == {"gad-2", "gad-7", "phq-2", "phq-9"}
    copied = replace(instruments.instrument("isi"), items=PHQ_9.items)
    assert "isi: the licence does not let the words of /44250-9 ship" in lint.unshippable(copied)


def test_whatever_ships_without_its_words_says_so():
    for each in instruments.shipped():
        assert each.text_ships or any("words" in gap for gap in each.gaps), each.id
        assert each.verification.verified or each.gaps, each.id


def test_every_rule_of_change_names_its_source_and_whether_it_was_confirmed():
    rules = {(form.id, rule.id): rule for form in instruments.shipped() for rule in form.change}
    assert all(rule.source for rule in rules.values())
    assert not rules["phq-9", "reliable-6-points"].confirmed
    assert rules["gad-7", "important-4-points"].confirmed
    points = rules["phq-9", "important-5-points"], rules["phq-9", "important-20-percent"]
    assert [each.thresholds[0].measure for each in points] == ["points", "proportion"]


def test_an_instrument_is_found_by_id_and_version():
    assert instruments.instrument("phq-9", "1.0.0") is PHQ_9


@pytest.mark.parametrize(("name", "version"), [("phq-8", None), ("phq-9", "9.9.9")])
def test_an_unknown_instrument_or_version_is_a_lookup_error(name, version):
    with pytest.raises(LookupError):
        instruments.instrument(name, version)


@pytest.mark.parametrize(
    "canonical",
    [
        "https://alongside.example/fhir/Questionnaire/phq-9",
        "https://alongside.example/fhir/Questionnaire/phq-9|1.0.0",
        "http://loinc.org/q/44249-1",
    ],
)
def test_a_canonical_names_its_instrument(canonical):
    assert instruments.by_canonical(canonical) is PHQ_9


@pytest.mark.parametrize(
    "canonical",
    [
        "",
        "|",
        "|1.0.0",
        "https://alongside.example/fhir/Questionnaire/phq-9|",
        "https://alongside.example/fhir/Questionnaire/phq-9|2.0.0",
        "http://loinc.org/q/44249-1|2.82",
        "http://loinc.org/q/44261-6",
    ],
)
def test_another_canonical_names_none(canonical):
    assert instruments.by_canonical(canonical) is None


def test_our_canonical_carries_the_version():
    assert instruments.by_canonical(GAD_7.canonical) is GAD_7


@pytest.mark.parametrize("key", ["/44260-8", "44260-8", "14371"])
def test_an_item_is_found_by_link_id_then_code_then_the_link_id_of_the_loinc_form(key):
    item = PHQ_9.item(key)
    assert item is not None
    assert item.number == 9


def test_an_unknown_key_names_no_item():
    assert PHQ_9.item("/69725-0") is None


@pytest.mark.parametrize("key", ["/44261-6", "44261-6", "14372"])
def test_the_total_of_a_published_form_is_not_an_item(key):
    assert PHQ_9.is_total(key)
    assert PHQ_9.item(key) is None


def test_an_item_is_not_the_total():
    assert not PHQ_9.is_total("/44260-8")


def test_answers_of_the_difficulty_item_are_not_in_numeric_order_of_their_codes():
    difficulty = PHQ_9.item("/69722-7")
    very, extremely = difficulty.answer("LA6575-0"), difficulty.answer("LA6574-3")
    assert (very.display, very.score) == ("Very difficult", 2)
    assert (extremely.display, extremely.score) == ("Extremely difficult", 3)
    assert difficulty.chosen(2) is very


def test_an_answer_of_another_list_is_not_an_answer_of_the_item():
    assert PHQ_9.item("/69722-7").answer("LA6568-5") is None
    assert PHQ_9.item("/44250-9").chosen(4) is None


def test_only_the_difficulty_item_is_optional():
    assert [item.code for item in PHQ_9.items if item.optional] == ["69722-7"]
    assert not any(item.optional for item in GAD_7.items)


def test_only_a_source_gives_a_category_beside_survey():
    assert PHQ_9.us_core_category.code == "disability-status"
    assert GAD_7.us_core_category is None


def test_an_instrument_can_be_a_key():
    assert {PHQ_9: 1}[instruments.instrument("phq-9")] == 1


@pytest.mark.parametrize("code", ["44249-1", "44261-6", "LL358-3", "LA6568-5", "LA32-8"])
def test_a_published_code_has_a_valid_check_digit(code):
    assert lint.has_valid_check_digit(code)


@pytest.mark.parametrize("code", ["44261-8", "72109-3", "LL358-4", "LA6568-4", "XX1-1", "44261"])
def test_an_invented_code_has_none(code):
    assert not lint.has_valid_check_digit(code)


def test_an_unknown_key_is_refused_at_load():
    with pytest.raises(TypeError, match="colour"):
        instruments.read_text(garden(colour="blue"))


def _with_items(*items, of=GAD_7):
    return replace(of, items=items)


def _scored(of=GAD_7, **changes):
    return replace(of, scores=(replace(of.primary, **changes), *of.scores[1:]))


def _rule(**changes):
    return replace(GAD_7, change=(replace(GAD_7.change[0], **changes),))


def _depending(*conditions):
    return _with_items(_FIRST, replace(_OTHERS[0], enable_when=conditions), *_OTHERS[1:])


_FIRST, *_OTHERS = GAD_7.items
_FIRST_BAND, *_OTHER_BANDS = GAD_7.bands
_NEW = SafetyRule(link_id=_FIRST.link_id, minimum_score=1, note="")
_TREE = instruments.instrument("c-ssrs-screener")
_LAST = _TREE.primary.categories[-1]
_GLOBAL = instruments.instrument("promis-global-10")
_TABLE = _GLOBAL.scores[2]


def _half_table():
    table = {raw: value for raw, value in _TABLE.table.items() if raw != 9}
    return replace(_GLOBAL, scores=(*_GLOBAL.scores[:2], replace(_TABLE, table=table)))


WRONG = {
    "its id must be of lower-case letters": replace(GAD_7, id="GAD 7"),
    "its version must be numbers": replace(GAD_7, version="one"),
    "its url must be absolute": replace(GAD_7, url="gad-7"),
    "it must have a name": replace(GAD_7, name=" "),
    "sensitivity XYZ must be one of": replace(GAD_7, sensitivity="XYZ"),
    "69737-6 has a wrong check digit": replace(GAD_7, panel="69737-6"),
    "LL358-4 has a wrong check digit": _with_items(
        replace(_FIRST, answer_list="LL358-4"), *_OTHERS
    ),
    "LA9194-8 has a wrong check digit": _scored(
        of=_TREE, categories=(replace(_LAST, code="LA9194-8"),)
    ),
    "it has no items": _with_items(),
    "linkIds are not unique": _with_items(
        _FIRST, replace(_OTHERS[0], link_id=_FIRST.link_id), *_OTHERS[1:]
    ),
    "two items have one code": _with_items(
        _FIRST, replace(_OTHERS[0], code=_FIRST.code), *_OTHERS[1:]
    ),
    "linkId x must begin with /": _with_items(replace(_FIRST, link_id="x"), *_OTHERS),
    "items are not numbered from 1 in order": _with_items(*reversed(GAD_7.items)),
    "two answers with one value": _with_items(
        replace(_FIRST, answers=(*_FIRST.answers, _FIRST.answers[0])), *_OTHERS
    ),
    "two answers with one code": _with_items(
        replace(_FIRST, answers=(*_FIRST.answers, replace(_FIRST.answers[0], value=9))), *_OTHERS
    ),
    "has no answer that counts": _with_items(replace(_FIRST, answers=()), *_OTHERS),
    "which is no item before it": _depending(
        Condition(about="/69733-4", operator=Operator.EQUALS, value=0)
    ),
    "an answer that /69725-0 does not have": _depending(
        Condition(about="/69725-0", operator=Operator.EQUALS, value=7)
    ),
    "can depend on = and != alone": _depending(
        Condition(about="/69725-0", operator=Operator.AT_LEAST, value=1)
    ),
    "safety rule for unknown item /44260-8": replace(GAD_7, safety=PHQ_9.safety),
    "no answer counts 7": replace(GAD_7, safety=(replace(_NEW, minimum_score=7),)),
    "its tier must be red, amber or watch": replace(GAD_7, safety=(replace(_NEW, tier="blue"),)),
    "other linkId for unknown item 44260-8": replace(
        GAD_7, other_link_ids=MappingProxyType({"1": "44260-8"})
    ),
    "it has no score": replace(GAD_7, scores=()),
    "its first score must be a whole number": replace(_GLOBAL, scores=(_TABLE,)),
    "is there twice": replace(GAD_7, scores=(GAD_7.primary, GAD_7.primary)),
    "made of /44260-8, which is no item": _scored(link_ids=("/44260-8",)),
    "counts an item twice": _scored(link_ids=(_FIRST.link_id, _FIRST.link_id)),
    "has no items": _scored(link_ids=()),
    "needs more items answered than it has": _scored(
        missing=MissingRule(kind=MissingKind.PRORATE, source="", minimum_answered=8)
    ),
    "must say how many answers are enough": _scored(
        missing=MissingRule(kind=MissingKind.PRORATE, source="")
    ),
    "only a decision tree can be decided early": _scored(
        missing=MissingRule(kind=MissingKind.DECIDED, source="")
    ),
    "converts gph, which is no score before it": replace(
        _GLOBAL, scores=(_GLOBAL.primary, replace(_TABLE, of="gph"))
    ),
    "its table has no value for 9": _half_table(),
    "its last category must hold for whatever is left": _scored(
        of=_TREE, categories=_TREE.primary.categories[:-1]
    ),
    "a category after one that always holds": _scored(of=_TREE, categories=(_LAST, _LAST)),
    "two categories have one rank": _scored(
        of=_TREE, categories=(replace(_TREE.primary.categories[0], rank=0), _LAST)
    ),
    "items sum to 0-21, not to the stated range": _scored(maximum=27),
    "items sum to 0-18, not to the stated range": _scored(link_ids=GAD_7.primary.link_ids[1:]),
    "band beyond cannot be reached": _scored(
        bands=(*GAD_7.bands, Band(minimum=22, maximum=30, label="beyond"))
    ),
    "total 4 is in 0 bands": _scored(bands=(replace(_FIRST_BAND, maximum=3), *_OTHER_BANDS)),
    "total 5 is in 2 bands": _scored(bands=(replace(_FIRST_BAND, maximum=5), *_OTHER_BANDS)),
    "x is no sex": _scored(bands=(*GAD_7.bands, Band(minimum=0, maximum=21, label="", sex="x"))),
    "total 69737-5 is a panel": _scored(code="69737-5"),
    "item /69725-0 has the code of a panel": _with_items(replace(_FIRST, code="69737-5"), *_OTHERS),
    "two rules of change have one id": replace(GAD_7, change=(GAD_7.change[0], GAD_7.change[0])),
    "no score with a direction": _rule(score="other"),
    "must have a threshold and a source": _rule(thresholds=()),
    "its threshold is not within": _rule(
        thresholds=(Threshold(measure=Measure.POINTS, value=Decimal(22)),)
    ),
    "no score is as high as its baseline": _rule(baseline_minimum=22),
    "cut-off case-10 is not within": replace(
        GAD_7, caseness=(replace(GAD_7.caseness[0], cutoff=22),)
    ),
}


@pytest.mark.parametrize("problem", WRONG)
def test_the_lint_names_what_is_wrong(problem):
    found = lint.problems([WRONG[problem]])
    assert any(problem in each for each in found), found


def test_the_panel_of_one_instrument_is_not_the_score_of_another():
    swapped = _scored(of=PHQ_9, code=GAD_7.panel)
    assert "phq-9: total 69737-5 is a panel" in lint.problems([swapped, GAD_7])


def test_a_sexed_cut_off_is_for_that_sex_and_the_plain_one_for_everybody_else():
    audit_c = instruments.instrument("audit-c")
    found = [audit_c.band(3, sex).label for sex in ("male", "female", "other", None)]
    assert found == ["negative", "positive", "positive", "positive"]
