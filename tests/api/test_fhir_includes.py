import pytest

from service.models.connections import Confidentiality
from tests import world
from tests.api.fhir_endpoint import Endpoint
from tests.api.sent import Sender, reference


@pytest.fixture
def sender(endpoint: Endpoint) -> Sender:
    hospital = world.hospital(endpoint.context.database)
    world.linked(endpoint.context.database, hospital)
    return Sender(endpoint, hospital, endpoint.patient_id(hospital))


def found(sender: Sender, path: str, **more) -> dict[str, list[str]]:
    """What a page holds: references by search mode."""
    page = sender.endpoint.get(path, sender.hospital, **more).json()
    assert page["resourceType"] == "Bundle", page
    modes: dict[str, list[str]] = {}
    for entry in page.get("entry", []):
        name, resource = entry["resource"]["resourceType"], entry["resource"]
        text = f"{name}/{resource['id']}" if "id" in resource else name
        modes.setdefault(entry["search"]["mode"], []).append(text)
    return modes


def test_the_patient_comes_along_once(sender: Sender):
    for _ in range(3):
        sender.encounter()
    page = found(sender, f"Encounter?patient={sender.patient}&_include=Encounter:patient")
    assert len(page["match"]) == 3
    assert page["include"] == [f"Patient/{sender.patient}"]


def test_a_reference_brings_what_it_leads_to(sender: Sender):
    visit = sender.encounter()
    sender.observation(encounter=reference(visit))
    sender.observation(code="9279-1")
    query = "Observation?code=8867-4&_include=Observation:encounter"
    assert found(sender, query)["include"] == [f"Encounter/{visit['id']}"]
    both = "&_include=Observation:encounter:Encounter&_include=Observation:subject:Patient"
    page = found(sender, f"Observation?code=8867-4{both}")
    assert set(page["include"]) == {f"Encounter/{visit['id']}", f"Patient/{sender.patient}"}


def test_what_refers_to_a_match_comes_along(sender: Sender):
    visit = sender.encounter()
    pulse = sender.observation(encounter=reference(visit))
    page = found(sender, f"Encounter?_id={visit['id']}&_revinclude=Observation:encounter")
    assert page["include"] == [f"Observation/{pulse['id']}"]
    about = found(sender, f"Patient?_id={sender.patient}&_revinclude=Observation:patient")
    assert about["include"] == [f"Observation/{pulse['id']}"]


def test_iterate_follows_what_was_brought_along(sender: Sender):
    first = sender.encounter()
    second = sender.encounter(partOf=reference(first))
    third = sender.encounter(partOf=reference(second))
    query = f"Encounter?_id={third['id']}&_include"
    once = found(sender, f"{query}=Encounter:part-of")
    again = found(sender, f"{query}:iterate=Encounter:part-of")
    old = found(sender, f"{query}:recurse=Encounter:part-of")
    assert once["include"] == [f"Encounter/{second['id']}"]
    assert set(again["include"]) == {f"Encounter/{each['id']}" for each in (first, second)}
    assert old == again


def test_iterate_goes_from_type_to_type(sender: Sender):
    visit = sender.encounter()
    pulse = sender.observation(encounter=reference(visit))
    page = found(
        sender,
        f"Observation?_id={pulse['id']}&_include=Observation:encounter"
        "&_include:iterate=Encounter:patient",
    )
    assert page["include"] == [f"Encounter/{visit['id']}", f"Patient/{sender.patient}"]


def test_a_match_does_not_come_along_as_well(sender: Sender):
    first = sender.encounter()
    sender.encounter(partOf=reference(first))
    page = found(sender, "Encounter?_include=Encounter:part-of")
    assert len(page["match"]) == 2
    assert "include" not in page


def test_a_star_brings_every_reference_that_the_token_may_read(sender: Sender):
    visit = sender.encounter()
    sender.observation(encounter=reference(visit))
    everything = found(sender, "Observation?_include=Observation:*")
    assert len(everything["include"]) == 2
    assert found(sender, "Observation?_include=*") == everything
    token = sender.endpoint.token(sender.hospital, "system/Observation.rs system/Encounter.r")
    less = found(sender, "Observation?_include=Observation:*", token=token)
    assert less["include"] == [f"Encounter/{visit['id']}"]


def test_what_the_token_may_not_read_is_refused_where_it_is_named(sender: Sender):
    sender.observation()
    get = sender.endpoint.get
    token = sender.endpoint.token(sender.hospital, "system/Observation.rs")
    answer = get("Observation?_include=Observation:encounter", token=token)
    assert (answer.status_code, answer.json()["issue"][0]["code"]) == (403, "forbidden")
    answer = get("Observation?_revinclude=Provenance:target", token=token)
    assert answer.status_code == 403


def test_a_roster_is_never_brought_along(sender: Sender):
    database = sender.endpoint.context.database
    person = world.linked(database, sender.hospital)
    circle = world.group(database)
    world.enroll(database, person, circle)
    assert sender.endpoint.ids("Group", sender.hospital)
    (patient,) = sender.endpoint.ids("Patient?_sort=-_lastUpdated&_count=1", sender.hospital)[:1]
    page = found(sender, f"Patient?_id={patient}&_revinclude=Observation:patient")
    assert "include" not in page
    answer = sender.endpoint.get(f"Patient?_id={patient}&_revinclude=Group:member", sender.hospital)
    assert answer.status_code == 403


def test_what_is_above_the_ceiling_is_not_brought_along(sender: Sender):
    database = sender.endpoint.context.database
    person = world.linked(database, sender.hospital)
    world.respond(database, person, world.phq9(3, item9=2), connection_id=sender.hospital.id)
    query = "QuestionnaireResponse?_revinclude=Flag:patient&_include=QuestionnaireResponse:subject"
    low = sender.endpoint.token(sender.hospital, ceiling=Confidentiality.NORMAL)
    answer = sender.endpoint.get(query, token=low).json()
    kinds = {entry["resource"]["resourceType"] for entry in answer.get("entry", [])}
    assert kinds <= {"Patient"}


def test_a_questionnaire_is_found_by_its_address(sender: Sender):
    database = sender.endpoint.context.database
    person = world.linked(database, sender.hospital)
    world.respond(database, person, world.phq9(1), connection_id=sender.hospital.id)
    query = "QuestionnaireResponse?_include=QuestionnaireResponse:questionnaire"
    (questionnaire,) = found(sender, query)["include"]
    assert questionnaire.startswith("Questionnaire/")


@pytest.mark.parametrize("value", ["Encounter", "Encounter:", ":patient", "a:b:c:d"])
def test_an_include_has_a_type_and_a_parameter(sender: Sender, value: str):
    answer = sender.endpoint.get(f"Encounter?_include={value}", sender.hospital)
    assert (answer.status_code, answer.json()["issue"][0]["code"]) == (400, "invalid")


def test_a_text_summary_brings_nothing_along(sender: Sender):
    query = "Encounter?_include=Encounter:patient&_summary=text"
    assert sender.endpoint.get(query, sender.hospital).status_code == 400


def test_what_is_too_much_for_a_page_is_left_out_and_said(sender: Sender, monkeypatch):
    monkeypatch.setattr("service.fhir.searchset.MOST", 2)
    for _ in range(3):
        sender.observation()
    page = found(sender, f"Patient?_id={sender.patient}&_revinclude=Observation:patient")
    assert len(page["include"]) == 2
    assert page["outcome"] == ["OperationOutcome"]


@pytest.mark.parametrize("value", ["Nothing:patient", "Encounter:colour", "Encounter:status"])
def test_an_include_that_is_not_served_is_reported_or_refused(sender: Sender, value: str):
    query = f"Encounter?_include={value}"
    assert list(found(sender, query)) == ["outcome"]
    strict = sender.endpoint.get(query, sender.hospital, headers={"Prefer": "handling=strict"})
    assert strict.status_code == 400


def test_the_audit_row_names_whom_the_included_are_about(sender: Sender):
    sender.encounter()
    sender.endpoint.get("Encounter?_include=Encounter:patient", sender.hospital)
    assert sender.endpoint.audited()[3] is not None
