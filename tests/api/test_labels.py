"""Labels on what is sent: searched by, at their highest on a Bundle, with the notice of Part 2."""

import time
from typing import Any

import pytest
from sqlalchemy import text

from service.commands import ChangeEnrollment, UpdateGroup
from service.database import Database
from service.fhir.store_reader import HORIZON_SECONDS
from service.handlers import execute
from service.models.connections import Confidentiality
from service.models.consents import Category
from service.models.enrollments import EnrollmentStatus
from service.models.groups import Sensitivity, SupportGroup
from service.models.patients import Patient
from service.redisclosure import DISPLAY, NOTICE
from tests import world
from tests.api import clients
from tests.api.clients import V3, Client
from tests.api.fhir_endpoint import BASE, Endpoint

ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"


def codes(resource: dict[str, Any]) -> set[str]:
    return {each["code"] for each in resource["meta"]["security"]}


def notices(resource: dict[str, Any]) -> list[str]:
    found = resource["meta"].get("extension", [])
    return [each["valueAnnotation"]["text"] for each in found if each["url"] == DISPLAY]


@pytest.fixture
def hospital(endpoint: Endpoint) -> Client:
    """A client of a hospital whose patient is in a group of mental health and one of Part 2."""
    client = clients.hospital(endpoint)
    database, connection = endpoint.context.database, client.connection
    assert connection is not None
    person = world.linked(database, connection)
    world.consent(database, person, connection, [Category.ENROLLMENT], covers_part2=True)
    plain = world.group(database)
    covered = world.group(database, sensitivity=Sensitivity.SUBSTANCE_USE, part2=True)
    for each in (plain, covered):
        world.enroll(database, person, each)
    world.respond(database, person, world.phq9(item9=1))
    return client


def test_the_notice_goes_with_every_payload_of_part_2(hospital: Client) -> None:
    episodes = hospital.resources("EpisodeOfCare")
    covered = [each for each in episodes if "42CFRPart2" in codes(each)]
    assert [codes(each) for each in covered] == [{"R", "ETH", "42CFRPart2", "NORDSCLCD"}]
    assert [notices(each) for each in covered] == [[NOTICE]]
    (plain,) = [each for each in episodes if each not in covered]
    assert (codes(plain), notices(plain)) == ({"R", "PSY"}, [])


@pytest.mark.parametrize(
    "path", ["EpisodeOfCare", "EpisodeOfCare/_history", "Patient/{patient}/$everything"]
)
def test_a_bundle_has_the_highest_label_and_every_mark_of_its_entries(
    hospital: Client, path: str
) -> None:
    (patient,) = hospital.ids("Patient")
    bundle = hospital.get(path.format(patient=patient)).json()
    within = [each["resource"] for each in bundle["entry"] if "resource" in each]
    marks = set().union(*(codes(each) for each in within))
    highest = max(marks & {"N", "R", "V"}, key="NRV".index)
    assert codes(bundle) == (marks - {"N", "R", "V"}) | {highest}
    assert notices(bundle) == [NOTICE]


CHANGES = [{"part2": True}, {"sensitivity": Sensitivity.SUBSTANCE_USE, "part2": True}]


@pytest.mark.parametrize("change", CHANGES, ids=["part2", "sensitivity"])
@pytest.mark.parametrize("covers", [True, False], ids=["covered", "not-covered"])
def test_no_version_with_the_old_label_is_shown_once_a_group_gets_another(
    endpoint: Endpoint, change: dict[str, Any], covers: bool
) -> None:
    client, other = clients.hospital(endpoint), clients.hospital(endpoint, "Elsewhere")
    database = endpoint.context.database
    group = world.group(database)
    paused(database, world.linked(database, other.connection), world.group(database))
    covered = world.patient(database)
    world.link(database, covered, client.connection)
    world.consent(database, covered, client.connection, [Category.ENROLLMENT], covers_part2=covers)
    paused(database, covered, group)
    (episode,) = client.ids("EpisodeOfCare")
    history = f"EpisodeOfCare/{episode}/_history"
    before = [codes(each) for each in client.resources(history)]
    assert len(before) > 1
    kept = other.get("EpisodeOfCare/_history").json()
    epochs = raised(endpoint)
    execute(database, UpdateGroup(group_id=group.id, **change))
    time.sleep(2 * HORIZON_SECONDS)  # PostgreSQL's horizon is remembered for so long
    if covers:
        (current,) = client.resources(history)
        assert (codes(current) >= {"42CFRPart2"}, notices(current)) == (True, [NOTICE])
    else:
        assert client.get(history).status_code == 404
    assert len(client.resources("EpisodeOfCare/_history")) == covers
    assert client.get(f"{history}/1").status_code == 404
    assert other.get("EpisodeOfCare/_history").json() == kept
    taken_from = {each for each, number in raised(endpoint).items() if number != epochs.get(each)}
    assert taken_from == {client.connection.number}


def paused(database: Database, person: Patient, group: SupportGroup) -> None:
    """Let the person pause, so that the episode has two versions."""
    row = world.enroll(database, person, group)
    pause = ChangeEnrollment(enrollment_id=row.id, status=EnrollmentStatus.ON_HOLD, reason="away")
    execute(database, pause)


def raised(endpoint: Endpoint) -> dict[int, int]:
    with endpoint.context.database.engine.connect() as connection:
        return dict(connection.execute(text("SELECT audience, epoch FROM disclosure_epochs")).all())


def test_the_answer_to_a_batch_is_labelled_by_what_it_reads(hospital: Client) -> None:
    entries = [{"request": {"method": "GET", "url": each}} for each in ("EpisodeOfCare", "Flag")]
    body = {"resourceType": "Bundle", "type": "batch", "entry": entries}
    answer = hospital("POST", BASE, body).json()
    assert codes(answer) == {"V", "PSY", "ETH", "42CFRPart2", "NORDSCLCD"}
    assert notices(answer) == [NOTICE]
    nothing = {**body, "entry": [{"request": {"method": "GET", "url": "Flag/none"}}]}
    assert "meta" not in hospital("POST", BASE, nothing).json()


@pytest.mark.parametrize(
    ("query", "status"),
    [
        (f"{ACT}|ETH", 1),
        (f"{ACT}|42CFRPart2", 1),
        (f"{ACT}|NORDSCLCD", 1),
        (f"{V3}|R", 2),
        ("V", 0),
    ],
)
def test_labels_can_be_searched_by(hospital: Client, query: str, status: int) -> None:
    assert len(hospital.ids(f"EpisodeOfCare?_security={query}")) == status


def labelled(patient: str, *security: dict[str, Any]) -> dict[str, Any]:
    return clients.observation(patient, meta={"security": list(security)})


def test_a_client_does_not_lower_the_label_that_is_held(hospital: Client) -> None:
    (patient,) = hospital.ids("Patient")
    made = hospital.made(labelled(patient, {"system": V3, "code": "V"}))
    lowered = {**labelled(patient, {"system": V3, "code": "N"}), "id": made["id"]}
    assert hospital.put(lowered).status_code == 200
    assert codes(hospital.get(f"Observation/{made['id']}").json()) == {"V"}
    below = hospital.limited(ceiling=Confidentiality.RESTRICTED)
    assert below.get(f"Observation/{made['id']}").status_code == 404


def test_what_a_client_marks_as_part_2_gets_the_notice_too(hospital: Client) -> None:
    (patient,) = hospital.ids("Patient")
    mark = {"system": ACT, "code": "42CFRPart2", "display": "42 CFR Part2"}
    extension = [{"url": "http://example.org/basis", "valueString": "a consent"}]
    other = {"system": ACT, "code": "SDV", "extension": extension}
    made = hospital.made(labelled(patient, mark, other))
    assert codes(made) == {"N", "42CFRPart2", "NORDSCLCD", "SDV"}
    assert notices(made) == [NOTICE]
    bundle = hospital.get(f"Observation?_id={made['id']}").json()
    assert (codes(bundle), notices(bundle)) == (codes(made), [NOTICE])
