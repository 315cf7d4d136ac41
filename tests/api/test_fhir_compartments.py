"""Searches of one patient's compartment, of several types, of everything."""

import pytest

from service.models.connections import Connection
from tests import world
from tests.api.fhir_endpoint import Endpoint
from tests.api.sent import Sender, reference

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
STRICT = {"Prefer": "handling=strict"}


@pytest.fixture
def hospital(endpoint: Endpoint) -> Connection:
    return world.hospital(endpoint.context.database)


@pytest.fixture
def sender(endpoint: Endpoint, hospital: Connection) -> Sender:
    world.linked(endpoint.context.database, hospital)
    return Sender(endpoint, hospital, endpoint.patient_id(hospital))


def other_patient(sender: Sender) -> Sender:
    world.linked(sender.endpoint.context.database, sender.hospital)
    ids = sender.endpoint.ids("Patient", sender.hospital)
    (patient,) = [each for each in ids if each != sender.patient]
    return Sender(sender.endpoint, sender.hospital, patient)


def test_a_compartment_has_what_is_about_its_patient(sender: Sender):
    mine = sender.observation()
    other_patient(sender).observation()
    ids = sender.endpoint.ids(f"Patient/{sender.patient}/Observation", sender.hospital)
    assert ids == [mine["id"]]
    found = sender.endpoint.ids(f"Patient/{sender.patient}/Observation?code=no", sender.hospital)
    assert found == []


def test_a_compartment_has_what_its_patient_took_part_in(sender: Sender):
    other = other_patient(sender)
    told = other.observation(performer=[{"reference": f"Patient/{sender.patient}"}])
    mine = sender.observation()
    ids = sender.endpoint.ids(f"Patient/{sender.patient}/Observation?_sort=_id", sender.hospital)
    assert ids == sorted([told["id"], mine["id"]])


def test_a_star_has_every_type_but_no_roster(sender: Sender):
    database = sender.endpoint.context.database
    person = world.patient(database)
    world.link(database, person, sender.hospital)
    world.consent(database, person, sender.hospital)
    world.enroll(database, person, world.group(database))
    (member,) = [
        each for each in sender.endpoint.ids("Patient", sender.hospital) if each != sender.patient
    ]
    assert sender.endpoint.ids("Group", sender.hospital)
    found = sender.endpoint.resources(f"Patient/{member}/*?_count=2", sender.hospital)
    kinds = {each["resourceType"] for each in found}
    assert {"Patient", "EpisodeOfCare", "Consent"} <= kinds
    assert "Group" not in kinds
    assert len({(each["resourceType"], each["id"]) for each in found}) == len(found)
    some = sender.endpoint.resources(
        f"Patient/{member}/*?_type=EpisodeOfCare,Consent", sender.hospital
    )
    assert {each["resourceType"] for each in some} == {"EpisodeOfCare", "Consent"}


def test_a_task_is_in_by_the_patient_whom_it_is_for(sender: Sender):
    task = sender.send(
        "Task",
        status="requested",
        intent="order",
        **{"for": {"reference": f"Patient/{sender.patient}"}},
    )
    ids = sender.endpoint.ids(f"Patient/{sender.patient}/Task", sender.hospital)
    assert ids == [task["id"]]


def test_the_compartment_of_who_is_not_seen_is_not_found(sender: Sender):
    other = world.hospital(sender.endpoint.context.database, "B")
    get = sender.endpoint.get
    unknown = get(f"Patient/{'0' * 32}/Observation", sender.hospital)
    foreign = get(f"Patient/{sender.patient}/Observation", other)
    assert (unknown.status_code, foreign.status_code) == (404, 404)
    assert unknown.content == foreign.content
    path = f"Patient/{sender.patient}"
    assert get(f"{path}/Group", sender.hospital).status_code == 404
    assert get(f"{path}/Organization", sender.hospital).status_code == 404
    few = sender.endpoint.token(sender.hospital, "system/Observation.rs")
    assert get(f"{path}/Observation", token=few).status_code == 403
    none = sender.endpoint.token(sender.hospital, "system/Patient.rs")
    assert get(f"{path}/Observation", token=none).status_code == 403


def test_a_compartment_is_searched_by_post_too(sender: Sender):
    mine = sender.observation()
    path = f"Patient/{sender.patient}/Observation/_search"
    page = sender.endpoint.request(
        "POST", path, sender.hospital, content="code=8867-4", headers=FORM
    ).json()
    assert [each["resource"]["id"] for each in page["entry"]] == [mine["id"]]


def test_several_types_are_searched_at_once_over_pages(sender: Sender):
    for _ in range(3):
        sender.observation(encounter=reference(sender.encounter()))
    query = "?_type=Observation,Encounter"
    for sort in ("_id", "-_lastUpdated", "status,-date", "-_id"):
        found = sender.endpoint.resources(f"{query}&_sort={sort}&_count=2", sender.hospital)
        kinds = [each["resourceType"] for each in found]
        assert (kinds.count("Observation"), kinds.count("Encounter")) == (3, 3)
        assert len({each["id"] for each in found}) == 6
    by_post = sender.endpoint.request(
        "POST", "_search", sender.hospital, content="_type=Observation,Encounter", headers=FORM
    ).json()
    assert len(by_post["entry"]) == 6
    counted = sender.endpoint.get(f"{query}&_summary=count", sender.hospital).json()
    assert counted["total"] == 6


def test_only_parameters_of_all_types_are_used(sender: Sender):
    sender.observation(encounter=reference(sender.encounter()))
    query = f"?_type=Observation,Encounter&patient={sender.patient}&code=x"
    page = sender.endpoint.get(query, sender.hospital).json()
    modes = [each["search"]["mode"] for each in page["entry"]]
    assert modes == ["match", "match", "outcome"]
    assert "code" not in page["link"][0]["url"]
    assert sender.endpoint.get(query, sender.hospital, headers=STRICT).status_code == 400


def test_without_types_all_that_the_token_may_search_are_searched(sender: Sender):
    mine = sender.observation()
    token = sender.endpoint.token(sender.hospital, "system/Observation.rs system/Encounter.r")
    page = sender.endpoint.get(f"?_id={mine['id']}", token=token).json()
    assert [each["resource"]["id"] for each in page["entry"]] == [mine["id"]]
    everything = sender.endpoint.resources("?_count=5", sender.hospital)
    assert {"Observation", "Patient", "Organization", "Questionnaire"} <= {
        each["resourceType"] for each in everything
    }
    assert sender.endpoint.get("?_type=Encounter", token=token).status_code == 403
    assert sender.endpoint.get("?_type=Nothing", token=token).status_code == 400
