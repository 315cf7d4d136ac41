"""What was recorded since a merge, when it is undone: what goes back and what stays."""

import orjson
import pytest
from sqlmodel import col, select

from service.commands import ReceivePatient, UndoLink
from service.fhir.audiences import connection_audience, identifier_key
from service.handlers import execute
from service.models.aggregates import patient_aggregate
from service.models.enrollments import Attendance
from service.models.patients import Link, SentPatient
from service.models.screening import Alert, Response
from service.patients import replace_sent
from tests import world
from tests.fresh import wrong_documents
from tests.service.merging.scene import Scene, merge, scene, undo
from tests.stored import current, rows


@pytest.fixture
def database(sqlite_database):
    return sqlite_database


@pytest.fixture
def here(database) -> Scene:
    return scene(database)


def owner(database, row):
    return database.read(lambda session: session.get(type(row), row.id)).patient_id


def link_of(database, hospital) -> Link:
    query = select(Link).where(Link.connection_id == hospital.id, col(Link.undone_at).is_(None))
    return database.read(lambda session: session.exec(query).one())


def patient_at(database, hospital) -> str:
    sql = (
        f"SELECT id FROM documents WHERE audience = {hospital.number} AND type = 'Patient'"
        " AND NOT deleted"
    )
    ((found,),) = rows(database, sql)
    return found


def send(database, person, hospital, text: bytes) -> None:
    """Keep what a hospital says of its Patient."""
    command = ReceivePatient(
        patient_id=person.id, connection_id=hospital.id, received=text, sent_by="client"
    )
    database.unit_of_work(lambda s: replace_sent(s, command), patient_aggregate(person.id))


def told(database, hospital) -> bytes:
    sql = f"SELECT content FROM documents WHERE id = '{patient_at(database, hospital)}'"
    ((content,),) = rows(database, sql)
    return bytes(content)


def sent_body(family: str) -> bytes:
    return orjson.dumps({"resourceType": "Patient", "name": [{"family": family}]})


def test_attendance_goes_with_its_enrolment_and_alerts_with_their_response(here):
    row = here.merge()
    later = world.session(here.database, here.groups[0])
    (mark,) = world.attend(here.database, later, here.target)
    undo(here.database, row)
    assert owner(here.database, mark) == here.source.id
    kept = world.respond(here.database, here.source, world.phq9(item9=1))
    again = here.merge()
    assert owner(here.database, kept.alert) == here.target.id
    undo(here.database, again)
    assert owner(here.database, kept.alert) == owner(here.database, kept.response)
    assert wrong_documents(here.database) == []


def test_what_was_made_since_stays_with_the_target(here):
    row = here.merge()
    elsewhere = world.group(here.database)
    seat = world.enroll(here.database, here.target, elsewhere)
    own = world.respond(here.database, here.target).response
    c = world.hospital(here.database, "C")
    tie = world.link(here.database, here.target, c)
    undo(here.database, row)
    for each in (seat, own, tie):
        assert owner(here.database, each) == here.target.id
    assert wrong_documents(here.database) == []


def test_what_a_hospital_sent_since_about_its_record_goes_back(here):
    row = here.merge()
    at_a = world.respond(here.database, here.target, connection_id=here.a.id)
    at_b = world.respond(here.database, here.target, connection_id=here.b.id)
    undo(here.database, row)
    assert owner(here.database, at_a.response) == here.source.id
    assert owner(here.database, at_b.response) == here.target.id
    assert wrong_documents(here.database) == []


def test_a_hospital_linked_anew_knows_the_person_by_the_same_id(here):
    before = patient_at(here.database, here.a)
    row = here.merge()
    tie = link_of(here.database, here.a)
    execute(here.database, UndoLink(link_id=tie.id, undone_by="tester", reason="doubt"))
    assert wrong_documents(here.database) == []
    again = world.link(here.database, here.target, here.a)
    assert patient_at(here.database, here.a) == before
    undo(here.database, row)
    assert owner(here.database, again) == here.source.id
    assert patient_at(here.database, here.a) == before
    assert wrong_documents(here.database) == []


def test_a_hospital_reads_the_patient_that_it_sent_whatever_the_other_record_had(here):
    """The target was linked to A once, by mistake, and A sent its Patient then."""
    tie = world.link(here.database, here.target, here.a)
    send(here.database, here.target, here.a, sent_body("Mistaken"))
    execute(here.database, UndoLink(link_id=tie.id, undone_by="tester", reason="a namesake"))
    send(here.database, here.source, here.a, sent_body("Right"))
    before = current(here.database)
    row = here.merge()
    assert b'"Right"' in told(here.database, here.a)
    undo(here.database, row)
    assert current(here.database) == before
    row = here.merge()
    send(here.database, here.target, here.a, sent_body("Newer"))
    undo(here.database, row)
    assert b'"Newer"' in told(here.database, here.a)
    found = here.database.read(
        lambda s: {r.patient_id: r.received for r in s.exec(select(SentPatient))}
    )
    assert found[here.target.id] == sent_body("Mistaken")


def test_a_patient_sent_since_the_merge_goes_back_with_its_hospital(here):
    row = here.merge()
    send(here.database, here.target, here.a, sent_body("Sent"))
    undo(here.database, row)
    assert b'"Sent"' in told(here.database, here.a)
    assert wrong_documents(here.database) == []


def test_a_response_of_a_link_undone_names_the_patient_that_the_sender_reads_now(here):
    """A sent a response about the source, was found linked wrongly, and is linked to the target."""
    key = here.database.read(identifier_key)
    audience = connection_audience(key, here.a)
    subject = audience.reference("Patient", f"patient:{here.source.id.hex}")
    body = {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": "http://loinc.org/q/44249-1",
        "status": "completed",
        "subject": {**subject, "display": "L. R."},
    }
    received = orjson.dumps(body)
    world.respond(here.database, here.source, connection_id=here.a.id, received=received)
    tie = link_of(here.database, here.a)
    execute(here.database, UndoLink(link_id=tie.id, undone_by="tester", reason="the other"))
    world.link(here.database, here.target, here.a)
    here.merge()
    sql = (
        f"SELECT content FROM documents WHERE audience = {here.a.number} AND owner = 'shared'"
        " AND type = 'QuestionnaireResponse' AND NOT deleted"
    )
    ((content,),) = rows(here.database, sql)
    now = patient_at(here.database, here.a)
    assert orjson.loads(bytes(content))["subject"] == {
        "reference": f"Patient/{now}",
        "display": "L. R.",
    }
    assert subject["reference"] != f"Patient/{now}"
    assert wrong_documents(here.database) == []


def test_nothing_is_left_at_the_source_while_it_is_retired(here):
    here.merge()
    for table in (Link, Attendance, Response, Alert):
        query = select(table).where(table.patient_id == here.source.id)
        assert here.database.read(lambda s, q=query: list(s.exec(q))) == []


def test_older_versions_of_what_a_merge_gave_are_sealed_when_it_is_undone(here):
    row = here.merge()
    b = f"d.audience = {here.b.number} AND d.deleted AND d.patient_key = '{here.source.id.hex}'"
    undo(here.database, row)
    sql = f"SELECT v.sealed FROM document_versions v JOIN documents d ON d.id = v.id WHERE {b}"
    sealed = [bool(each) for (each,) in rows(here.database, sql)]
    assert len(sealed) > 5
    assert all(sealed)
    assert merge(here.database, here.source, here.target)
