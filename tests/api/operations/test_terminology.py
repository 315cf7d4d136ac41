"""ValueSet/$expand, and $validate-code of value sets and code systems."""

import pytest

from tests.api.fhir_endpoint import BASE
from tests.api.operations.conftest import refused

GENDERS = "http://hl7.org/fhir/ValueSet/administrative-gender"
SYSTEM = "http://hl7.org/fhir/administrative-gender"
MODALITY = "https://alongside.example/fhir/ValueSet/modality"
MALE = {"system": SYSTEM, "code": "male", "display": "Male"}


def codes(answer):
    assert answer.status_code == 200, answer.text
    return [each["code"] for each in answer.json()["expansion"].get("contains", [])]


def result(answer):
    assert answer.status_code == 200, answer.text
    found = {each["name"]: each for each in answer.json()["parameter"]}
    return found["result"]["valueBoolean"]


def test_a_set_is_expanded_with_displays(scene):
    answer = scene.endpoint.get(f"ValueSet/$expand?url={GENDERS}", scene.a)
    assert sorted(codes(answer)) == ["female", "male", "other", "unknown"]
    assert MALE in answer.json()["expansion"]["contains"]
    posted = scene.parameters("ValueSet/$expand", ("url", "Uri", GENDERS))
    assert codes(posted) == codes(answer)


def test_an_expansion_is_filtered_and_paged(scene):
    url = f"ValueSet/$expand?url={GENDERS}"
    assert sorted(codes(scene.endpoint.get(f"{url}&filter=MALE", scene.a))) == ["female", "male"]
    whole = codes(scene.endpoint.get(url, scene.a))
    page = scene.endpoint.get(f"{url}&offset=1&count=2", scene.a)
    assert codes(page) == whole[1:3]
    assert page.json()["expansion"]["total"] == 4
    assert codes(scene.endpoint.get(f"{url}&count=0", scene.a)) == []


def test_a_version_is_one_that_is_carried(scene):
    assert codes(scene.endpoint.get(f"ValueSet/$expand?url={GENDERS}|4.0.1", scene.a))
    answer = scene.endpoint.get(f"ValueSet/$expand?url={GENDERS}&valueSetVersion=9", scene.a)
    assert refused(answer, 404, "not-found")


def test_a_set_of_ours_is_found_by_its_id_too(scene):
    (own,) = scene.endpoint.resources(f"ValueSet?url={MODALITY}", scene.a)
    assert codes(scene.endpoint.get(f"ValueSet/{own['id']}/$expand", scene.a)) == [
        "in-person", "virtual",
    ]  # fmt: skip
    path = f"ValueSet/{own['id']}/$validate-code?system={own['compose']['include'][0]['system']}"
    assert result(scene.endpoint.get(f"{path}&code=virtual", scene.a))
    assert not result(scene.endpoint.get(f"{path}&code=telepathic", scene.a))


@pytest.mark.parametrize(
    ("given", "right"),
    [
        ([("code", "Code", "male"), ("system", "Uri", SYSTEM)], True),
        ([("code", "Code", "men"), ("system", "Uri", SYSTEM)], False),
        ([("code", "Code", "male"), ("system", "Uri", "urn:other")], False),
        ([("coding", "Coding", MALE)], True),
        ([("coding", "Coding", {**MALE, "display": "Female"})], False),
        ([("codeableConcept", "CodeableConcept", {"coding": [{"system": "u", "code": "x"}, MALE]})],
         True),
    ],
)  # fmt: skip
def test_a_code_is_judged_however_it_is_given(scene, given, right):
    answer = scene.parameters("ValueSet/$validate-code", ("url", "Uri", GENDERS), *given)
    assert result(answer) is right


def test_a_code_of_a_system_is_judged(scene):
    path = f"CodeSystem/$validate-code?url={SYSTEM}"
    assert result(scene.endpoint.get(f"{path}&code=male&display=male", scene.a))
    assert not result(scene.endpoint.get(f"{path}&code=male&display=Female", scene.a))
    assert not result(scene.endpoint.get(f"{path}&code=men", scene.a))
    (own,) = scene.endpoint.resources("CodeSystem?name=Flag", scene.a)
    answer = scene.endpoint.get(
        f"CodeSystem/{own['id']}/$validate-code?code=safety-follow-up", scene.a
    )
    assert result(answer)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("ValueSet/$expand?url=urn:none", 404, "not-found"),
        ("ValueSet/$expand", 400, "required"),
        (f"ValueSet/$expand?url={GENDERS}&count=many", 400, "invalid"),
        ("ValueSet/none/$expand", 404, "not-found"),
        ("ValueSet/$validate-code?url=urn:none&code=a&system=b", 404, "not-found"),
        (f"ValueSet/$validate-code?url={GENDERS}&code=male", 400, "required"),
        (f"ValueSet/$validate-code?url={GENDERS}&system={SYSTEM}", 400, "required"),
        ("CodeSystem/$validate-code?url=http://loinc.org&code=8867-4", 404, "not-found"),
        ("CodeSystem/$validate-code?code=male", 400, "required"),
    ],
)
def test_what_is_not_carried_or_not_said_is_refused(scene, path, status, code):
    assert refused(scene.endpoint.get(path, scene.a), status, code)


def test_it_takes_a_token_that_may_read_the_type(scene):
    for path in (f"ValueSet/$expand?url={GENDERS}", "CodeSystem/$validate-code?url=u&code=c"):
        assert refused(scene.endpoint.client.get(f"{BASE}/{path}"), 401, "login")
        token = scene.endpoint.token(scene.a, "system/Patient.rs")
        assert refused(scene.endpoint.get(path, token=token), 403, "forbidden")
