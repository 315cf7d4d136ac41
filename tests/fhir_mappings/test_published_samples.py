"""Each published sample, by its file: understood and scored, or refused for what is wrong with it.

The samples are of LForms, HL7's US Core, SDC and PHR format, and the German MII.
"""

import pytest

from fhir_mappings.answers import understand
from fhir_mappings.questionnaire_response import is_known
from service.errors import AlongsideError
from service.instruments import instrument, lint
from service.scoring import safety_hits, score
from tests.fhir_mappings.published import filled, names, sample

PHQ_9, GAD_7, AUDIT_C = instrument("phq-9"), instrument("gad-7"), instrument("audit-c")
TESTED: set[str] = set()
ITEM_9 = "/44260-8"


def of(*files):
    TESTED.update(files)
    return pytest.mark.parametrize("name", files)


def total(resource):
    said = understand(resource)
    return said.form.id, score(said.form, said.answers).total


def refusals(resource):
    with pytest.raises(AlongsideError) as caught:
        understand(resource)
    return {problem.element: problem.rule for problem in caught.value.problems}


@of(
    "lforms/argonaut-phq9-ish.json",
    "lforms/lforms-fhir-app-phq9.json",
    "lforms/phq9-with-the-weight-function.json",
    "lforms/phq9.json",
    "mii-proms/Questionnaire-mii-qst-pro-phq-9-extractable-observation.json",
    "mii-proms/Questionnaire-mii-qst-pro-phq-9.json",
    "phr-format/Questionnaire-phq9.json",
    "sdc/Questionnaire-questionnaire-sdc-profile-example-PHQ9.json",
    "us-core-7.0.0/Questionnaire-phq-9-example.json",
    "us-core-8.0.0/Questionnaire-phq-9-example.json",
)
def test_a_response_to_a_published_phq_9_is_scored(name):
    for nth in range(4):
        response = filled(sample(name), nth)
        assert is_known(response)
        assert total(response) == ("phq-9", 9 * nth)
        hits = safety_hits(PHQ_9, understand(response).answers)
        assert [hit.link_id for hit in hits] == ([ITEM_9] if nth else [])


@of("phr-format/Questionnaire-gad7.json")
def test_a_response_to_the_published_gad_7_is_scored_and_a_declined_item_is_missing(name):
    for nth in range(4):
        assert total(filled(sample(name), nth)) == ("gad-7", 7 * nth)
    declined = understand(filled(sample(name), 4))
    assert (declined.form, declined.answers) == (GAD_7, {})


@of("sdc/Questionnaire-questionnaire-sdc-profile-example-cqf-PHQ9.json")
def test_the_cqf_phq_9_lacks_item_9_and_so_has_no_total(name):
    """Its question of difficulty has a code that is not the PHQ-9's, which is said too."""
    response = filled(sample(name), 3)
    (refused,) = refusals(response).items()
    assert refused == (
        "QuestionnaireResponse.item[9].linkId", "must be the linkId of an item of PHQ-9 1.0.0",
    )  # fmt: skip
    del response["item"][9]
    said = understand(response)
    found = score(said.form, said.answers)
    assert (found.total, found.missing) == (None, (ITEM_9,))


@of("sdc/Questionnaire-questionnaire-sdc-profile-example-PHQ9-search.json")
def test_a_form_without_questions_is_not_one_that_is_scored(name):
    questionnaire = sample(name)
    assert "item" not in questionnaire
    assert not is_known({"questionnaire": questionnaire["url"]})


@of("us-core-7.0.0/QuestionnaireResponse-phq-9-example.json")
def test_the_us_core_response_has_the_total_that_it_says(name):
    resource = sample(name)
    (said,) = [i["answer"][0] for i in resource["item"] if i["linkId"] == "/44261-6"]
    assert total(resource) == ("phq-9", said["valueDecimal"]) == ("phq-9", 12)


@of("phr-format/QuestionnaireResponse-phq9.json", "phr-format/QuestionnaireResponse-gad7.json")
def test_a_phr_response_has_the_total_of_the_observation_beside_it(name):
    kind = "PHQ9" if "phq9" in name else "GAD7"
    beside = sample(f"phr-format/Observation-ScoredAssessment{kind}Example.json")
    _, found = total(sample(name))
    assert found == beside["component"][0]["valueInteger"] == 3


@of(
    "sdc/QuestionnaireResponse-questionnaireresponse-sdc-profile-example-PHQ9.json",
    "sdc/QuestionnaireResponse-adaptive-questionnaireresponse-sdc-example-phq9.json",
)
def test_the_sdc_responses_sum_to_10_though_they_say_13(name):
    """0, 0, 0, 1, 2, 1, 3, 2 and 1: what a sender says of the total is not an answer."""
    said = understand(sample(name))
    assert list(said.answers.values()) == [0, 0, 0, 1, 2, 1, 3, 2, 1]
    assert score(said.form, said.answers).total == 10
    assert [hit.score for hit in safety_hits(said.form, said.answers)] == [1]


@of("mii-proms/QuestionnaireResponse-mii-exa-pro-phq-9-response.json")
def test_the_mii_response_names_no_canonical_and_no_link_id_of_its_form(name):
    resource = sample(name)
    assert is_known(resource)  # refused, rather than kept without being scored
    assert "must be absolute" in refusals(resource)["QuestionnaireResponse.questionnaire"]
    form = sample("mii-proms/Questionnaire-mii-qst-pro-phq-9.json")
    named = {**resource, "questionnaire": form["url"]}
    link_ids = {item["linkId"] for item in form["item"]}
    wrong = [item["linkId"] not in link_ids for item in resource["item"]]
    assert refusals(named).keys() == {
        f"QuestionnaireResponse.item[{n}].linkId" for n, each in enumerate(wrong) if each
    }
    items = [
        {**each, "linkId": each["linkId"].replace("PHQ.", "PHQ-9.")} for each in resource["item"]
    ]
    assert total({**named, "item": items}) == ("phq-9", 27)


@of("us-core-7.0.0/QuestionnaireResponse-AUDIT-C.json")
def test_the_us_core_audit_c_asks_another_question_first_and_is_kept_unscored(name):
    assert not is_known(sample(name))
    rest = {**sample(name), "questionnaire": instrument("audit-c").canonical}
    assert refusals(rest) == {
        "QuestionnaireResponse.item[0].linkId": "must be the linkId of an item of AUDIT-C 1.0.0"
    }
    del rest["item"][0]
    said = understand(rest)
    assert score(said.form, said.answers).missing == ("/68518-0",)


@of("us-core-7.0.0/Questionnaire-AUDIT-C.json")
def test_the_us_core_form_of_the_audit_c_scores_items_2_and_3_as_we_do(name):
    found = {item["linkId"]: item for item in sample(name)["item"]}
    assert "/68518-0" not in found
    for link_id in ("/68519-8", "/68520-6"):
        options = {
            option["valueCoding"]["code"]: option["extension"][1]["valueDecimal"]
            for option in found[link_id]["answerOption"]
        }
        assert options == {a.code: a.score for a in AUDIT_C.by_link_id[link_id].answers}


@of("mii-proms/ValueSet-mii-vs-pro-phq-9-answer-list-ll358-3.json")
def test_the_answers_of_the_mii_value_set_count_what_ours_do(name):
    (include,) = sample(name)["compose"]["include"]
    counted = {each["code"]: each["extension"][0]["valueDecimal"] for each in include["concept"]}
    assert counted == {answer.code: answer.score for answer in PHQ_9.items[0].answers}


@of("sdc/CodeSystem-CSPHQ9.json")
def test_the_answers_of_the_sdc_code_system_are_known_in_its_order(name):
    system = sample(name)
    ours = PHQ_9.other_answers["LL358-3"]
    found = [ours[f"{system['url']}|{concept['code']}"] for concept in system["concept"]]
    assert found == [0, 1, 2, 3]


@of("phr-format/CodeSystem-phq9-risk-codes.json", "phr-format/CodeSystem-gad7-risk-codes.json")
def test_phr_format_has_as_many_bands_as_we_do(name):
    form = PHQ_9 if "phq9" in name else GAD_7
    assert len(sample(name)["concept"]) == len(form.bands)


@of(
    "phr-format/ValueSet-observation-phq9-risk-codes.json",
    "phr-format/ValueSet-observation-gad7-risk-codes.json",
)
def test_a_value_set_of_phr_format_is_of_its_bands(name):
    kind = "phq9" if "phq9" in name else "gad7"
    (include,) = sample(name)["compose"]["include"]
    assert include["system"] == sample(f"phr-format/CodeSystem-{kind}-risk-codes.json")["url"]


@of(
    "phr-format/Observation-ScoredAssessmentGAD7Example.json",
    "phr-format/Observation-ScoredAssessmentPHQ9Example.json",
)
def test_a_scored_assessment_of_phr_format_has_our_code_and_band(name):
    score_, risk = sample(name)["component"]
    form = PHQ_9 if "PHQ9" in name else GAD_7
    assert score_["code"]["coding"][0]["code"] == form.total
    assert form.band(score_["valueInteger"]) == form.bands[0]
    assert risk["valueCodeableConcept"]["coding"][0]["code"] == "noneToMinimal"


@of("mii-proms/Observation-mii-exa-pro-phq-9-observation.json")
def test_the_mii_observation_says_a_total_by_the_code_of_the_panel(name):
    """So it is kept as it was sent, and nothing is read from it."""
    (coding,) = sample(name)["code"]["coding"]
    assert coding["code"] == PHQ_9.panel != PHQ_9.total
    assert lint.problems([PHQ_9]) == []


@of(
    *(f"us-core-7.0.0/Observation-PHQ9-item-example-{item.code}.json" for item in PHQ_9.items),
    *(f"us-core-7.0.0/Observation-AUDIT-C-item-example-{n}.json" for n in ("68519-8", "68520-6")),
)
def test_an_item_of_us_core_has_an_answer_of_our_list(name):
    observation = sample(name)
    (coding,) = observation["code"]["coding"]
    form = PHQ_9 if "PHQ9" in name else AUDIT_C
    (answer,) = observation["valueCodeableConcept"]["coding"]
    assert form.by_code[coding["code"]].answer(answer["code"]) is not None


@of("us-core-7.0.0/Observation-AUDIT-C-item-example-68517-2.json")
def test_the_first_item_of_us_cores_audit_c_is_not_of_the_audit_c(name):
    assert AUDIT_C.item(sample(name)["code"]["coding"][0]["code"]) is None


@of(
    "us-core-7.0.0/Observation-PHQ9-item-example-44261-6.json",
    "us-core-7.0.0/Observation-AUDIT-C-item-example-75626-2.json",
)
def test_a_total_of_us_core_has_the_code_that_ours_has(name):
    form = PHQ_9 if "PHQ9" in name else AUDIT_C
    assert sample(name)["code"]["coding"][0]["code"] == form.total
    categories = {c["coding"][0]["code"] for c in sample(name)["category"]}
    own = {form.us_core_category.code} if form.us_core_category else set()
    assert categories == {"survey"} | own


@of(
    "us-core-7.0.0/Observation-PHQ9-panel-example-44249-1.json",
    "us-core-7.0.0/Observation-AUDIT-C-panel-example-72109-2.json",
)
def test_a_panel_of_us_core_has_the_code_that_ours_has(name):
    form = PHQ_9 if "PHQ9" in name else AUDIT_C
    assert sample(name)["code"]["coding"][0]["code"] == form.panel


def test_every_file_has_its_test():
    assert sorted(TESTED) == names()
