"""Observation/$lastn."""

import pytest

from service.models.connections import Confidentiality
from tests.api.fhir_endpoint import BASE
from tests.api.operations.conftest import refused

STRICT = {"Prefer": "handling=strict"}
OTHER = "http://example.org/codes"


def dates(answer):
    assert answer.status_code == 200, answer.text
    found = [e["resource"] for e in answer.json().get("entry", [])]
    return [
        (each["code"].get("coding", [{}])[0].get("code"), each.get("effectiveDateTime"))
        for each in found
        if each["resourceType"] == "Observation"
    ]


@pytest.fixture
def measured(scene):
    for day in ("01", "03", "02"):
        for code in ("8867-4", "9279-1"):
            scene.sender.observation(code, effectiveDateTime=f"2026-03-{day}")
    return scene


def url(scene, query=""):
    return f"Observation/$lastn?patient={scene.id}&code=8867-4,9279-1{query}"


def test_the_newest_of_each_code_comes(measured):
    found = dates(measured.endpoint.get(url(measured), measured.a))
    assert sorted(found) == [("8867-4", "2026-03-03"), ("9279-1", "2026-03-03")]


def test_as_many_come_as_are_asked_for_newest_first(measured):
    found = dates(measured.endpoint.get(url(measured, "&max=2"), measured.a))
    assert [day for code, day in found if code == "8867-4"] == ["2026-03-03", "2026-03-02"]
    assert len(found) == 4


def test_get_and_post_answer_alike(measured):
    got = measured.endpoint.get(url(measured, "&max=2"), measured.a).json()
    posted = measured.parameters(
        "Observation/$lastn", ("patient", "String", f"Patient/{measured.id}"),
        ("code", "String", "8867-4,9279-1"), ("max", "PositiveInt", 2),
    ).json()  # fmt: skip
    assert got["entry"] == posted["entry"]


def test_observations_with_a_coding_in_common_are_of_one_code(scene):
    both = [{"system": "http://loinc.org", "code": "8867-4"}, {"system": OTHER, "code": "pulse"}]
    pulse = [{"system": OTHER, "code": "pulse"}]
    scene.sender.observation(effectiveDateTime="2026-03-01")
    for day, codings in (("02", both), ("03", pulse)):
        values = {"status": "final", "code": {"coding": codings}}
        scene.sender.about("Observation", effectiveDateTime=f"2026-03-{day}", **values)
    found = dates(scene.endpoint.get(url(scene).replace("8867-4,9279-1", "8867-4,pulse"), scene.a))
    assert found == [("pulse", "2026-03-03")]


def test_texts_without_a_code_are_told_apart(scene):
    for text in ("Mood", "Mood", "Sleep"):
        scene.sender.about("Observation", status="final", code={"text": text})
    query = f"patient={scene.id}&category:missing=true"
    answer = scene.endpoint.get(f"Observation/$lastn?{query}", scene.a)
    texts = [e["resource"]["code"]["text"] for e in answer.json()["entry"]]
    assert sorted(texts) == ["Mood", "Sleep"]


def test_a_category_narrows_it(measured):
    answer = measured.endpoint.get(url(measured, "&category=survey"), measured.a)
    assert dates(answer) == []


def test_a_patient_must_be_named(scene):
    assert refused(scene.endpoint.get("Observation/$lastn", scene.a), 400, "required")
    assert refused(scene.endpoint.get("Observation/$lastn?max=0", scene.a), 400, "invalid")
    assert scene.endpoint.get(f"Observation/$lastn?subject=Patient/{scene.id}", scene.a).json()


def test_what_shapes_a_search_is_left_aside_or_refused(measured):
    answer = measured.endpoint.get(url(measured, "&_count=1&nix=1"), measured.a)
    outcomes = [e for e in answer.json()["entry"] if e["search"]["mode"] == "outcome"]
    assert len(outcomes[0]["resource"]["issue"]) == 2
    strict = measured.endpoint.get(url(measured, "&_count=1"), measured.a, headers=STRICT)
    assert refused(strict, 400, "not-supported")


def test_nobody_else_gets_them(measured):
    assert refused(measured.endpoint.client.get(f"{BASE}/{url(measured)}"), 401, "login")
    assert dates(measured.endpoint.get(url(measured), measured.b)) == []
    token = measured.endpoint.token(measured.a, "system/Observation.r")
    assert refused(measured.endpoint.get(url(measured), token=token), 403, "forbidden")


def test_nothing_above_the_ceiling_comes(scene):
    query = f"Observation/$lastn?patient={scene.id}"
    low = scene.endpoint.token(scene.a, ceiling=Confidentiality.NORMAL)
    assert dates(scene.endpoint.get(query, token=low)) == []
    assert dates(scene.endpoint.get(query, scene.a))
