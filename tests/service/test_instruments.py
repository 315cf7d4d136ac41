from dataclasses import replace
from types import MappingProxyType

import pytest

from service import instruments
from service.instruments import definitions, lint

PHQ_9 = instruments.instrument("phq-9")
GAD_7 = instruments.instrument("gad-7")


def _raw(**changes):
    raw = {
        "id": "x",
        "version": "1.0.0",
        "range": [0, 1],
        "answer_lists": {},
        "items": [],
        "missing_rule": {"maximum_missing": 0},
        "bands": [],
        "safety": [],
        "licence": {"statement": "", "attribution": "", "loinc_notice": "", "source": ""},
        "us_core_category": None,
        "other_canonicals": [],
        "other_link_ids": {},
        "sources": [],
    }
    return raw | changes


def test_both_instruments_are_defined():
    assert list(instruments.load_instruments()) == ["gad-7", "phq-9"]


def test_every_definition_agrees_with_itself():
    assert lint.problems(instruments.all_versions()) == []


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


def test_prorating_is_refused_at_load_until_it_is_written():
    with pytest.raises(ValueError, match="maximum_missing"):
        definitions.parse(_raw(missing_rule={"maximum_missing": 2}))


def test_an_unknown_key_is_refused_at_load():
    with pytest.raises(TypeError, match="colour"):
        definitions.parse(_raw(colour="blue"))


def _with_items(*items):
    return replace(GAD_7, items=items)


_FIRST, *_OTHERS = GAD_7.items
_FIRST_BAND, *_OTHER_BANDS = GAD_7.bands

WRONG = {
    "69737-6 has a wrong check digit": replace(GAD_7, panel="69737-6"),
    "linkIds are not unique": _with_items(
        _FIRST, replace(_OTHERS[0], link_id=_FIRST.link_id), *_OTHERS[1:]
    ),
    "items are not numbered from 1 in order": _with_items(*reversed(GAD_7.items)),
    "two answers with one score": _with_items(
        replace(_FIRST, answers=(*_FIRST.answers, _FIRST.answers[0])), *_OTHERS
    ),
    "safety rule for unknown item /44260-8": replace(GAD_7, safety=PHQ_9.safety),
    "other linkId for unknown item 44260-8": replace(
        GAD_7, other_link_ids=MappingProxyType({"1": "44260-8"})
    ),
    "items sum to 0-21, not to the stated range": replace(GAD_7, maximum=27),
    "items sum to 0-18, not to the stated range": _with_items(
        replace(_FIRST, scored=False), *_OTHERS
    ),
    "band beyond cannot be reached": replace(
        GAD_7, bands=(*GAD_7.bands, replace(_FIRST_BAND, minimum=22, maximum=30, label="beyond"))
    ),
    "total 4 is in 0 bands": replace(GAD_7, bands=(replace(_FIRST_BAND, maximum=3), *_OTHER_BANDS)),
    "total 5 is in 2 bands": replace(GAD_7, bands=(replace(_FIRST_BAND, maximum=5), *_OTHER_BANDS)),
    "total 69737-5 is a panel": replace(GAD_7, total="69737-5"),
}


@pytest.mark.parametrize("problem", WRONG)
def test_the_lint_names_what_is_wrong(problem):
    found = lint.problems([WRONG[problem]])
    assert any(problem in each for each in found), found


def test_the_panel_of_one_instrument_is_not_the_score_of_another():
    swapped = replace(PHQ_9, total=GAD_7.panel)
    assert "phq-9: total 69737-5 is a panel" in lint.problems([swapped, GAD_7])
