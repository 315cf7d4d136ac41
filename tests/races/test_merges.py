"""A merge at the same moment as what is recorded of the person loses neither (ADR 0028)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from service.commands import (
    CorrectResponse,
    Enroll,
    MergePatients,
    RecordConsent,
    RecordResponse,
    UnmergePatients,
    WithdrawConsent,
)
from service.errors import MergedError
from service.models.connections import Connection
from service.models.consents import Category, Consent, Decision
from service.models.patients import Patient
from tests import world
from tests.races.conftest import Arena
from tests.races.test_races import PRESENT, Scene, no_error, scene
from tests.service.merging.scene import merge
from tests.stored import rows

ROUNDS = {"sqlite": 2, "postgresql": 4}


@pytest.fixture(autouse=True)
def fewer(arena: Arena) -> None:
    """Each round makes hundreds of documents; every night all of them are made."""
    kind = "sqlite" if arena.database.sqlite else "postgresql"
    arena.rounds = arena.rounds if arena.rounds > 20 else ROUNDS[kind]


@pytest.fixture
def hospital(arena: Arena) -> Connection:
    return world.hospital(arena.database)


def doubled(arena: Arena, hospital: Connection) -> tuple[Scene, Patient, Patient]:
    """A scene, its first person, whom the hospital knows, and the record it is merged into."""
    here = scene(arena, hospital)
    target = world.patient(arena.database)
    world.enroll(arena.database, target, world.group(arena.database))
    return here, here.people[0], target


def merging(here: Scene, source: Patient, target: Patient) -> Callable[[], Any]:
    given = {"source_id": source.id, "target_id": target.id}
    return here.run(MergePatients(**given, merged_by="tester", reason="one person"))


def at_hospital(arena: Arena, hospital: Connection, kind: str, person: Patient) -> int:
    sql = (
        f"SELECT count(*) FROM documents WHERE audience = {hospital.number} AND type = '{kind}'"
        f" AND NOT deleted AND patient_key = '{person.id.hex}'"
    )
    return int(rows(arena.database, sql)[0][0])


def test_attendance_while_two_records_are_merged(arena: Arena, hospital: Connection) -> None:
    for _ in range(arena.rounds):
        here, source, target = doubled(arena, hospital)
        made, marked = arena.release(
            merging(here, source, target), here.run(here.marks((0, PRESENT), (1, PRESENT)))
        )
        no_error([made])
        came = not isinstance(marked, Exception)  # else the record is no member any more
        assert at_hospital(arena, hospital, "Encounter", target) == came
        assert at_hospital(arena, hospital, "Encounter", source) == 0
        arena.check(here.sources())
    arena.check()


def test_a_response_while_two_records_are_merged(arena: Arena, hospital: Connection) -> None:
    for _ in range(arena.rounds):
        here, source, target = doubled(arena, hospital)
        command = RecordResponse(
            patient_id=source.id, instrument="phq-9", answers=world.phq9(), authored=world.now()
        )
        made, recorded = arena.release(merging(here, source, target), here.run(command))
        no_error([made])
        kept = not isinstance(recorded, Exception)
        assert kept or isinstance(recorded, MergedError)
        assert at_hospital(arena, hospital, "QuestionnaireResponse", target) == kept
        assert at_hospital(arena, hospital, "QuestionnaireResponse", source) == 0
    arena.check()


def test_a_correction_while_two_records_are_merged(arena: Arena, hospital: Connection) -> None:
    for _ in range(arena.rounds):
        here, source, target = doubled(arena, hospital)
        row = world.respond(arena.database, source).response
        command = CorrectResponse(response_id=row.id, answers=world.phq9(3), corrected_by="tester")
        no_error(arena.release(merging(here, source, target), here.run(command)))
        assert at_hospital(arena, hospital, "QuestionnaireResponse", target) == 1
    arena.check()


def test_a_consent_withdrawn_while_two_records_are_merged(
    arena: Arena, hospital: Connection
) -> None:
    for _ in range(arena.rounds):
        here, source, target = doubled(arena, hospital)
        here.run(here.marks((0, PRESENT)))()
        given = _permits(arena, source, Category.ATTENDANCE)
        withdrawals = [
            here.run(WithdrawConsent(consent_id=one, withdrawn_by="tester")) for one in given
        ]
        no_error(arena.release(merging(here, source, target), *withdrawals))
        for person in (source, target):
            assert at_hospital(arena, hospital, "Encounter", person) == 0
        arena.check(here.sources())
    arena.check()


def _permits(arena: Arena, person: Patient, category: Category) -> list[Any]:
    query = select(Consent).where(Consent.patient_id == person.id)
    rows = arena.database.read(lambda session: session.exec(query).all())
    return [row.id for row in rows if row.categories == [category.value]]


def test_a_denial_while_two_records_are_parted(arena: Arena, hospital: Connection) -> None:
    """Said before they are two again, it holds for both; said after, for the record it names."""
    for _ in range(arena.rounds):
        here, source, target = doubled(arena, hospital)
        world.respond(arena.database, source)
        row = merge(arena.database, source, target)
        parting = UnmergePatients(merge_id=row.id, undone_by="tester", reason="two people")
        denial = RecordConsent(
            patient_id=target.id,
            connection_id=hospital.id,
            category=Category.SCORES,
            decision=Decision.DENY,
            recorded_by="tester",
        )
        no_error(arena.release(here.run(parting), here.run(denial)))
        assert at_hospital(arena, hospital, "Observation", target) == 0
    arena.check()


def test_two_merges_that_would_make_a_circle(arena: Arena, hospital: Connection) -> None:
    for _ in range(arena.rounds):
        here, source, target = doubled(arena, hospital)
        results = arena.release(merging(here, source, target), merging(here, target, source))
        (refused,) = (one for one in results if isinstance(one, Exception))
        assert isinstance(refused, MergedError)
    arena.check()


def test_an_enrolment_while_two_records_are_merged(arena: Arena, hospital: Connection) -> None:
    for _ in range(arena.rounds):
        here, source, target = doubled(arena, hospital)
        elsewhere = world.group(arena.database)
        world.session(arena.database, elsewhere, world.now() + timedelta(days=1))
        enrol = Enroll(patient_id=target.id, group_id=elsewhere.id)
        no_error(arena.release(merging(here, source, target), here.run(enrol)))
        assert at_hospital(arena, hospital, "EpisodeOfCare", target) == 3
    arena.check()
