"""Two hospitals, and a patient of the first with everything that a group leaves behind."""

from dataclasses import dataclass
from datetime import date

import pytest

from api.bootstrap import publish_definitions
from service.models.connections import Connection
from service.models.patients import Patient
from tests import world
from tests.api.fhir_endpoint import Endpoint
from tests.api.sent import Sender


@dataclass
class Scene:
    endpoint: Endpoint
    a: Connection
    b: Connection
    person: Patient
    id: str  # of the patient, to hospital A

    @property
    def sender(self) -> Sender:
        return Sender(self.endpoint, self.a, self.id)

    def parameters(self, path, *given, caller=None, **more):
        """POST Parameters, each given as name, kind of value and value."""
        listed = [{"name": n, **({k: v} if k == "resource" else {f"value{k}": v})}
                  for n, k, v in given]  # fmt: skip
        body = {"resourceType": "Parameters", "parameter": listed}
        return self.endpoint.request("POST", path, caller or self.a, json=body, **more)


@pytest.fixture
def scene(endpoint: Endpoint) -> Scene:
    database = endpoint.context.database
    publish_definitions(database)
    a, b = world.hospital(database, "A"), world.hospital(database, "B")
    person = world.patient(
        database, family="Rivera", given="Ana", birth_date=date(1980, 2, 3), phone="555 0100",
        gender="female", postal_code="02139",
    )  # fmt: skip
    world.link(database, person, a)
    world.consent(database, person, a)
    group = world.group(database)
    world.enroll(database, person, group)
    world.attend(database, world.session(database, group), person)
    world.respond(database, person, world.phq9(2, item9=1), group_id=group.id)
    return Scene(endpoint, a, b, person, endpoint.patient_id(a))


def refused(answer, status, code):
    """Tell that an answer is an OperationOutcome of this status and code."""
    body = answer.json()
    assert (answer.status_code, body["resourceType"]) == (status, "OperationOutcome"), body
    assert code in {issue["code"] for issue in body["issue"]}, body
    return True


def types_of(answer):
    assert answer.status_code == 200, answer.text
    entries = answer.json().get("entry", [])
    return [e["resource"]["resourceType"] for e in entries if e["search"]["mode"] != "outcome"]


def next_of(answer):
    links = {each["relation"]: each["url"] for each in answer.json()["link"]}
    return links.get("next")
