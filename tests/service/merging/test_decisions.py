"""What either record refuses stays refused, merged and parted."""

from datetime import timedelta

import pytest
from sqlmodel import select

from service.commands import WithdrawConsent
from service.handlers import execute
from service.models.connections import ConsentPolicy
from service.models.consents import Category, Consent, Decision
from tests import world
from tests.fresh import wrong_documents
from tests.service.merging.scene import merge, undo
from tests.stored import current, rows

SCORES = Category.SCORES


@pytest.fixture
def database(sqlite_database):
    return sqlite_database


@pytest.fixture(params=list(ConsentPolicy))
def hospital(database, request):
    return world.hospital(database, "A", request.param)


@pytest.fixture
def two(database, hospital):
    """Both have a score; the hospital knows the first."""
    people = world.patient(database), world.patient(database)
    for each in people:
        world.respond(database, each)
    world.link(database, people[0], hospital)
    return people


def decide(database, person, hospital, **more) -> Consent:
    return world.consent(database, person, hospital, [SCORES], **more)[SCORES]


def withdraw(database, row) -> None:
    execute(database, WithdrawConsent(consent_id=row.id, withdrawn_by="tester"))


def scores(database, hospital) -> int:
    where = f"audience = {hospital.number} AND type = 'Observation' AND NOT deleted"
    sql = f"SELECT count(*) FROM documents WHERE {where}"
    ((found,),) = rows(database, sql)
    return found


def consents(database, person) -> list[Consent]:
    query = select(Consent).where(Consent.patient_id == person.id)
    return database.read(lambda session: list(session.exec(query)))


@pytest.mark.parametrize("refusing", [0, 1])
@pytest.mark.parametrize("into", [0, 1])
def test_a_denial_wins_whoever_said_it(database, hospital, two, refusing, into):
    decide(database, two[refusing], hospital, decision=Decision.DENY)
    decide(database, two[1 - refusing], hospital)
    row = merge(database, two[1 - into], two[into])
    assert scores(database, hospital) == 0
    undo(database, row)
    assert scores(database, hospital) == refusing


@pytest.mark.parametrize("refusing", [0, 1])
@pytest.mark.parametrize("into", [0, 1])
def test_a_withdrawal_in_force_wins_over_the_others_permit(database, hospital, two, refusing, into):
    permit = decide(database, two[1 - refusing], hospital)
    withdraw(database, decide(database, two[refusing], hospital))
    before = current(database)
    row = merge(database, two[1 - into], two[into])
    assert scores(database, hospital) == 0
    assert wrong_documents(database) == []
    undo(database, row)
    assert current(database) == before
    assert scores(database, hospital) == refusing
    (left,) = (each for each in consents(database, two[1 - refusing]) if each.id == permit.id)
    assert left.withdrawn_at is None


def test_a_permit_given_after_the_merge_counts(database, hospital, two):
    withdraw(database, decide(database, two[0], hospital))
    decide(database, two[1], hospital)
    merge(database, *two)
    decide(database, two[1], hospital)
    assert scores(database, hospital) == 2


def test_a_withdrawal_that_a_later_permit_outdid_refuses_nothing(database, hospital, two):
    withdraw(database, decide(database, two[0], hospital))
    decide(database, two[0], hospital)
    decide(database, two[1], hospital)
    merge(database, *two)
    assert scores(database, hospital) == 2


@pytest.mark.parametrize("wide", ["covers_part2", "shows_group_name"])
def test_what_was_taken_back_in_part_is_not_given_again_by_the_other(database, hospital, two, wide):
    withdraw(database, decide(database, two[0], hospital, **{wide: True}))
    decide(database, two[0], hospital)
    wider = decide(database, two[1], hospital, **{wide: True})
    merge(database, *two)
    (found,) = (each for each in consents(database, two[1]) if each.id == wider.id)
    assert found.withdrawn_at is not None
    assert scores(database, hospital) == 2


def test_a_permit_that_is_over_is_left_as_it_is(database, hospital, two):
    withdraw(database, decide(database, two[0], hospital))
    yesterday = world.now() - timedelta(days=1)
    over = decide(database, two[1], hospital, start=yesterday, end=world.now())
    merge(database, *two)
    (found,) = (each for each in consents(database, two[1]) if each.id == over.id)
    assert found.withdrawn_at is None


def test_one_hospitals_consents_give_another_nothing(database, two, hospital):
    other = world.hospital(database, "B")
    world.link(database, two[1], other)
    decide(database, two[0], hospital)
    merge(database, *two)
    assert scores(database, hospital) == 2
    assert scores(database, other) == 0


def test_what_is_denied_while_they_are_one_is_denied_for_both(database, hospital, two):
    for each in two:
        decide(database, each, hospital)
    row = merge(database, *two)
    decide(database, two[1], hospital, decision=Decision.DENY)
    undo(database, row)
    assert scores(database, hospital) == 0
    assert {each.decision for each in consents(database, two[0])} == set(Decision)
    assert wrong_documents(database) == []


def test_what_is_withdrawn_while_they_are_one_is_refused_for_both(database, hospital, two):
    """The hospital may have the source's by policy, and the target's permit was withdrawn."""
    permit = decide(database, two[1], hospital)
    row = merge(database, *two)
    assert scores(database, hospital) == 2
    withdraw(database, permit)
    assert scores(database, hospital) == 0
    undo(database, row)
    assert scores(database, hospital) == 0
    denied = [each for each in consents(database, two[0]) if each.decision is Decision.DENY]
    assert len(denied) == (hospital.policy is ConsentPolicy.TREATMENT)


def test_what_ended_or_was_taken_back_again_is_not_carried(database, hospital, two):
    decide(database, two[0], hospital)
    row = merge(database, *two)
    withdraw(database, decide(database, two[1], hospital, decision=Decision.DENY))
    withdraw(database, decide(database, two[1], hospital))
    undo(database, row)
    assert scores(database, hospital) == 1
