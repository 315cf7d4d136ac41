"""QuestionnaireResponses: scored where the form is known, kept as they were sent elsewhere."""

from typing import Any

import pytest
from sqlmodel import Session, select

from service.models.patients import Link, Patient
from tests import world
from tests.api.clients import Client, refused
from tests.api.fhir_endpoint import BASE
from tests.api.test_fhir_write import response

FORM = "QuestionnaireResponse"
ELSEWHERE = "http://example.org/Questionnaire/falls|2"


@pytest.fixture
def form(programme: Client) -> str:
    """The canonical of the PHQ-9 that is served."""
    url: str = programme.resources("Questionnaire?name=phq9")[0]["url"]
    return url


def falls(patient: str, **more: Any) -> dict[str, Any]:
    return {**response(ELSEWHERE, patient), **more}


def test_a_response_to_an_unknown_form_is_kept_and_not_scored(sender: Client):
    patient = sender.patient()
    said = falls(patient)
    answer = sender.post(said, Prefer="return=OperationOutcome")
    (issue,) = answer.json()["issue"]
    assert (answer.status_code, issue["severity"]) == (201, "information")
    assert "not scored" in issue["details"]["text"]
    (kept,) = sender.resources(f"{FORM}?patient={patient}")
    assert {k: v for k, v in kept.items() if k not in {"id", "meta"}} == said
    assert sender.ids(f"{FORM}?questionnaire={ELSEWHERE}") == [kept["id"]]
    assert sender.ids("Observation") == []
    assert sender.get(f"{FORM}/{kept['id']}").json() == kept


def test_a_response_to_an_unknown_form_is_its_senders(sender: Client, stranger: Client):
    patient = sender.patient()
    kept = sender.made(falls(patient))
    path = f"{FORM}/{kept['id']}"
    refused(stranger.get(path), 404)
    answer = sender.put({**kept, "status": "amended"}, If_Match='W/"1"')
    assert (answer.status_code, answer.json()["status"]) == (200, "amended")
    assert sender.delete(path).status_code == 204
    refused(sender.get(path), 410, "deleted")


def test_a_response_of_a_patient_that_was_sent_is_scored(sender: Client, form: str):
    patient = sender.patient()
    told = sender.post(response(form, patient), Prefer="return=OperationOutcome")
    assert "not scored" not in told.text
    (kept,) = sender.resources(FORM)
    world.consent(sender.endpoint.context.database, person_of(sender), sender.connection)
    (total,) = sender.resources(f"Observation?patient={patient}&code=44261-6")
    assert total["valueQuantity"]["value"] == 8
    assert total["derivedFrom"] == [{"reference": f"{FORM}/{kept['id']}"}]
    refused(sender.delete(f"{FORM}/{kept['id']}"), 405, "not-supported")
    refused(sender.delete(f"Observation/{total['id']}"), 403, "forbidden")
    refused(sender.put(total), 403, "forbidden")


def person_of(sender: Client) -> Patient:
    """The one person whom this hospital has sent."""

    def find(session: Session) -> Patient:
        query = select(Link).where(Link.connection_id == sender.connection.id)
        row = session.get(Patient, session.exec(query).one().patient_id)
        assert row is not None
        return row

    found: Patient = sender.endpoint.context.database.read(find)
    return found


def test_a_subject_of_a_known_form_may_be_named_by_an_identifier(sender: Client, form: str):
    identifier = {"system": "urn:x:mrn", "value": "1"}
    patient = sender.patient(identifier=[identifier])
    body = {**response(form, "x"), "subject": {"identifier": identifier}}
    assert sender.post(body).status_code == 201
    assert len(sender.ids(f"{FORM}?patient={patient}")) == 1


def test_a_known_form_asks_for_a_patient_here(sender: Client, form: str):
    sender.patient()
    elsewhere = {"subject": {"reference": "http://elsewhere.example/Patient/1"}}
    refused(sender.post({**response(form, "x"), **elsewhere}), 400, "", f"{FORM}.subject")
    assert sender.post({**falls("x"), **elsewhere}).status_code == 201


def test_the_form_of_a_scored_response_stays(sender: Client, form: str):
    kept = sender.made(response(form, sender.patient()))
    answer = sender.put({**kept, "questionnaire": ELSEWHERE})
    assert answer.status_code in {400, 422}, answer.text
    assert sender.get(f"{BASE}/{FORM}/{kept['id']}").json() == kept


def test_what_is_not_scored_does_not_become_a_scored_response_unseen(sender: Client, form: str):
    patient = sender.patient()
    kept = sender.made(falls(patient, identifier={"system": "urn:x:forms", "value": "1"}))
    known = {**response(form, patient, item9=3), "identifier": kept["identifier"]}
    path, named = f"{FORM}/{kept['id']}", {"op": "replace", "path": "/questionnaire", "value": form}
    for answer in (
        sender.put({**known, "id": kept["id"]}),
        sender.put(known, f"{FORM}?identifier=urn:x:forms|1"),
        sender.patch(path, named),
    ):
        refused(answer, 422, "business-rule", f"{FORM}.questionnaire")
    assert sender.get(path).json() == kept
    assert sender.delete(path).status_code == 204
    refused(sender.put({**known, "id": kept["id"]}), 422, "business-rule", f"{FORM}.questionnaire")
    assert sender.get(path).status_code == 410


def test_a_form_that_is_no_questionnaire_is_named_by_an_extension(sender: Client):
    url = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-extension-questionnaire-uri"
    said = {"extension": [{"url": url, "valueUri": "https://example.org/falls.pdf"}]}
    body = falls(sender.patient(), _questionnaire=said)
    del body["questionnaire"]
    assert sender.made(body)["_questionnaire"] == said
    del body["_questionnaire"]
    refused(sender.post(body), 400, "required", f"{FORM}.questionnaire")
