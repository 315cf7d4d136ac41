"""Patients from NDJSON and Bundles: added and linked, known again, never doubled unasked."""

import json
from datetime import date
from uuid import UUID

import pytest

from service.commands import LinkPatient, ReceivePatient, UndoLink
from service.errors import InvalidError, NotFoundError
from service.handlers import execute
from service.imports import patients as importing
from service.imports import resources
from service.imports.running import Mode
from service.models.patients import Link, LinkMethod, Patient
from service.patients import receive_patient
from tests import world
from tests.fresh import wrong_documents
from tests.service.imports.files import imported, ndjson, patient, patients, rows, stored


@pytest.fixture
def database(sqlite_database):
    return sqlite_database


@pytest.fixture
def hospital(database):
    return world.hospital(database)


@pytest.fixture
def put(database, hospital, tmp_path):
    def call(*lines, namesakes=False, mode=Mode.WHOLE):
        file = ndjson(tmp_path / "patients.ndjson", lines)
        return imported(database, patients(file, hospital, namesakes=namesakes), mode)

    return call


def one(hospital, number=1, **more):
    return patient(number, hospital.mrn_system, **more)


def test_a_person_is_added_and_linked_by_import(database, hospital, put):
    old = {"system": hospital.mrn_system, "value": "OLD", "use": "old"}
    new = {"system": hospital.mrn_system, "value": "NEW"}
    found = put(one(hospital, identifier=[{"value": "x"}, old, new]), one(hospital, 2))
    assert found.counts == (2, 0, 0, 0)
    link = next(row for row in rows(database, Link) if row.ehr_patient_id == "ehr-1")
    assert (link.mrn, link.method, link.confirmed_by) == ("NEW", LinkMethod.IMPORT, "tester")
    person = next(row for row in rows(database, Patient) if row.family == "Imported1")
    assert (person.city, str(person.birth_date)) == ("Town", "1980-01-31")
    assert not wrong_documents(database)


def test_who_is_known_by_number_or_id_stays_as_the_programme_has_them(database, hospital, put):
    put(one(hospital, 1), one(hospital, 2))
    before = stored(database)
    renamed = [{"family": "Other", "given": ["Name"]}]
    by_number = one(hospital, 1, id="ehr-other", name=renamed)
    by_id = one(hospital, 2, identifier=[{"value": "x"}], name=renamed)
    assert put(by_number, by_id).counts == (0, 0, 2, 0)
    assert stored(database) == before


def test_whom_the_hospital_sent_is_not_added_again(database, hospital, put):
    sent = ReceivePatient(
        patient_id=UUID(int=7),
        connection_id=hospital.id,
        received=b'{"resourceType":"Patient"}',
        sent_by="ehr",
        family="Sent",
        identifiers=((hospital.mrn_system, "MRN-7"),),
    )
    database.unit_of_work(lambda session: receive_patient(session, sent, database.clock()))
    assert put(one(hospital, 7)).counts == (0, 0, 1, 0)


def test_a_number_of_one_person_and_an_id_of_another_is_rejected(hospital, put):
    put(one(hospital, 1), one(hospital, 2))
    found = put(one(hospital, 1, id="ehr-2"))
    assert [(each.row, each.column) for each in found.rejections] == [(1, "Patient.identifier")]


def test_somebody_of_a_known_name_and_birth_date_is_for_people_to_decide(database, hospital, put):
    """A person whom the programme knows does not become two; nor do two become one."""
    known = world.patient(database, family="IMPORTED1", given="Given", birth_date=date(1980, 1, 31))
    found = put(one(hospital), one(hospital, 2))
    assert [(each.row, each.column) for each in found.rejections] == [(1, "Patient.name")]
    link = LinkPatient(
        patient_id=known.id,
        connection_id=hospital.id,
        ehr_patient_id="ehr-1",
        mrn="MRN-1",
        confirmed_by="a person",
    )
    made = execute(database, link)
    assert put(one(hospital)).counts == (0, 0, 1, 0)
    execute(database, UndoLink(link_id=made.id, undone_by="a person", reason="another person"))
    assert put(one(hospital)).counts == (0, 0, 0, 1)
    assert put(one(hospital), namesakes=True).counts == (1, 0, 0, 0)
    assert len(rows(database, Patient)) == 2


def test_two_records_of_one_name_in_a_hospital_are_two_people(hospital, put):
    same = [{"family": "Same", "given": ["Name"]}]
    assert put(one(hospital, 1, name=same), one(hospital, 2, name=same)).counts == (2, 0, 0, 0)


def test_without_a_birth_date_nobody_is_taken_for_another(database, hospital, put):
    world.patient(database, family="Imported1", given="Given")
    unborn = one(hospital)
    del unborn["birthDate"]
    assert put(unborn).counts == (1, 0, 0, 0)


def test_what_a_patient_breaks_is_named_by_its_element(database, hospital, put):
    found = put(
        one(hospital, 1, gender="F"),
        '{"resourceType":"Patient",',
        one(hospital, 3, identifier=[{"value": "x"}]),
        one(hospital, 4, name=[{"text": "Only Text"}]),
        {key: value for key, value in one(hospital, 5).items() if key != "id"},
        one(hospital, 6, birthDate="2999-01-01"),
        '["Patient"]',
        one(hospital, 8, name=[{"family": "x" * 1_000_000}]),
        one(hospital, 9),
    )
    assert [(each.row, each.column) for each in found.rejections] == [
        (1, "Patient.gender"),
        (2, "Resource"),
        (3, "Patient.identifier"),
        (4, "Patient.name.family"),
        (5, "Patient.id"),
        (6, "Patient.birthDate"),
        (7, "Resource"),
        (8, ""),
    ]
    assert rows(database, Patient) == []


def test_resources_of_other_types_are_left_out_and_counted(hospital, put):
    found = put(
        {"resourceType": "Observation"},
        "",
        one(hospital),
        {"resourceType": "=1"},
        {},
    )
    assert found.counts == (1, 0, 0, 0)
    assert found.report.total.ignored == {"Observation": 1, "no resource": 2}


@pytest.mark.parametrize("kind", resources.BUNDLES)
def test_the_patients_of_a_bundle_are_its_entries(database, hospital, tmp_path, kind):
    entries = [
        {"resource": one(hospital)},
        {"resource": {"resourceType": "Observation"}},
        {"request": {"method": "DELETE", "url": "Patient/1"}},
        {"resource": one(hospital, 2, gender="F")},
        "no entry",
    ]
    file = tmp_path / "bundle.json"
    bundle = {"resourceType": "Bundle", "type": kind, "entry": entries}
    file.write_text("\ufeff" + json.dumps(bundle, indent=1), encoding="utf-8")
    found = imported(database, patients(file, hospital), Mode.PARTIAL)
    assert found.counts == (1, 0, 0, 1)
    assert [(each.row, each.column) for each in found.rejections] == [(4, "Patient.gender")]
    assert found.report.total.ignored == {"Observation": 1, "entry without a resource": 2}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"resourceType":"Bundle","type":"history"}', "must be a Bundle of type"),
        ('{"resourceType":"Bundle","type":"collection",}', "neither NDJSON nor a Bundle"),
        ("family,given", "neither NDJSON nor a Bundle"),
        ("", "neither NDJSON nor a Bundle"),
    ],
)
def test_what_is_neither_is_refused(database, hospital, tmp_path, content, said):
    file = tmp_path / "file.json"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(InvalidError, match=said):
        imported(database, patients(file, hospital))


def test_a_bundle_without_entries_has_none(sqlite_database, tmp_path):
    hospital = world.hospital(sqlite_database)
    file = tmp_path / "file.json"
    file.write_text('{"resourceType":"Bundle","type":"collection","entry":{}}', encoding="utf-8")
    assert imported(sqlite_database, patients(file, hospital)).counts == (0, 0, 0, 0)


def test_a_bundle_that_is_too_large_is_refused(sqlite_database, tmp_path, monkeypatch):
    monkeypatch.setattr(resources, "LONGEST_BUNDLE", 100)
    hospital = world.hospital(sqlite_database)
    file = tmp_path / "file.json"
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"fullUrl": "x" * 99}]}
    file.write_text(json.dumps(bundle), encoding="utf-8")
    with pytest.raises(InvalidError, match="write the Patients as NDJSON"):
        imported(sqlite_database, patients(file, hospital))


def test_a_connection_is_named(database, hospital):
    found = database.read(lambda session: importing.connection_named(session, hospital.name))
    assert found.id == hospital.id
    with pytest.raises(InvalidError, match="no connection named"):
        database.read(lambda session: importing.connection_named(session, "none"))


def test_a_file_that_is_not_there_is_said_so(sqlite_database, tmp_path):
    hospital = world.hospital(sqlite_database)
    with pytest.raises(NotFoundError):
        imported(sqlite_database, patients(tmp_path / "none", hospital))
