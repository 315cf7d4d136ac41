"""Published responses, sent as they are but for whom they are about: scored, or refused."""

from typing import Any

import pytest
from sqlmodel import Session, select

from service.models.patients import Link, Patient
from tests import world
from tests.api.clients import Client, refused
from tests.fhir_mappings.published import filled, sample

SDC = "sdc/QuestionnaireResponse-"
SENT = {
    "us-core-7.0.0/QuestionnaireResponse-phq-9-example.json": ("44261-6", 12),
    "phr-format/QuestionnaireResponse-phq9.json": ("44261-6", 3),
    "phr-format/QuestionnaireResponse-gad7.json": ("70274-6", 3),
    f"{SDC}questionnaireresponse-sdc-profile-example-PHQ9.json": ("44261-6", 10),
    f"{SDC}adaptive-questionnaireresponse-sdc-example-phq9.json": ("44261-6", 10),
}


def consented(sender: Client) -> None:
    """Let this hospital read what is about the one person whom it has sent."""

    def find(session: Session) -> Patient:
        query = select(Link).where(Link.connection_id == sender.connection.id)
        row = session.get(Patient, session.exec(query).one().patient_id)
        assert row is not None
        return row

    database = sender.endpoint.context.database
    world.consent(database, database.read(find), sender.connection)


@pytest.mark.parametrize("name", SENT)
def test_a_published_response_is_accepted_and_scored(sender: Client, name: str):
    patient, (code, expected) = sender.patient(), SENT[name]
    about = {"subject": {"reference": f"Patient/{patient}"}}
    body = {k: v for k, v in sample(name).items() if k not in {"id", "author", "source"}}
    answer = sender.post({**body, **about})
    assert answer.status_code == 201, answer.text
    consented(sender)
    (total,) = sender.resources(f"Observation?patient={patient}&code={code}")
    assert total["valueQuantity"]["value"] == expected


LFORMS = {
    "lforms/phq9.json": "extension[2].value.value",  # a decimal written as a text
    "lforms/lforms-fhir-app-phq9.json": "answerOption[1].extension[0].value",  # a number for a text
}


@pytest.mark.parametrize("name", LFORMS)
def test_a_form_of_lforms_is_no_valid_resource_and_scored_without_its_extensions(
    sender: Client, name: str
):
    patient = sender.patient()
    body = {**filled(sample(name), 2), "subject": {"reference": f"Patient/{patient}"}}
    answer = sender.post(body)
    refused(answer, 400, "value")
    assert LFORMS[name] in answer.text
    answer = sender.post(plain(body))
    assert answer.status_code == 201, answer.text
    consented(sender)
    (total,) = sender.resources(f"Observation?patient={patient}&code=44261-6")
    assert total["valueQuantity"]["value"] == 18


def plain(node: Any) -> Any:
    """Return it without extensions, to which the form's faults are confined."""
    if isinstance(node, list):
        return [plain(each) for each in node]
    if isinstance(node, dict):
        return {key: plain(each) for key, each in node.items() if key != "extension"}
    return node


def test_the_mii_response_is_refused_for_its_canonical(sender: Client):
    patient = sender.patient()
    body = sample("mii-proms/QuestionnaireResponse-mii-exa-pro-phq-9-response.json")
    del body["id"]
    answer = sender.post({**body, "subject": {"reference": f"Patient/{patient}"}})
    refused(answer, 400, "code-invalid", "QuestionnaireResponse.questionnaire")
    assert "must be absolute" in answer.text
    assert sender.resources(f"QuestionnaireResponse?patient={patient}") == []
