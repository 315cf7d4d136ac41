"""Requirements 119-145 of SMART App Launch 2.2.0: what a scope lets through.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
"""

import uuid
from pathlib import Path

import pytest

from service.commands import UndoLink
from service.handlers import execute
from tests import world

PERSON = {"resourceType": "Patient", "name": [{"family": "Ash"}], "gender": "female"}


def ids(hospital, kind: str, token: str) -> set[str]:
    bundle = hospital.get(f"/fhir/{kind}?_count=200", token).json()
    return {each["resource"]["id"] for each in bundle.get("entry", [])}


def test_ig_119_consent_and_link_bind_whatever_the_scope(hospital):
    database = hospital.served.context.database
    person = world.patient(database)
    link, token = world.link(database, person, hospital.connection), hospital.token()
    world.consent(database, person, hospital.connection)
    before = ids(hospital, "Patient", token)
    undone = UndoLink(link_id=link.id, undone_by="tester", reason="another person")
    execute(database, undone)
    assert len(before - ids(hospital, "Patient", token)) == 1


def test_ig_123_an_update_may_create(hospital):
    (person, *_) = ids(hospital, "Patient", hospital.token())
    subject = {"reference": f"Patient/{person}"}
    sent = {"resourceType": "Condition", "id": str(uuid.uuid4()), "subject": subject}
    token = hospital.token("system/Condition.u")
    answer = hospital.call("PUT", f"/fhir/Condition/{sent['id']}", token, body=sent)
    assert answer.status_code == 201, answer.text


def test_ig_126_version_1_is_advertised(hospital):
    assert "permission-v1" in hospital.configuration()["capabilities"]


@pytest.mark.parametrize("scope", ["system/Patient.read", "system/*.write", "system/*.*"])
def test_ig_127_a_scope_of_version_1_is_returned_as_it_was_asked(hospital, scope):
    assert hospital.ask(scope).json()["scope"] == scope


@pytest.mark.parametrize(
    ("scope", "allowed", "refused"),
    [
        ("system/Patient.read", {"GET"}, {"POST"}),
        ("system/Patient.write", {"POST"}, {"GET"}),
        ("system/Patient.*", {"GET", "POST"}, set()),
    ],
)
def test_ig_128_version_1_means_letters_of_version_2(hospital, scope, allowed, refused):
    token = hospital.token(scope)
    for method in allowed | refused:
        body = PERSON if method == "POST" else None
        answer = hospital.call(method, "/fhir/Patient", token, body=body)
        assert (answer.status_code == 403) is (method in refused), (method, answer.text)


@pytest.mark.parametrize("scope", ["system/Patient.sr", "system/Patient.x", "system/Patient."])
def test_ig_129_letters_that_are_undefined_or_out_of_order_are_refused(hospital, scope):
    assert hospital.ask(scope).json()["error"] == "invalid_scope"


@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_ig_130_a_bundle_is_allowed_what_its_entries_are(hospital, kind):
    token = hospital.token("system/Patient.rs")
    entries = [
        {"request": {"method": "GET", "url": "Patient?_count=1"}},
        {"request": {"method": "GET", "url": "Observation?_count=1"}},
    ]
    bundle = {"resourceType": "Bundle", "type": kind, "entry": entries}
    answer = hospital.call("POST", "/fhir", token, body=bundle)
    statuses = [each["response"]["status"][:3] for each in answer.json()["entry"]]
    assert statuses == ["200", "403"]
    entries[0] = {"request": {"method": "POST", "url": "Patient"}, "resource": PERSON}
    answer = hospital.call("POST", "/fhir", token, body=bundle)
    if kind == "transaction":
        assert answer.status_code == 403
    else:
        assert answer.json()["entry"][0]["response"]["status"].startswith("403")


def test_ig_142_a_system_scope_reaches_what_the_client_was_given(hospital):
    database = hospital.served.context.database
    elsewhere = world.hospital(database, "Elsewhere")
    before = ids(hospital, "Patient", hospital.token("system/Patient.rs"))
    world.linked(database, elsewhere)
    assert ids(hospital, "Patient", hospital.token("system/Patient.rs")) == before


def test_ig_144_a_wildcard_is_every_type(hospital):
    token = hospital.token("system/*.rs")
    types = [each["type"] for each in hospital.get("/fhir/metadata").json()["rest"][0]["resource"]]
    refused = [t for t in types if hospital.get(f"/fhir/{t}?_count=1", token).status_code != 200]
    # A roster takes the roster role as well, and audit rows are for privacy officers.
    assert refused == ["AuditEvent", "Group"]


@pytest.mark.parametrize("scope", ["patient/Patient.rs", "user/Patient.rs", "launch", "openid"])
def test_ig_136_and_140_what_has_no_patient_or_user_here_is_not_granted(hospital, scope):
    assert hospital.ask(scope).json()["error"] == "invalid_scope"


def test_ig_139_the_documents_say_what_a_link_between_patients_grants():
    text = (Path(__file__).parents[2] / "docs" / "privacy.md").read_text(encoding="utf-8")
    assert "`Patient.link` grants nothing" in text


SURVEY = "http://terminology.hl7.org/CodeSystem/observation-category|survey"
LABORATORY = "http://terminology.hl7.org/CodeSystem/observation-category|laboratory"


def test_ig_370_a_scope_may_be_narrowed_by_a_parameter_and_its_value(hospital):
    assert "permission-v2" in hospital.configuration()["capabilities"]
    world.respond(hospital.served.context.database, hospital.person)
    surveys = ids(hospital, "Observation", hospital.token())
    assert surveys
    narrowed = hospital.token(f"system/Observation.rs?category={SURVEY}")
    assert ids(hospital, "Observation", narrowed) == surveys
    elsewhere = hospital.token(f"system/Observation.rs?category={LABORATORY}")
    assert ids(hospital, "Observation", elsewhere) == set()
    (one, *_) = surveys
    assert hospital.get(f"/fhir/Observation/{one}", narrowed).status_code == 200
    assert hospital.get(f"/fhir/Observation/{one}", elsewhere).status_code == 404
