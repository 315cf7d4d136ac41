"""The structure validator: what it finds and where.

https://hl7.org/fhir/R4/validation.html
"""

import copy
from decimal import Decimal

import pytest

from fhir_mappings import resources
from fhir_mappings.definitions.table import table
from fhir_mappings.structure import Issue, validate
from service.fhir.lexical import parse
from tests.fhir_mappings.responses import (
    SAMPLES,
    SECRET,
    XHTML,
    answered,
    found,
    narrated,
    response,
)

ANSWER = "item[0].answer[0]"
E_SYNTHESIS = {"resourceType": "EffectEvidenceSynthesis", "id": "e"}  # in R4, not in R4B


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_has_no_issue_and_is_left_as_it_was(path):
    value = parse(path.read_bytes()).value
    before = copy.deepcopy(value)
    assert validate(value) == []
    assert value == before


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (response(status="done"), {("status", "code-invalid")}),
        (response(status=None), {("status", "structure")}),
        (response(status=["completed"]), {("status", "value")}),
        ({"resourceType": "QuestionnaireResponse"}, {("status", "required")}),
        (response(wrong=SECRET), {("wrong", "structure")}),
        (response(**{SECRET: 1}), {("", "structure")}),
        (response(fhir_comments=["x"]), {("fhir_comments", "structure")}),
        (response(item=[]), {("item", "structure")}),
        (response(item={}), {("item", "structure")}),
        (response(item=[{}]), {("item[0]", "invariant")}),
        (response(item=[{"id": "a"}]), {("item[0]", "invariant")}),
        (response(status="completed", _status={"id": "a"}), set()),
        (response(item=[None]), {("item[0]", "structure")}),
        (response(item=[SECRET]), {("item[0]", "structure")}),
        (response(item=[{"text": "x"}]), {("item[0].linkId", "required")}),
        (response(item=[{"linkId": ""}]), {("item[0].linkId", "value")}),
        (response(item=[{"linkId": " \t"}]), {("item[0].linkId", "value")}),
        (response(item=[{"linkId": "a\x00"}]), {("item[0].linkId", "value")}),
        (response(id="a b"), {("id", "value")}),
        (response(id="x" * 65), {("id", "value")}),
        (response(language=1), {("language", "value")}),
        (response(meta={"lastUpdated": "2024-01-01"}), {("meta.lastUpdated", "value")}),
        (response(identifier={"use": "mine"}), {("identifier.use", "code-invalid")}),
        (response(questionnaire=""), {("questionnaire", "value")}),
        (response(basedOn=[{"reference": "Patient/1"}]), {("basedOn[0].reference", "value")}),
        (response(author={"type": "Group", "display": "x"}), {("author.type", "value")}),
        (response(author={"type": "Patient"}), {("author", "invariant")}),
        (response(subject={"reference": "#p"}), {("subject.reference", "invariant")}),
        (response(subject={"reference": 5}), {("subject.reference", "value")}),
        (
            response(subject={"resourceType": "Patient", "display": "x"}),
            {("subject.resourceType", "structure")},
        ),
        (
            response(contained=[{"resourceType": "Nope", "id": "n"}]),
            {("contained[0]", "structure"), ("", "invariant")},
        ),
        (
            response(contained=[{"resourceType": ["Patient"]}]),
            {("contained[0]", "structure"), ("", "invariant")},
        ),
        (response(contained=[E_SYNTHESIS], subject={"reference": "#e"}), {("", "structure")}),
        (
            response(
                contained=[{"resourceType": "Patient", "id": "p", "birthDate": SECRET}],
                subject={"reference": "#p"},
            ),
            {("contained[0].birthDate", "value")},
        ),
        (answered(valueCoding={"code": 5}), {(f"{ANSWER}.value.code", "value")}),
        (answered(valueString="x", valueCoding={"code": "y"}), {(f"{ANSWER}.value", "structure")}),
        (answered(valueString=SECRET, _valueString={}), {(f"{ANSWER}.value", "invariant")}),
        (answered(valueInteger=True), {(f"{ANSWER}.value", "value")}),
        (answered(valueInteger=Decimal("2.0")), {(f"{ANSWER}.value", "value")}),
        (answered(valueInteger=2**31), {(f"{ANSWER}.value", "value")}),
        (answered(valueDecimal="72.50"), {(f"{ANSWER}.value", "value")}),
        (
            answered(valueAttachment={"contentType": "text/plain", "data": "a"}),
            {(f"{ANSWER}.value.data", "value")},
        ),
        (answered(valueAttachment={"data": "aGk="}), {(f"{ANSWER}.value", "invariant")}),
        (answered(valueQuantity={"code": "kg"}), {(f"{ANSWER}.value", "invariant")}),
        (answered(valueAge=1), {(f"{ANSWER}.valueAge", "structure")}),
        (answered(extension=[{"url": "http://x"}]), {(f"{ANSWER}.extension[0]", "invariant")}),
        (answered(extension=[{"valueCode": "x"}]), {(f"{ANSWER}.extension[0].url", "required")}),
        (
            response(
                item=[
                    {"linkId": "1", "answer": [{"valueBoolean": True}], "item": [{"linkId": "2"}]}
                ]
            ),
            {("item[0]", "invariant")},
        ),
        (narrated(f"<div {XHTML}><script>x</script></div>"), {("text.div", "invariant")}),
        (narrated(f'<div {XHTML} onclick="x">x</div>'), {("text.div", "invariant")}),
        (
            narrated(f'<div {XHTML}><a href=" javascript:x">x</a></div>'),
            {("text.div", "invariant")},
        ),
        (narrated(f"<!DOCTYPE d []><div {XHTML}>x</div>"), {("text.div", "invariant")}),
    ],
)
def test_each_broken_rule_is_found_at_its_place(resource, expected):
    assert found(resource) == expected


@pytest.mark.parametrize(
    "text",
    [
        "2024-02-30",
        "2023-02-29T10:00:00Z",
        "2024-13",
        "2024-1-1",
        "0000",
        "2024-01-01T10:00:00",
        "2024-01-01T10:00Z",
        "2024-01-01T25:00:00Z",
        "2024-01-01T10:00:00+15:00",
        "20240101",
        "",
        "2024-01-01\n",
        "٢٠٢٤",
    ],
)
def test_an_impossible_or_imprecise_time_is_refused(text):
    assert found(response(authored=text)) == {("authored", "value")}


@pytest.mark.parametrize(
    "text",
    [
        "2024",
        "2024-02",
        "2024-02-29",
        "2024-02-29T10:00:00Z",
        "2024-02-29T10:00:00.123456789+01:00",
    ],
)
def test_each_precision_of_a_date_time_is_accepted(text):
    assert found(response(authored=text)) == set()


@pytest.mark.parametrize(
    "resource",
    [
        answered(_valueString={"extension": [{"url": "http://x", "valueCode": "unknown"}]}),
        response(subject={"identifier": {"value": "1"}}),
        response(subject={"reference": "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"}),
        response(source={"reference": "https://ehr.example/fhir/Patient/1/_history/2"}),
        narrated(f"<div {XHTML}>a&nbsp;<b>b</b></div>"),
        {
            "resourceType": "Patient",
            "name": [{"given": ["A", None], "_given": [None, {"id": "x"}]}],
        },
    ],
)
def test_what_r4_allows_is_accepted(resource):
    assert found(resource) == set()


def test_a_bundle_entry_resolves_its_own_contained_resources():
    entry = response(
        contained=[{"resourceType": "Patient", "id": "p"}], subject={"reference": "#p"}
    )
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": entry}]}
    assert found(bundle) == set()
    entry["status"] = "done"
    assert found(bundle) == {("entry[0].resource.status", "code-invalid")}


@pytest.mark.parametrize(
    ("resource", "code"),
    [
        ({}, "structure"),
        ({"resourceType": None}, "structure"),
        ({"resourceType": [SECRET]}, "structure"),
        ({"resourceType": SECRET}, "structure"),
        ({"resourceType": "Medication"}, "not-supported"),
    ],
)
def test_another_resource_type_is_refused(resource, code):
    assert {code for _, code in found(resource)} == {code}


def test_the_table_and_the_library_know_the_same_resources():
    assert table().resources == resources.TYPES
    assert all(resources.model_for(name).get_resource_type() == name for name in resources.TYPES)
    with pytest.raises(KeyError):
        resources.model_for("Medication")


def test_an_issue_names_the_element_and_the_rule():
    assert validate(
        response(status=SECRET, item=[{"linkId": "1", "answer": [{"valueDate": SECRET}]}])
    ) == [
        Issue(
            "error",
            "code-invalid",
            "QuestionnaireResponse.status",
            "The code must be one of: amended, completed, entered-in-error, in-progress, stopped",
        ),
        Issue(
            "error",
            "value",
            "QuestionnaireResponse.item[0].answer[0].value",
            "The value is not a valid date",
        ),
    ]
