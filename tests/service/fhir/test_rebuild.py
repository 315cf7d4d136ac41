"""A rebuild renders what an older mapping made, and leaves alone what would say the same."""

from collections import Counter
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlmodel import select

from fhir_mappings import patient
from fhir_mappings.registry import build_registry
from service.commands import UpdatePatient, WithdrawConsent
from service.errors import OutdatedError
from service.fhir.mapping import Registry
from service.fhir.projection import DocumentProjector
from service.fhir.rebuild import NAME, rebuild
from service.handlers import execute
from service.models.consents import Consent
from service.models.patients import Patient
from service.upkeep import under_way
from tests import world
from tests.conftest import open_database
from tests.fresh import wrong_documents

VERSIONS = "SELECT id, version, type, owner, revision FROM documents"
INDEXES = [f"document_{each}s" for each in ("token", "string", "date", "number", "reference")]
KINDS = "SELECT kind FROM events"


@pytest.fixture
def programme(database):
    """Two hospitals, a group, three people with sessions and scores."""
    hospitals = [world.hospital(database, name) for name in "AB"]
    group = world.group(database)
    people = [world.linked(database, *hospitals) for _ in range(3)]
    for person in people:
        world.enroll(database, person, group)
        world.respond(database, person, group_id=group.id)
    world.attend(database, world.session(database, group), *people)
    return database


def rows(database, sql):
    return database.read(lambda session: session.execute(text(sql)).all())


def raised(name: str, *, by: int = 1, said: str | None = None) -> Registry:
    """The registry with the mappings of this type at a higher revision, saying something more."""

    def changed(mapping):
        def render(facts, view):
            for draft in mapping.render(facts, view):
                more = {"implicitRules": said} if said else {}
                yield replace(draft, resource={**draft.resource, **more})

        return replace(mapping, render=render, revision=mapping.revision + by)

    registry = build_registry()
    mappings = [changed(each) if each.type == name else each for each in registry.mappings]
    return replace(registry, mappings=tuple(mappings))


def rename(database, patient_id):
    execute(database, UpdatePatient(patient_id=patient_id, given="Renamed"))


def patients(database):
    return database.read(lambda session: session.exec(select(Patient.id)).all())


def versions(database):
    return {row.id: row.version for row in rows(database, VERSIONS)}


@pytest.mark.parametrize("everything", [False, True])
def test_what_says_the_same_keeps_its_version(programme, everything):
    before, events = versions(programme), len(rows(programme, KINDS))
    done = rebuild(programme, programme.projector, everything=everything)
    assert versions(programme) == before
    assert len(rows(programme, KINDS)) == events
    assert done.versions == 0
    assert bool(done.sources) is everything


def test_a_raised_revision_with_the_same_content_is_noted_and_makes_no_version(programme):
    before = versions(programme)
    registry = raised("Encounter")
    done = rebuild(programme, DocumentProjector(registry))
    assert done.sources == 3
    assert versions(programme) == before
    assert rebuild(programme, DocumentProjector(registry)).sources == 0
    found = {row.revision for row in rows(programme, VERSIONS) if row.type == "Encounter"}
    assert found == {registry.revisions["Encounter", "visit"]}


def test_changed_content_makes_one_version_each_of_kind_rerendered(programme):
    before, was = versions(programme), Counter(rows(programme, KINDS))
    projector = DocumentProjector(raised("Encounter", said="urn:new"))
    rebuild(programme, projector)
    changed = {row.id for row in rows(programme, VERSIONS) if row.type == "Encounter"}
    assert len(changed) == 9  # three people, for two hospitals and the programme
    assert versions(programme) == {one: n + (one in changed) for one, n in before.items()}
    assert Counter(rows(programme, KINDS)) - was == Counter({("rerendered",): len(changed)})
    assert rebuild(programme, projector).sources == 0
    programme.projector = projector
    assert wrong_documents(programme) == []


def test_what_a_mapping_makes_no_more_is_removed_and_not_looked_at_again(programme):
    registry = build_registry()
    mappings = tuple(
        replace(each, render=lambda _facts, _view: (), revision=each.revision + 1)
        if each.type in {"Flag", "Encounter"}
        else each
        for each in registry.mappings
    )
    projector = DocumentProjector(replace(registry, mappings=mappings))
    assert rebuild(programme, projector).versions == 9
    assert rebuild(programme, projector).sources == 0


def test_documents_of_a_newer_version_are_left_alone_and_told(programme):
    newer = DocumentProjector(raised("Encounter", said="urn:new"))
    rebuild(programme, newer)
    before = versions(programme)
    done = rebuild(programme, programme.projector, everything=True)
    assert versions(programme) == before
    assert (done.versions, done.newer) == (0, 9)


def test_a_process_of_an_older_version_is_refused_rather_than_replacing(programme):
    rebuild(programme, DocumentProjector(raised("Patient", said="urn:new")))
    world.patient(programme)  # it concerns nothing of the newer version's
    before = versions(programme)
    with pytest.raises(OutdatedError, match="restart"):
        rename(programme, patients(programme)[0])
    assert versions(programme) == before


def test_a_rebuild_of_everything_goes_on_where_it_was_stopped(programme, monkeypatch):
    monkeypatch.setattr("service.fhir.rebuild.CHUNK", 2)
    total, seen = [], []

    def stop(done, of):
        total.append(of)
        if done >= 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rebuild(programme, programme.projector, everything=True, progress=stop)
    rebuild(
        programme, programme.projector, everything=True, progress=lambda *each: seen.append(each)
    )
    assert seen[-1][0] == total[0] - 6
    assert programme.read(lambda session: under_way(session, NAME)) is None


def test_a_rebuild_by_other_mappings_begins_anew(programme, monkeypatch):
    monkeypatch.setattr("service.fhir.rebuild.CHUNK", 2)

    def stop(done, _of):
        if done >= 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rebuild(programme, programme.projector, everything=True, progress=stop)
    whole = rebuild(programme, programme.projector, everything=True).sources + 6
    projector = DocumentProjector(raised("Encounter"))
    with pytest.raises(KeyboardInterrupt):
        rebuild(programme, programme.projector, everything=True, progress=stop)
    assert rebuild(programme, projector, everything=True).sources == whole


def test_a_document_that_is_missing_comes_with_everything(programme):
    with programme.engine.begin() as connection:
        for table in ("documents", *INDEXES):
            connection.execute(text(f"DELETE FROM {table} WHERE type = 'Encounter'"))
    assert len(wrong_documents(programme)) == 9
    rebuild(programme, programme.projector, everything=True)
    assert wrong_documents(programme) == []


def test_a_chunk_that_takes_too_long_is_halved(programme, monkeypatch):
    projector = DocumentProjector(raised("Encounter", said="urn:new"))
    again, sizes = projector.render_again, []

    def slow(session, sources, stamp):
        sizes.append(len(sources.keys()))
        monkeypatch.setattr("service.database.WRITE_SECONDS", 0 if sizes[-1] > 1 else 60)
        return again(session, sources, stamp)

    monkeypatch.setattr(projector, "render_again", slow)
    assert rebuild(programme, projector).sources == 3
    assert sizes == [3, 1, 2, 1, 1]


def test_changes_go_on_during_a_rebuild(database_url, programme, monkeypatch):
    monkeypatch.setattr("service.fhir.rebuild.CHUNK", 1)
    serving = open_database(database_url)
    projector = DocumentProjector(raised("Encounter", said="urn:new"))
    people = iter(patients(programme))

    def change(_done, _of):
        rename(serving, next(people))

    assert rebuild(programme, projector, progress=change).sources == 3
    serving.close()
    programme.projector = projector
    assert wrong_documents(programme) == []


def test_who_only_sent_something_has_no_older_version_that_said_who_it_is(database, monkeypatch):
    hospital = world.hospital(database, "A")
    person = world.linked(database, hospital)
    world.respond(database, person, connection_id=hospital.id)
    monkeypatch.setattr(patient, "only_sent", lambda _view: False)  # as before revision 3
    held = database.read(lambda session: session.exec(select(Consent)).all())
    for each in held:
        execute(database, WithdrawConsent(consent_id=each.id, withdrawn_by="tester"))
    monkeypatch.undo()
    own = f"WHERE type = 'Patient' AND audience = {hospital.number}"
    ((before,),) = rows(database, f"SELECT content FROM documents {own}")
    rebuild(database, database.projector, everything=True)
    ((after,),) = rows(database, f"SELECT content FROM documents {own}")
    assert (b'"family"' in bytes(before), b'"family"' in bytes(after)) == (True, False)
    older = f"SELECT sealed FROM document_versions WHERE id IN (SELECT id FROM documents {own})"
    assert {bool(sealed) for (sealed,) in rows(database, older)} == {True}
