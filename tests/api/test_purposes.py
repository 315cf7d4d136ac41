"""A document is there for the purposes that are permitted, whatever is asked and by which way."""

from dataclasses import replace
from typing import Any

import pytest

from service.commands import AmendConsent, RecordConsent, WithdrawConsent
from service.consents import record_consent
from service.handlers import execute
from service.models.aggregates import patient_aggregate
from service.models.consents import Category, Purpose
from tests import world
from tests.api.clients import Client
from tests.api.fhir_endpoint import Endpoint

TREAT, PAYMENT, RESEARCH = Purpose.TREATMENT, Purpose.PAYMENT, Purpose.RESEARCH


class Scene:
    """A hospital with a person in a group, who has answered; clients for several purposes."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.database = endpoint.context.database
        self.hospital = world.hospital(self.database, f"Purposes-{next(world.numbers)}")
        self.person = world.patient(self.database)
        world.link(self.database, self.person, self.hospital)
        self.group = world.group(self.database)
        world.enroll(self.database, self.person, self.group)
        world.attend(self.database, world.session(self.database, self.group), self.person)
        self.endpoint = endpoint

    def consent(self, category: Category, *purposes: Purpose, **more: Any) -> Any:
        command = RecordConsent(
            patient_id=self.person.id,
            connection_id=self.hospital.id,
            category=category,
            purposes=purposes,
            recorded_by="t",
            **more,
        )
        return execute(self.database, command)

    def client(self, purpose: Purpose = TREAT) -> Client:
        client = Client(self.endpoint, self.hospital)
        return replace(client, token=self.endpoint.token(self.hospital, purpose=purpose))


@pytest.fixture
def here(shared: Endpoint) -> Scene:
    return Scene(shared)


KINDS = ("Patient", "EpisodeOfCare", "Appointment", "Encounter", "Observation", "Consent", "Group")


def test_who_reads_for_another_purpose_meets_nothing_by_any_way(here: Scene):
    for category in (Category.ENROLLMENT, Category.ATTENDANCE, Category.SCORES):
        here.consent(category, TREAT)
    world.respond(here.database, here.person)
    own, other = here.client(), here.client(RESEARCH)
    ids = {kind: own.ids(kind)[0] for kind in KINDS}
    patient = ids["Patient"]
    for kind, one in ids.items():
        for path in (kind, f"{kind}?_id={one}", f"{kind}?_summary=count", f"{kind}/_history"):
            assert other.get(path).json().get("entry", []) == []
        assert other.get(f"{kind}?_total=accurate").json()["total"] == 0
        for path in (one, f"{one}/_history", f"{one}/_history/1"):
            assert other.get(f"{kind}/{path}").status_code == 404, (kind, path)
    for path in (
        f"Patient/{patient}/$everything",
        f"Patient/{patient}/EpisodeOfCare",
        f"Observation/{ids['Observation']}/$validate",
    ):
        assert other.get(path).status_code == 404 or not other.get(path).json().get("entry")
    for path in (
        f"EpisodeOfCare?patient=Patient/{patient}&_include=EpisodeOfCare:patient",
        "EpisodeOfCare?patient.gender=unknown",
        "Patient?_has:EpisodeOfCare:patient:status=active",
        f"Observation/$lastn?patient={patient}",
    ):
        assert not other.get(path).json().get("entry"), path
    asked = {"resourceType": "Parameters", "parameter": []}
    name = {"resourceType": "Patient", "name": [{"family": here.person.family}]}
    asked["parameter"].append({"name": "resource", "resource": name})
    assert not other.post(asked, "Patient/$match").json().get("entry")
    about = {"resourceType": "Condition", "subject": {"reference": f"Patient/{patient}"}}
    assert other.post(about).status_code == 400
    assert own.post(about).status_code == 201
    assert other.ids("Condition")  # what the hospital sent itself is its own


def test_a_purpose_more_is_a_new_version_and_one_less_is_taken_away(here: Scene):
    made = here.consent(Category.SCORES, TREAT)
    world.respond(here.database, here.person)
    treat, payment = here.client(), here.client(PAYMENT)
    (total,) = treat.resources("Observation")
    assert payment.ids("Observation") == []
    wider = {"category": Category.SCORES, "purposes": (TREAT, PAYMENT), "amended_by": "t"}
    execute(here.database, AmendConsent(consent_id=made.id, **wider))
    (again,) = payment.resources("Observation")
    assert (total["meta"]["versionId"], again["meta"]["versionId"]) == ("1", "2")
    assert payment.get(f"Observation/{total['id']}/_history/1").status_code == 404
    narrower = {**wider, "purposes": (PAYMENT,)}
    execute(here.database, AmendConsent(consent_id=made.id, **narrower))
    assert treat.ids("Observation") == []
    assert treat.get(f"Observation/{total['id']}").status_code == 404
    assert payment.ids("Observation") == [total["id"]]


def test_a_version_of_before_is_for_the_purposes_of_then(here: Scene):
    here.consent(Category.ENROLLMENT, TREAT)
    (episode,) = here.client().ids("EpisodeOfCare")
    here.consent(Category.ENROLLMENT, PAYMENT)
    old = f"EpisodeOfCare/{episode}/_history/1"
    assert here.client(PAYMENT).get(f"EpisodeOfCare/{episode}").status_code == 200
    assert here.client(PAYMENT).get(old).status_code == 404
    history = here.client(PAYMENT).get(f"EpisodeOfCare/{episode}/_history").json()["entry"]
    assert [each["resource"]["meta"]["versionId"] for each in history] == ["2"]


def test_a_roster_is_for_treatment_alone(here: Scene):
    here.consent(Category.ENROLLMENT, TREAT, PAYMENT)
    other = world.patient(here.database)
    world.link(here.database, other, here.hospital)
    world.enroll(here.database, other, here.group)

    def record(session: Any) -> None:
        said = {"category": Category.ENROLLMENT, "purposes": (PAYMENT,), "recorded_by": "t"}
        ids = {"patient_id": other.id, "connection_id": here.hospital.id}
        record_consent(session, RecordConsent(**ids, **said), world.now())

    here.database.unit_of_work(record, patient_aggregate(other.id))
    assert here.client(PAYMENT).ids("Group") == []
    (roster,) = here.client().resources("Group")
    assert len(roster["member"]) == 1
    assert len(here.client(PAYMENT).ids("EpisodeOfCare")) == 2


def test_a_document_names_only_what_every_purpose_of_it_may_see(here: Scene):
    here.consent(Category.ENROLLMENT, TREAT, shows_group_name=True)
    assert "HealthcareService/" in str(here.client().resources("EpisodeOfCare"))
    here.consent(Category.ENROLLMENT, PAYMENT)
    for purpose in (TREAT, PAYMENT):
        (episode,) = here.client(purpose).resources("EpisodeOfCare")
        assert "HealthcareService/" not in str(episode)


def test_a_withdrawal_holds_for_the_later_pages_of_a_search(here: Scene):
    made = here.consent(Category.SCORES, TREAT)
    for _ in range(4):
        world.respond(here.database, here.person)
    client = here.client()
    first = client.get("Observation?_count=2").json()
    (following,) = (each["url"] for each in first["link"] if each["relation"] == "next")
    assert len(first["entry"]) == 2
    execute(here.database, WithdrawConsent(consent_id=made.id, withdrawn_by="t"))
    assert client.get(following).json().get("entry", []) == []
