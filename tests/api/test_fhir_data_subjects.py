"""What a hospital finds of a person who is restricted, or whose data was erased."""

from uuid import UUID

import pytest

from service.commands import LiftRestriction, RestrictProcessing
from service.handlers import execute
from service.models.subjects import Basis
from service.subjects.erasing import EraseData, erase
from service.subjects.planning import plan
from tests import world
from tests.api.clients import Client, condition, group, observation
from tests.service.subjects.scene import NOBODY_KEEPS, holding

WORDS = ("Canaryberry", "canarycode", "pulsecanary")
CHOSEN = "chosencanary"


@pytest.fixture
def database(sender: Client):
    return sender.endpoint.context.database


def erased(database, patient_id):
    found = database.read(lambda session: plan(session, patient_id, NOBODY_KEEPS, database.clock()))
    command = EraseData(
        patient_id=patient_id, digest=found.digest, basis=Basis.REQUEST, erased_by="officer"
    )
    return erase(database, command, NOBODY_KEEPS)


def key_of(database, shown):
    with database.engine.connect() as connection:
        sql = f"SELECT patient_key FROM documents WHERE id = '{shown}'"
        return connection.exec_driver_sql(sql).scalar_one()


def test_what_a_hospital_sent_goes_with_its_history_and_its_index(
    sender: Client, stranger: Client, database
):
    name = [{"family": "Canaryberry", "given": ["Ada"]}]
    patient = sender.patient(name=name)
    other = sender.patient()
    key = key_of(database, patient)
    kept = sender.made(condition(patient, code={"text": "canarycode"}))
    chosen = observation(patient, id=CHOSEN, code={"text": "pulsecanary"})
    assert sender.put(chosen).status_code == 201
    assert sender.put({**chosen, "valueQuantity": {"value": 73}}).status_code == 200
    theirs = sender.made(condition(other))
    same = stranger.put({**observation(stranger.patient()), "id": CHOSEN})
    assert same.status_code == 201
    assert holding(database, WORDS)
    erased(database, UUID(key))
    for path in (
        f"Patient/{patient}",
        f"Condition/{kept['id']}",
        f"Condition/{kept['id']}/_history/1",
        f"Observation/{CHOSEN}",
        f"Observation/{CHOSEN}/_history/1",
    ):
        assert sender.get(path).status_code in {404, 410}, path
    assert sender.ids("Patient?family=Canaryberry") == []
    assert sender.ids(f"Condition?patient={patient}") == []
    assert sender.get(f"Condition/{theirs['id']}").status_code == 200
    assert stranger.get(f"Observation/{CHOSEN}").json() == same.json()
    assert holding(database, (*WORDS, key)) == set()
    with database.engine.connect() as connection:
        sql = f"SELECT count(*) FROM documents WHERE chosen_id = '{CHOSEN}'"
        assert connection.exec_driver_sql(sql).scalar_one() == 1  # the stranger's
    assert sender.put(observation(other, id=CHOSEN)).status_code == 201


def test_a_restricted_person_is_as_one_who_was_never_linked(sender: Client, database):
    row = world.linked(database, sender.connection)
    group = world.group(database)
    world.enroll(database, row, group)
    world.attend(database, world.session(database, group), row)
    (patient,) = sender.ids("Patient")
    before = {each: sender.get(each).text for each in (f"Patient/{patient}", "Encounter")}
    everything = f"Patient/{patient}/$everything"
    assert sender.get(everything).status_code == 200
    command = RestrictProcessing(patient_id=row.id, reason="disputed", restricted_by="officer")
    made = execute(database, command)
    unknown = sender.get("Patient/" + "0" * 32)
    for path in (f"Patient/{patient}", f"Patient/{patient}/_history/1", everything):
        answer = sender.get(path)
        assert answer.status_code == unknown.status_code == 404, path
    for name in ("Patient", "Encounter", "Appointment", "EpisodeOfCare", "Group", "Consent"):
        assert sender.ids(name) == [], name
    assert sender.post(condition(patient)).status_code == 400
    execute(database, LiftRestriction(restriction_id=made.id, lifted_by="officer"))
    assert sender.ids("Patient") == [patient]
    assert sender.get(f"Patient/{patient}/_history/1").status_code == 404
    assert len(sender.ids("Encounter")) == before["Encounter"].count('"resourceType":"Encounter"')


def test_a_roster_that_names_who_was_erased_is_still_read(sender: Client, database):
    patient, other = sender.patient(), sender.patient()
    cohort = sender.made(group([patient, other]))
    erased(database, UUID(key_of(database, patient)))
    for path in (f"Group/{cohort['id']}", "Group", "Group/_history", "_history"):
        answer = sender.get(path)
        assert (answer.status_code, cohort["id"] in answer.text) == (200, True)
        assert key_of(database, other) in sender.endpoint.audited()[3]
