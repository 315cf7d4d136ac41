"""What is due, found through FHIR: whoever asks next has what the clock brought meanwhile."""

from datetime import timedelta

import pytest

from service.commands import MeasurementPlan
from service.models.connections import Confidentiality
from tests import world
from tests.api.fhir_endpoint import open_endpoint

DUE = "Task?code=http://hl7.org/fhir/uv/sdc/CodeSystem/temp|complete-questionnaire"
DAY = timedelta(days=1)


class Earlier:
    """A clock that a test brings nearer to the present."""

    def __init__(self):
        self.behind = 29 * DAY

    def __call__(self):
        return world.now() - self.behind


@pytest.fixture
def clock():
    return Earlier()


@pytest.fixture
def endpoint(database_url, tmp_path, clock):
    with open_endpoint(database_url, tmp_path, clock) as opened:
        yield opened


@pytest.fixture
def person(endpoint):
    """Somebody who joined thirty days ago, which is yesterday by the clock."""
    database = endpoint.context.database
    weekly = MeasurementPlan(instrument="phq-9", every_weeks=1)
    found = world.patient(database)
    world.enroll(database, found, world.group(database, measurement=(weekly,)))
    return found


@pytest.mark.usefixtures("person")
def test_a_search_settles_what_became_due(endpoint, clock):
    patient = endpoint.patient_id()
    (asked,) = endpoint.resources(f"{DUE}&status=requested&patient={patient}")
    url = asked["input"][0]["valueCanonical"]
    (form,) = endpoint.resources(f"Questionnaire?url={url}")
    assert form["name"] == "PHQ9"
    clock.behind = 22 * DAY  # eight days after they joined
    begun = asked["authoredOn"][:10]
    newer = endpoint.resources(f"{DUE}&patient={patient}&authored-on=gt{begun}")
    assert [each["status"] for each in newer] == ["requested"]
    (former,) = endpoint.resources(f"{DUE}&status=cancelled")
    assert former["id"] == asked["id"]


def test_an_answer_is_found_from_its_task(endpoint, person, clock):
    clock.behind = timedelta()
    world.respond(endpoint.context.database, person)
    (done,) = endpoint.resources(f"{DUE}&status=completed&_sort=-authored-on")
    answer = endpoint.get(done["output"][0]["valueReference"]["reference"])
    assert answer.json()["item"]


def test_a_hospital_finds_none(endpoint, person):
    database = endpoint.context.database
    hospital = world.hospital(database)
    world.link(database, person, hospital)
    world.consent(database, person, hospital, start=world.now() - 60 * DAY)
    (asked,) = endpoint.ids(DUE)
    assert endpoint.resources("EpisodeOfCare", hospital)
    assert endpoint.ids("Task", hospital) == []
    assert endpoint.get(f"Task/{asked}", hospital).status_code == 404
    patient = endpoint.patient_id(hospital)
    everything = endpoint.get(f"Patient/{patient}/$everything", hospital).json()
    assert "Task" not in {each["resource"]["resourceType"] for each in everything["entry"]}


@pytest.mark.usefixtures("person")
def test_a_client_that_may_read_less_finds_none_that_it_may_not(endpoint):
    token = endpoint.token(ceiling=Confidentiality.NORMAL)
    assert endpoint.get("Task?_summary=count", token=token).json()["total"] == 0
