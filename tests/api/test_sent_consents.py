"""A Consent that a hospital sends takes effect for that hospital, or is refused by name."""

from dataclasses import dataclass, replace
from typing import Any

import pytest
from sqlmodel import Session, select

from service.commands import SettleConsent, UndoLink
from service.handlers import execute
from service.models.connections import Connection, ConsentAuthority, ConsentPolicy
from service.models.consents import Category, Consent, Label, Purpose, Standing
from service.models.patients import Link, Patient
from tests import world
from tests.api import bundles
from tests.api.clients import Client, refused, replaced
from tests.api.fhir_endpoint import Endpoint
from tests.api.sent_consents import GROUP_NAME, consent, rule

SCORES = [Category.SCORES]


@dataclass
class Told:
    """A hospital with a patient who has answered and attended here."""

    client: Client
    person: Patient
    patient: str
    organization: str

    def consent(self, provision: dict[str, Any], **more: Any) -> dict[str, Any]:
        return consent(self.patient, self.organization, provision, **more)

    def send(self, provision: dict[str, Any], **more: Any) -> dict[str, Any]:
        return self.client.made(self.consent(provision, **more))

    @property
    def rows(self) -> list[Consent]:
        def work(session: Session) -> list[Consent]:
            where = (Consent.patient_id == self.person.id, Consent.sent_as != None)  # noqa: E711
            return list(session.exec(select(Consent).where(*where).order_by(Consent.id)))

        return self.client.endpoint.context.database.read(work)

    def settle(self, standing: Standing = Standing.CONFIRMED) -> None:
        command = SettleConsent(consent_id=self.rows[-1].id, standing=standing, settled_by="t")
        execute(self.client.endpoint.context.database, command)

    def sees(self, kind: str) -> int:
        return len(self.client.ids(f"{kind}?patient={self.patient}"))


def told(endpoint: Endpoint, authority: ConsentAuthority = ConsentAuthority.CONFIRM) -> Told:
    database = endpoint.context.database
    row = world.hospital(database, f"Consenting-{next(world.numbers)}")
    if authority is ConsentAuthority.TRUST:
        row = trusted(database, row)
    client = Client(endpoint, row)
    person = world.patient(database)
    world.link(database, person, row)
    world.consent(database, person, row, [Category.ENROLLMENT])
    circle = world.group(database)
    world.enroll(database, person, circle)
    world.attend(database, world.session(database, circle), person)
    world.respond(database, person)
    (organization,) = client.ids("Organization?name=Hospital")
    return Told(client, person, client.ids("Patient")[0], organization)


def trusted(database: Any, row: Connection) -> Connection:
    def work(session: Session) -> Connection:
        found = session.get_one(Connection, row.id)
        found.authority = ConsentAuthority.TRUST
        return found

    return database.unit_of_work(work)


@pytest.fixture
def here(shared: Endpoint) -> Told:
    return told(shared)


@pytest.fixture
def trusting(shared: Endpoint) -> Told:
    return told(shared, ConsentAuthority.TRUST)


def test_a_permit_waits_until_the_programme_confirms_it(here: Told):
    here.send(rule(code=SCORES))
    assert here.rows[0].standing is Standing.PENDING
    assert here.sees("Observation") == 0
    here.settle()
    assert here.sees("Observation") == 1


def test_a_permit_that_is_refused_permits_nothing(here: Told):
    here.send(rule(code=SCORES))
    here.settle(Standing.REFUSED)
    assert here.sees("Observation") == 0


def test_a_permit_of_a_hospital_that_is_trusted_counts_at_once(trusting: Told):
    trusting.send(rule(code=SCORES))
    assert trusting.rows[0].standing is Standing.CONFIRMED
    assert trusting.sees("Observation") == 1


def test_a_denial_counts_at_once(here: Told):
    assert here.sees("EpisodeOfCare") == 1
    sent = here.send(rule("deny", code=[Category.ENROLLMENT]))
    assert here.rows[0].standing is Standing.CONFIRMED
    # With nothing else permitted, the Patient is gone too; what it sent is its own.
    assert here.client.ids("EpisodeOfCare") == here.client.ids("Patient") == []
    assert here.client.get(f"Consent/{sent['id']}").status_code == 200


def test_what_waits_denies_at_once_what_it_excepts(here: Told):
    no = rule("deny", securityLabel=[Label.PSYCHIATRY])
    here.send(rule("permit", no, code=[Category.ENROLLMENT]))
    assert here.client.ids("EpisodeOfCare") == []


@pytest.mark.parametrize("way", ["inactive", "entered-in-error", "patch", "delete"])
def test_a_consent_that_ends_is_withdrawn(trusting: Told, way: str):
    made = trusting.send(rule(code=SCORES))
    path = f"Consent/{made['id']}"
    if way == "delete":
        assert trusting.client.delete(path).status_code == 204
    elif way == "patch":
        answer = trusting.client.patch(path, replaced("/status", "inactive"))
        assert answer.status_code == 200
    else:
        assert trusting.client.put({**made, "status": way}).status_code == 200
    assert trusting.rows[0].withdrawn_at is not None
    assert trusting.sees("Observation") == 0


def test_a_consent_that_is_active_again_is_a_new_one(trusting: Told):
    made = trusting.send(rule(code=SCORES))
    trusting.client.put({**made, "status": "inactive"})
    trusting.client.put(made)
    first, second = trusting.rows
    assert (first.withdrawn_at is None, second.withdrawn_at is None) == (False, True)
    assert trusting.sees("Observation") == 1


def test_an_update_that_says_something_else_is_a_version(here: Told):
    made = here.send(rule(code=SCORES))
    here.settle()
    wider = here.consent(rule(code=[Category.SCORES, Category.ANSWERS]), id=made["id"])
    assert here.client.put(wider).status_code == 200
    (row,) = here.rows
    assert (row.version, row.standing) == (2, Standing.PENDING)
    assert here.sees("Observation") == 0  # what was replaced permits nothing, and the new one waits
    here.settle()
    assert here.sees("Observation") > 1


def test_an_update_that_decides_the_same_changes_nothing(here: Told):
    made = here.send(rule(code=SCORES))
    here.settle()
    assert here.client.put({**made, "dateTime": "2026-01-02"}).headers["etag"] == 'W/"2"'
    assert (here.rows[0].version, here.sees("Observation")) == (1, 1)


def test_a_transaction_carries_a_consent(trusting: Told):
    body = trusting.consent(rule(code=SCORES))
    client = trusting.client
    answer = bundles.transact(client.endpoint, client.connection, bundles.entry(body))
    assert answer.status_code == 200
    assert trusting.sees("Observation") == 1


def test_an_update_may_make_one_under_an_id_of_the_clients(trusting: Told):
    body = trusting.consent(rule(code=SCORES), id="ehr.consent-1")
    assert trusting.client.put(body).status_code == 201
    assert trusting.sees("Observation") == 1


def test_exceptions_purposes_and_the_groups_name_are_executed(trusting: Told):
    client = trusting.client
    no = rule("deny", purpose=[Purpose.RESEARCH])
    purposes = [Purpose.TREATMENT, Purpose.RESEARCH, Purpose.PAYMENT]
    trusting.send(rule("permit", no, purpose=purposes, code=SCORES))
    found = {
        one: len(replace(client, token=token(client, one)).ids("Observation")) for one in Purpose
    }
    assert {one for one, many in found.items() if many} == {Purpose.TREATMENT, Purpose.PAYMENT}
    trusting.send(rule(code=[Category.ENROLLMENT, GROUP_NAME]))
    (episode,) = client.resources("EpisodeOfCare")
    assert "HealthcareService/" in str(episode)


def token(client: Client, purpose: Purpose) -> str:
    return client.endpoint.token(client.connection, purpose=purpose)


def test_a_consent_for_treatment_by_policy_is_denied_for_one_kind(shared: Endpoint):
    there = told(shared)
    database = shared.context.database

    def work(session: Session) -> None:
        row = session.get_one(Connection, there.client.connection.id)
        row.policy = ConsentPolicy.TREATMENT

    database.unit_of_work(work)
    there.send(rule("deny", code=[Category.ATTENDANCE]))
    assert (there.sees("Encounter"), there.sees("Observation")) == (0, 1)


ORGANIZATION = "Consent.provision.actor[0].reference"
CODED = {"coding": [{"system": "urn:x", "code": "y"}]}


@pytest.mark.parametrize(
    ("wrong", "expression"),
    [
        ({"status": "draft"}, "Consent.status"),
        ({"scope": CODED}, "Consent.scope"),
        ({"provision": None}, "Consent.provision"),
        (rule(code=SCORES, actor=[]), "Consent.provision.actor"),
        (rule(dataPeriod={"start": "2026"}), "Consent.provision.dataPeriod"),
        (rule(**{"class": [{"system": "urn:x", "code": "y"}]}), "Consent.provision.class"),
        ({"code": [CODED], "type": "permit"}, "Consent.provision.code[0]"),
        ({"action": [CODED], "type": "permit"}, "Consent.provision.action[0]"),
        ({"purpose": [{"code": "ETREAT"}], "type": "permit"}, "Consent.provision.purpose[0]"),
        (
            {"securityLabel": [{"code": "HIV"}], "type": "deny"},
            "Consent.provision.securityLabel[0]",
        ),
        ({"code": []}, "Consent.provision.type"),
        (
            rule("permit", {"type": "deny", "dataPeriod": {"end": "2026"}}),
            "Consent.provision.provision[0].dataPeriod",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_executed_is_refused_by_name(here: Told, wrong: Any, expression: str):
    body = here.consent(rule(code=SCORES))
    if "type" not in wrong and "code" not in wrong:
        body = {k: v for k, v in {**body, **wrong}.items() if v is not None}
    else:
        kept = {"actor": body["provision"]["actor"], **wrong}
        body["provision"] = {k: v for k, v in kept.items() if v != []}
    answer = here.client.post(body)
    assert answer.status_code in {400, 422, 501}, answer.text
    said = [each["expression"][0] for each in answer.json()["issue"]]
    assert expression in said, answer.text
    assert here.rows == []


def test_a_hospital_speaks_for_itself_alone(here: Told, shared: Endpoint):
    ward = here.client.made({"resourceType": "Organization", "name": "Ward"})
    foreign = told(shared).organization
    (programme,) = here.client.ids("Organization?name=Programme")
    for organization in (ward["id"], programme):
        body = consent(here.patient, organization, rule(code=SCORES))
        refused(here.client.post(body), 400, "business-rule", ORGANIZATION)
    body = consent(here.patient, foreign, rule(code=SCORES))
    refused(here.client.post(body), 400, "not-found", ORGANIZATION)


def test_a_consent_is_about_a_patient_who_is_linked(here: Told):
    other = here.client.made({**here.consent(rule("deny", code=SCORES))})
    database = here.client.endpoint.context.database

    def link(session: Session) -> Link:
        return session.exec(select(Link).where(Link.patient_id == here.person.id)).one()

    execute(database, UndoLink(link_id=database.read(link).id, undone_by="t", reason="r"))
    assert here.client.post(here.consent(rule(code=SCORES))).status_code in {400, 422}
    assert here.client.put({**other, "status": "inactive"}).status_code in {200, 400}
    assert here.client.delete(f"Consent/{other['id']}").status_code == 204


def test_the_programme_records_its_own_elsewhere(here: Told):
    client = Client(here.client.endpoint)
    (patient, *_) = client.ids("Patient")
    (organization, *_) = client.ids("Organization")
    refused(client.post(consent(patient, organization, rule())), 405, "not-supported")
