"""Documents in the store, of what a hospital sent and of what the programme recorded."""

import json

import orjson
import pytest
from sqlmodel import text

from fhir_mappings.questionnaire_response import to_command
from fhir_mappings.structure import validate
from service.clock import system_clock
from service.commands import CorrectResponse, UndoLink
from service.fhir.lexical import parse
from service.handlers import execute
from service.models.consents import Category
from service.models.screening import ResponseStatus
from tests import world
from tests.fhir_mappings.fixed_facts import SENT
from tests.fresh import wrong_documents

ABOUT = {"Observation", "Patient", "QuestionnaireResponse"}


def documents(database, connection):
    """Return the current documents of a hospital, by type; facilities left out."""
    statement = text(
        "SELECT d.type, d.version, d.content FROM documents d JOIN connections c"
        " ON c.number = d.audience WHERE NOT d.deleted AND d.type <> 'Organization'"
        " AND c.name = :name"
    )
    rows = database.read(
        lambda session: session.execute(statement, {"name": connection.name}).all()
    )
    found = {}
    for kind, version, content in rows:
        found.setdefault(kind, []).append((version, orjson.loads(content)))
    return found


def send(database, person, connection, body=SENT):
    command = to_command(
        parse(body).value,
        patient_id=person.id,
        connection_id=connection.id,
        received=body,
        now=system_clock(),
    )
    return execute(database, command).response


@pytest.fixture
def hospitals(database):
    return world.hospital(database, "A"), world.hospital(database, "B")


def test_a_hospital_that_sent_a_response_has_the_patient_too(database, hospitals):
    a, b = hospitals
    person = world.patient(database)
    links = [world.link(database, person, each) for each in hospitals]
    assert documents(database, a) == {}
    send(database, person, a)
    assert set(documents(database, a)) == ABOUT
    assert documents(database, b) == {}
    assert wrong_documents(database) == []
    execute(database, UndoLink(link_id=links[0].id, undone_by="t", reason="another person"))
    assert documents(database, a) == {}


def test_the_sender_reads_its_bytes_until_they_are_corrected(database, hospitals):
    a, _ = hospitals
    person = world.patient(database)
    world.link(database, person, a)
    row = send(database, person, a)
    ((version, first),) = documents(database, a)["QuestionnaireResponse"]
    sent = json.loads(SENT)
    assert (version, {name: first[name] for name in sent}) == (1, sent)
    correction = CorrectResponse(
        response_id=row.id,
        answers={"/44250-9": 2},
        status=ResponseStatus.AMENDED,
        corrected_by="coordinator",
    )
    execute(database, correction)
    execute(database, correction)
    ((version, second),) = documents(database, a)["QuestionnaireResponse"]
    assert (version, second["status"]) == (2, "amended")
    assert second["authored"] == sent["authored"]


def test_everything_a_hospital_reads_is_well_made(database, hospitals):
    a, _ = hospitals
    person = world.linked(database, a)
    group = world.group(database)
    world.enroll(database, person, group)
    world.attend(database, world.session(database, group), person)
    world.respond(database, person, world.phq9(item9=1))
    found = documents(database, a)
    assert ABOUT | {"Flag", "Appointment", "Consent", "Encounter", "EpisodeOfCare", "Group"} <= set(
        found
    )
    assert len(found["Consent"]) == len(Category)
    for rows in found.values():
        for _, document in rows:
            assert validate(document) == []
    assert wrong_documents(database) == []
