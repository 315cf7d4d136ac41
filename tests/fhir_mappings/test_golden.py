"""What the mappings write, as files: a change of content needs a higher revision."""

import json

import pytest

from tests.fhir_mappings.golden import FOLDER, REVISIONS, documents, revisions, text

ALL = list(documents())
HOW = "raise its revision in fhir_mappings/registry.py, then python -m tests.fhir_mappings.golden"


@pytest.mark.parametrize(("file", "mapping", "document"), ALL, ids=[each[0] for each in ALL])
def test_a_document_is_what_its_golden_file_says(file, mapping, document):
    path = FOLDER / file
    assert path.exists(), f"{file} is new: run python -m tests.fhir_mappings.golden"
    assert text(document) == path.read_text(), f"{mapping} writes something else: {HOW}"


def test_every_golden_file_is_still_written():
    written = {file for file, _, _ in ALL}
    assert {path.name for path in FOLDER.glob("*.json")} == written


def test_revisions_are_the_ones_the_files_were_written_by():
    assert json.loads(REVISIONS.read_text()) == revisions(), HOW


def test_every_type_has_a_golden_file():
    shown = {document["resourceType"] for _, _, document in ALL}
    assert shown == {
        "Appointment", "Communication", "Consent", "Encounter", "EpisodeOfCare", "Flag", "Group",
        "HealthcareService", "Location", "Observation", "Organization", "Patient",
        "Practitioner", "PractitionerRole", "Questionnaire", "QuestionnaireResponse",
        "ServiceRequest", "Task",
    }  # fmt: skip
