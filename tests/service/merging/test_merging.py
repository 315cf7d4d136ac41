"""Everything follows a person; a hospital goes on reading the Patient that it knew."""

import orjson
import pytest

from service.fhir.audiences import identifier_key, programme_audience
from service.models.consents import Category
from tests import world
from tests.fresh import wrong_documents
from tests.service.merging.scene import PROGRAMME, Scene, facts, merge, scene, undo
from tests.stored import current, everything, rows


@pytest.fixture
def here(database) -> Scene:
    return scene(database)


def documents(database, audience, kind):
    where = f"audience = {audience} AND type = '{kind}' AND NOT deleted"
    sql = f"SELECT content FROM documents WHERE {where} ORDER BY id"
    return [orjson.loads(bytes(content)) for (content,) in rows(database, sql)]


def patient_of(database, person):
    key = database.read(identifier_key)
    return programme_audience(key).id("Patient", f"patient:{person.id.hex}")


def test_all_rows_are_the_targets_and_the_source_is_retired(here):
    row = here.merge()
    for table in ("links", "consents", "enrollments", "attendances", "responses", "alerts"):
        people = {
            str(one).replace("-", "")
            for (one,) in rows(here.database, f"SELECT patient_id FROM {table}")
        }
        assert people == {here.target.id.hex}, table
    assert (row.source_id, row.target_id, row.undone_at) == (here.source.id, here.target.id, None)
    assert wrong_documents(here.database) == []


def test_the_programme_reads_a_retired_patient_that_leads_to_the_survivor(here):
    here.merge()
    old, new = (patient_of(here.database, each) for each in (here.source, here.target))
    found = {each["id"]: each for each in documents(here.database, PROGRAMME, "Patient")}
    assert found[old]["active"] is False
    assert found[old]["link"] == [{"other": {"reference": f"Patient/{new}"}, "type": "replaced-by"}]
    assert found[new]["active"] is True
    assert found[new]["link"] == [{"other": {"reference": f"Patient/{old}"}, "type": "replaces"}]
    numbers = {each["system"] for each in found[new]["identifier"]}
    assert {"urn:mrn:A", "urn:mrn:B"} <= numbers


def test_the_programmes_documents_keep_their_ids_and_name_the_survivor(here):
    before = current(here.database, PROGRAMME)
    here.merge()
    after = current(here.database, PROGRAMME)
    old, new = (patient_of(here.database, each) for each in (here.source, here.target))
    assert {key for key in before if key[0] == "1"} <= set(after)
    left = [key for key, said in after.items() if said and old.encode() in said[0]]
    assert sorted(left) == sorted(f"1:Patient/{each}" for each in (old, new))


def test_what_a_hospital_knew_does_not_change_a_byte(here):
    hospitals = (here.a.number, here.b.number)
    before = {each: everything(here.database, each) for each in hospitals}
    here.merge()
    for hospital in hospitals:
        assert len(before[hospital]["documents"]) > 10
        after = everything(here.database, hospital)
        for name, known in before[hospital].items():
            assert known <= after[name], name


def test_a_hospital_that_may_have_nothing_of_the_source_sees_nothing_at_all(database):
    a, b = world.hospital(database, "A"), world.hospital(database, "B")
    source, target = world.linked(database, a), world.patient(database)
    world.link(database, target, b)
    world.consent(database, target, b, [Category.SCORES, Category.ANSWERS, Category.ALERTS])
    of = world.group(database)
    facts(database, target, of, world.session(database, of), 1)
    world.attend(database, world.session(database, of), target)
    elsewhere = world.group(database)
    world.enroll(database, source, elsewhere)
    world.respond(database, source, connection_id=a.id)
    before = everything(database, b.number)
    row = merge(database, source, target)
    assert everything(database, b.number) == before
    undo(database, row)
    assert everything(database, b.number) == before


def test_each_hospital_gets_what_its_own_consents_give_of_the_same_person(here):
    before = {
        each.number: len(documents(here.database, each.number, "Encounter"))
        for each in (here.a, here.b)
    }
    assert set(before.values()) == {1}
    here.merge()
    for hospital in (here.a, here.b):
        for kind, count in (
            ("Encounter", 2),
            ("EpisodeOfCare", 2),
            ("QuestionnaireResponse", 2),
            ("Flag", 2),
            ("Patient", 1),
        ):
            assert len(documents(here.database, hospital.number, kind)) == count
        (person,) = documents(here.database, hospital.number, "Patient")
        assert "link" not in person
        for found in documents(here.database, hospital.number, "Encounter"):
            assert found["subject"]["reference"] == f"Patient/{person['id']}"


def test_a_merge_that_is_undone_at_once_leaves_every_document_as_it_was(here):
    before = current(here.database)
    here.undo(here.merge())
    assert current(here.database) == before
    assert wrong_documents(here.database) == []
    again = here.merge(here.target, here.source)
    here.undo(again)
    assert current(here.database) == before
