"""Which references of a resource are checked, and where each leads."""

import pytest

from service.errors import InvalidElementsError
from service.fhir.mapping import Audience, ResourceType
from service.fhir.search_index import IndexRows
from service.fhir.sent_references import (
    REFERS,
    Addresses,
    Place,
    about,
    local_places,
    references,
    unsearched,
)

BASE = "https://here.example/fhir"
GIVEN = "0123456789abcdef" * 2
HERE = Addresses(BASE, Audience(number=2, uid="u", key=b"k" * 32))


def sent(**more: object) -> dict[str, object]:
    return {"resourceType": "Basic", **more}


def test_references_are_found_wherever_they_stand_but_in_what_is_contained():
    one = {"reference": f"Patient/{GIVEN}"}
    resource = sent(
        subject=one,
        extension=[{"url": "x"}, {"valueReference": one}],
        item=[{"a": {"b": [one, one]}}],
        contained=[{"resourceType": "Basic", "subject": one}],
    )
    assert [each.expression for each in references(resource, "Basic")] == [
        "Basic.subject",
        "Basic.extension[1].valueReference",
        "Basic.item[0].a.b[0]",
        "Basic.item[0].a.b[1]",
    ]


@pytest.mark.parametrize(
    "text", [f"Goal/{GIVEN}", f"{BASE}/Goal/{GIVEN}", f"Goal/{GIVEN}/_history/3"]
)
def test_relative_addresses_and_our_own_lead_here(text: str):
    assert HERE.locate(text) == Place("Goal", GIVEN)


def test_an_id_that_a_client_chose_is_stored_under_another():
    place = HERE.locate("Goal/mine")
    assert place is not None
    assert place.id == HERE.audience.id("Goal", "chosen:mine")
    other = Addresses(BASE, Audience(number=3, uid="v", key=b"k" * 32))
    assert other.locate("Goal/mine") != place


@pytest.mark.parametrize(
    "text",
    [
        "https://there.example/fhir/Goal/1",
        "https://here.example/fhirther/Goal/1",
        f"{BASE}/Goal/{GIVEN}/x",
        "#goal",
    ],
)
def test_what_is_elsewhere_or_contained_is_let_be(text: str):
    assert local_places(sent(subject={"reference": text}), HERE) == {}


@pytest.mark.parametrize(
    "text", ["", "Goal", "Goal/", "goal/1", "Goal/a_b", "Goal/../Patient/1", "Goal/1?x", "a b"]
)
def test_what_is_no_address_is_named(text: str):
    with pytest.raises(InvalidElementsError) as raised:
        local_places(sent(a={"b": [{"reference": text}]}), HERE)
    assert [problem.element for problem in raised.value.problems] == ["Basic.a.b[0]"]


GOAL = ResourceType("Goal", (), patient_path="subject")
VISIT = ResourceType("Appointment", (), patient_path="participant.actor")


def test_a_resource_is_about_its_first_patient():
    group, patient = {"reference": "Group/1"}, {"reference": f"Patient/{GIVEN}"}
    assert about(GOAL, sent(subject=patient), HERE) == Place("Patient", GIVEN)
    assert about(GOAL, sent(subject=group), HERE) is None
    several = sent(participant=[{"actor": group}, {}, {"actor": patient}])
    assert about(VISIT, several, HERE) == Place("Patient", GIVEN)


def test_a_resource_may_name_its_patient_by_an_identifier():
    number = {"system": "urn:x", "value": "1"}
    assert about(GOAL, sent(subject={"identifier": number}), HERE) == number
    assert about(GOAL, sent(subject={"type": "Group", "identifier": number}), HERE) is None
    away = {"reference": "https://there.example/Patient/1", "identifier": number}
    assert about(GOAL, sent(subject=away), HERE) is None


def test_only_what_no_parameter_leads_to_is_added():
    rows = IndexRows(references={("encounter", "e", "Encounter")})
    places = [Place("Encounter", "e"), Place("Location", "l"), Place("Patient", "p")]
    assert unsearched(rows, places) == {(REFERS, "l", "Location")}
