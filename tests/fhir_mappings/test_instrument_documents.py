"""What each instrument is in FHIR: its Questionnaire, a response to it, and their Observations.

https://hl7.org/fhir/R4/questionnaire.html
"""

from uuid import UUID

import pytest

from fhir_mappings.codes import LOINC
from fhir_mappings.instrument_codes import ANSWER, INSTRUMENT
from fhir_mappings.structure import validate, validate_profile
from service.instruments import all_versions, instrument
from service.models.facts import InstrumentFacts
from service.scoring import score
from tests.fhir_mappings import fixed_facts as f

SCREENING = (
    "http://hl7.org/fhir/us/core/StructureDefinition/us-core-observation-screening-assessment"
)
FORMS = pytest.mark.parametrize("form", all_versions(), ids=lambda form: form.id)
MAPPED = {LOINC, INSTRUMENT, ANSWER}


def questionnaire(form):
    facts = InstrumentFacts(id=UUID(int=7), name=form.id, version=form.version)
    return f.document(
        f.one("Questionnaire", "instrument", facts, f.OF_PUBLIC), f.OF_PUBLIC.audience
    )


def answered(form, nth=0):
    """Facts of a response in which every item has its nth answer, counted round."""
    answers = {i.link_id: i.values[nth % len(i.values)] for i in form.items if i.values}
    return given(form, answers)


def given(form, answers):
    result = score(form, answers)
    return f.response(
        instrument=form.id,
        instrument_version=form.version,
        answers=answers,
        total=result.total,
        scores=result.stored,
        missing=result.missing,
        alert=None,
    )


def documents(facts, kind, view=f.OF_A):
    found = [f.document(draft, view.audience) for draft in f.render("response", facts, view, kind)]
    return {each["code"]["text"]: each for each in found} if kind == "Observation" else found


@FORMS
def test_its_questionnaire_is_valid_and_says_what_it_lacks(form):
    found = questionnaire(form)
    assert validate(found) == []
    assert found["status"] == ("active" if form.text_ships else "draft")
    assert ("description" in found) is bool(form.gaps)
    assert found["copyright"].startswith(form.licence.statement)


@FORMS
def test_its_questionnaire_has_every_answer_with_what_it_counts(form):
    items = {each["linkId"]: each for each in questionnaire(form)["item"]}
    for item in form.items:
        options = items[item.link_id].get("answerOption", [])
        scores = [o["extension"][0]["valueDecimal"] if "extension" in o else None for o in options]
        assert scores == [answer.score for answer in item.answers]
        assert ("text" in items[item.link_id]) is (item.text is not None)
        assert all(option["valueCoding"]["system"] in MAPPED for option in options)


@FORMS
@pytest.mark.parametrize("nth", [0, 1])
def test_a_response_and_its_observations_are_valid(form, nth):
    facts = answered(form, nth)
    observations = documents(facts, "Observation")
    assert len(observations) == len(f.render("response", facts, f.OF_A, "Observation"))
    for found in [*documents(facts, "QuestionnaireResponse"), *observations.values()]:
        assert validate(found) == []
    for found in observations.values():
        assert validate_profile(found, f"{SCREENING}|7.0.0") == []


@FORMS
def test_a_response_without_answers_has_reasons_and_no_values(form):
    totals = documents(given(form, {}), "Observation")
    for rule in form.reported_scores:
        found = totals[rule.display]
        assert "valueQuantity" not in found
        assert "valueCodeableConcept" not in found
        assert found["dataAbsentReason"]["coding"][0]["code"] == "unknown"


@FORMS
def test_only_a_source_puts_a_category_beside_survey(form):
    categories = {
        each["coding"][0]["code"]
        for found in documents(answered(form), "Observation").values()
        for each in found["category"]
    }
    own = {form.us_core_category.code} if form.us_core_category else set()
    assert categories == {"survey"} | own
    assert bool(own) is (form.id == "phq-9")


def test_the_c_ssrs_asks_3_to_5_after_2_and_7_after_6():
    items = {each["linkId"]: each for each in questionnaire(instrument("c-ssrs-screener"))["item"]}
    yes = {"system": LOINC, "code": "LA33-6", "display": "Yes"}
    asked = {"/93248-3": "/93247-5", "/93249-1": "/93247-5", "/93250-9": "/93247-5"}
    for link_id, question in {**asked, "/93269-9": "/93267-3"}.items():
        condition = {"question": question, "operator": "=", "answerCoding": yes}
        assert items[link_id]["enableWhen"] == [condition]
    assert "enableWhen" not in items["/93246-7"]


def test_a_level_is_a_code_and_no_quantity():
    form = instrument("c-ssrs-screener")
    answers = {"/93246-7": 1, "/93247-5": 1, "/93249-1": 1}
    found = documents(given(form, answers), "Observation")["C-SSRS suicide risk level"]
    codes = [each["code"] for each in found["valueCodeableConcept"]["coding"]]
    assert (codes, "valueQuantity" in found) == (["LA9193-9", "high"], False)


def test_scores_and_answers_are_members_of_one_panel_without_those_about_safety():
    form = instrument("promis-global-10")
    found = documents(answered(form), "Observation")
    members = {each["reference"] for each in found.pop(form.name)["hasMember"]}
    assert members == {f"Observation/{each['id']}" for each in found.values()}
    assert len(members) == 4 + 10
    as_programme = documents(answered(form), "Observation", f.OF_PROGRAMME)
    assert len(as_programme[form.name]["hasMember"]) == len(as_programme) - 1 == 4


def test_one_score_needs_no_panel():
    assert len(documents(answered(instrument("phq-9")), "Observation")) == 11


def test_a_prorated_total_and_one_without_the_work_item_say_so_and_not_which_item():
    gse = instrument("gse")
    seven = {item.link_id: 3 for item in gse.items[:7]}
    found = documents(given(gse, seven), "Observation")[gse.total_display]
    assert found["valueQuantity"]["value"] == 30
    assert found["note"][0]["text"].startswith("Prorated")
    wsas = instrument("wsas")
    answers = {item.link_id: 4 for item in wsas.items} | {"/wsas/1": 9}
    found = documents(given(wsas, answers), "Observation")[wsas.total_display]
    assert found["valueQuantity"]["value"] == 16
    assert "not applicable" in found["note"][0]["text"]
    assert "/wsas/1" not in str(found)


def test_a_t_score_is_served_as_exactly_as_its_table_has_it():
    found = documents(answered(instrument("promis-global-10"), 4), "Observation")
    values = [each.get("valueQuantity", {}).get("value") for each in found.values()]
    assert 21.2 in values
