"""A response as its sender sent it, corrected here, and understood.

https://hl7.org/fhir/R4/questionnaireresponse.html
"""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_mappings.answers import understand
from fhir_mappings.instrument_codes import answer_coding
from fhir_mappings.questionnaire_response import to_command, to_correction
from service.errors import (
    AlongsideError,
    BusinessRuleError,
    InvalidElementsError,
    RequiredError,
    ValueSetError,
)
from service.fhir.lexical import parse
from service.fhir.mapping import Owner
from service.instruments import all_versions, instrument
from service.models.screening import ResponseStatus
from tests.fhir_mappings import fixed_facts as f

NOW = datetime(2026, 1, 7, tzinfo=UTC)
PHQ9 = instrument("phq-9")
FIRST = PHQ9.items[0]


def members(**more):
    facts = f.sent_response(**more)
    return f.one("QuestionnaireResponse", "response", facts, f.OF_NOTHING).members


def response(*items, **more):
    return {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": PHQ9.canonical,
        "status": "completed",
        "authored": "2026-01-06T15:00:00-05:00",
        "item": list(items),
        **more,
    }


def item(link_id=FIRST.link_id, **answer):
    return {"linkId": link_id, "answer": [answer]}


def coded(code, system="http://loinc.org"):
    return {"valueCoding": {"system": system, "code": code}}


def problems(resource):
    with pytest.raises(InvalidElementsError) as caught:
        understand(resource)
    return {(problem.element, problem.code) for problem in caught.value.problems}


def test_a_sender_reads_its_own_bytes():
    assert members() == parse(f.SENT).members
    assert members()["item"] == '[{"linkId":"14363","answer":[{"valueDecimal":1.00}]}]'


def test_the_sender_may_change_what_it_sent_and_nobody_else():
    owners = {
        view.audience.uid: f.one("QuestionnaireResponse", "response", f.sent_response(), view).owner
        for view in (f.OF_NOTHING, f.OF_PROGRAMME)
    }
    assert owners == {f.A.uid: Owner.SHARED, "programme": Owner.PROGRAMME}


def test_a_corrected_status_leaves_the_answers_as_sent():
    corrected = members(status=ResponseStatus.ENTERED_IN_ERROR)
    sent = parse(f.SENT).members
    assert corrected == {
        **{name: text for name, text in sent.items() if name != "text"},
        "status": '"entered-in-error"',
    }


def test_corrected_answers_replace_the_items_and_the_narrative():
    corrected = members(status=ResponseStatus.AMENDED, answers={"/44250-9": 2})
    assert "text" not in corrected
    assert corrected["questionnaire"] == f'"{PHQ9.canonical}"'
    assert "LA6570-1" in corrected["item"]
    assert corrected["authored"] == '"2026-01-06T15:00:00-05:00"'


def test_corrected_to_no_answer_there_is_no_item():
    assert "item" not in members(answers={})


def test_a_corrected_time_replaces_the_senders():
    assert members(authored=f.at(5))["authored"] == '"2026-01-05T18:00:00Z"'


def test_a_response_without_a_time_is_found_by_its_arrival_and_claims_no_profile():
    received = f.SENT.replace(b'"authored":"2026-01-06T15:00:00-05:00",', b"")
    facts = f.sent_response(received=received)
    draft = f.one("QuestionnaireResponse", "response", facts, f.OF_NOTHING)
    assert "authored" not in draft.members
    assert draft.resource["authored"] == "2026-01-06T20:00:00Z"
    assert draft.profiles == ()


def test_others_read_the_answers_from_the_rows():
    draft = f.one("QuestionnaireResponse", "response", f.sent_response(), f.OF_PROGRAMME)
    assert draft.members is None
    assert draft.resource["item"][0]["linkId"] == "/44250-9"
    assert draft.resource["authored"] == "2026-01-06T20:00:00Z"


def test_a_response_becomes_a_command():
    command = to_command(
        parse(f.SENT).value,
        patient_id=f.PERSON,
        connection_id=f.HOSPITAL_A,
        received=f.SENT,
        now=NOW,
    )
    assert (command.instrument, command.answers) == ("phq-9", {"/44250-9": 1})
    assert command.authored == datetime(2026, 1, 6, 20, tzinfo=UTC)
    assert command.received == f.SENT


def test_without_a_time_it_was_answered_now():
    resource = response()
    del resource["authored"]
    command = to_command(resource, patient_id=f.PERSON, connection_id=None, received=b"", now=NOW)
    assert command.authored == NOW


def test_a_correction_stays_with_its_questionnaire():
    def corrected(name):
        return to_correction(
            response(item(**coded("LA6570-1")), status="amended"),
            response_id=f.PERSON,
            instrument=name,
            corrected_by="hospital-a",
            received=b"{}",
            if_match=3,
        )

    command = corrected("phq-9")
    assert command.answers == {"/44250-9": 2}
    assert (command.status, command.if_match) == (ResponseStatus.AMENDED, 3)
    with pytest.raises(BusinessRuleError) as caught:
        corrected("gad-7")
    assert caught.value.element == "QuestionnaireResponse.questionnaire"


@pytest.mark.parametrize(
    "answer",
    [coded("LA6569-3"), {"valueInteger": 1}, {"valueDecimal": Decimal("1.0")}],
    ids=["coding", "integer", "decimal"],
)
@pytest.mark.parametrize("link_id", ["/44250-9", "44250-9", "14363"])
def test_an_answer_is_read_by_code_or_score_and_any_known_link_id(answer, link_id):
    assert understand(response(item(link_id, **answer))).answers == {"/44250-9": 1}


@pytest.mark.parametrize("form", all_versions(), ids=lambda form: form.id)
def test_every_option_of_every_instrument_is_understood(form):
    for each in form.items:
        for option in each.answers:
            shown = {"valueCoding": answer_coding(form, each, option)}
            resource = response(item(each.link_id, **shown), questionnaire=form.canonical)
            assert understand(resource).answers == {each.link_id: option.value}


def test_items_are_found_inside_groups_and_answers():
    inner = item("/44255-8", valueInteger=2)
    outer = {"linkId": "group", "item": [{**item(valueInteger=1)}]}
    outer["item"][0]["answer"][0]["item"] = [inner]
    assert understand(response(outer)).answers == {"/44250-9": 1, "/44255-8": 2}


def test_the_senders_total_is_no_answer():
    said = understand(response(item("/44261-6", valueDecimal=27), item("14372", valueInteger=27)))
    assert said.answers == {}


def test_an_unanswered_item_is_missing_and_not_zero():
    assert understand(response({"linkId": "/44250-9"}, item("/44255-8"))).answers == {}


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        ([item(valueInteger=4)], {(".item[0].answer[0].value", "value")}),
        ([item(valueDecimal=Decimal("0.5"))], {(".item[0].answer[0].value", "value")}),
        ([item(valueBoolean=True)], {(".item[0].answer[0].value", "value")}),
        ([item(valueInteger=True)], {(".item[0].answer[0].value", "value")}),
        ([item(valueString="SECRET")], {(".item[0].answer[0].value", "value")}),
        ([item(**coded("LA6572-7"))], {(".item[0].answer[0].value", "code-invalid")}),
        ([item(**coded("LA6569-3", "urn:x"))], {(".item[0].answer[0].value", "code-invalid")}),
        ([item(valueCoding=[])], set()),
        ([item("/1", valueInteger=1)], {(".item[0].linkId", "value")}),
        ([item(valueInteger=1), item(valueInteger=1)], {(".item[1].linkId", "value")}),
        (
            [{"linkId": "/44250-9", "answer": [{"valueInteger": 1}, {"valueInteger": 2}]}],
            {(".item[0].answer", "value")},
        ),
        (
            [{"linkId": "g", "item": [item(valueInteger=1), item("/44255-8", valueInteger=9)]}],
            {(".item[0].item[1].answer[0].value", "value")},
        ),
    ],
)
def test_what_is_wrong_is_named_and_never_repeated(nodes, expected):
    expected = expected or {(".item[0].answer[0].value", "code-invalid")}
    found = problems(response(*nodes))
    assert found == {("QuestionnaireResponse" + element, code) for element, code in expected}
    with pytest.raises(InvalidElementsError) as caught:
        understand(response(*nodes))
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize(
    "authored",
    ["2026", "2026-01", "2026-01-06T15:00:00", "2026-13-01", "0001-01-01T00:00:00+14:00", 5, ""],
)
def test_a_time_that_is_none_is_refused(authored):
    found = problems(response(authored=authored))
    assert found == {("QuestionnaireResponse.authored", "value")}


def test_a_day_is_time_enough():
    assert understand(response(authored="2026-01-06")).authored == datetime(2026, 1, 6, tzinfo=UTC)


def test_all_problems_come_together():
    found = problems(response(item(valueInteger=9), status="done", authored="x"))
    assert {element for element, _ in found} == {
        "QuestionnaireResponse.item[0].answer[0].value",
        "QuestionnaireResponse.status",
        "QuestionnaireResponse.authored",
    }
    assert problems({"questionnaire": PHQ9.canonical}) == {
        ("QuestionnaireResponse.status", "required")
    }


@pytest.mark.parametrize("canonical", ["http://loinc.org/q/0-0", PHQ9.url + "|9", 3])
def test_an_unknown_questionnaire_is_refused_with_those_that_are_known(canonical):
    with pytest.raises(ValueSetError) as caught:
        understand(response(questionnaire=canonical))
    assert caught.value.element == "QuestionnaireResponse.questionnaire"
    assert PHQ9.canonical in caught.value.message
    assert "http://loinc.org/q/44249-1" in caught.value.message


def test_a_questionnaire_must_be_named():
    with pytest.raises(RequiredError):
        understand({"status": "completed"})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9) | st.just("/44250-9"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["linkId", "answer", "item", "valueCoding", "valueInteger", "code"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON, JSON, JSON)
def test_whatever_is_sent_is_understood_or_refused(items, status, authored):
    resource = {
        "questionnaire": PHQ9.canonical,
        "item": items,
        "status": status,
        "authored": authored,
    }
    try:
        found = set(understand(resource).answers)
    except AlongsideError as error:
        found = {problem.element for problem in error.problems}
    assert "" not in found
