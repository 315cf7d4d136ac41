"""Responses, scores and alerts; links and consents."""

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from service.commands import CorrectResponse, LinkPatient, UndoLink, UpdatePatient, WithdrawConsent
from service.database import Database
from service.errors import BusinessRuleError, DuplicateError, InvalidElementsError, InvalidError
from service.handlers import execute
from service.instruments import instrument
from service.models.screening import Alert, ResponseChange, ResponseStatus
from tests import world
from tests.fresh import wrong_documents


def correct(database: Database, response_id: Any, answers: dict[str, int], **more: Any) -> Any:
    return execute(
        database,
        CorrectResponse(response_id=response_id, answers=answers, corrected_by="tester", **more),
    )


def test_a_response_is_scored_on_arrival(database: Database) -> None:
    recorded = world.respond(database, world.patient(database), world.phq9(2))
    assert recorded.response.total == 16
    assert recorded.alert is None
    assert not wrong_documents(database)


def test_a_missing_item_gives_no_total_and_is_named(sqlite_database: Database) -> None:
    answers = world.phq9(1)
    del answers[world.PHQ9[2]]
    row = world.respond(sqlite_database, world.patient(sqlite_database), answers).response
    assert row.total is None
    assert row.missing == [world.PHQ9[2]]


def test_item_nine_raises_an_alert_in_the_same_transaction(database: Database) -> None:
    group, person = world.group(database), world.patient(database)
    world.enroll(database, person, group)
    answers = {world.PHQ9[-1]: 1}
    recorded = world.respond(
        database, person, answers, group_id=group.id, status=ResponseStatus.IN_PROGRESS
    )
    assert recorded.alert
    assert recorded.alert.escalation_contact == group.escalation_contact
    assert not wrong_documents(database)


def test_a_correction_keeps_the_answers_and_the_alert(database: Database) -> None:
    person = world.patient(database)
    first = world.respond(database, person, world.phq9(1, item9=3))
    corrected = correct(database, first.response.id, world.phq9(1))
    assert corrected.response.total == 8
    assert corrected.alert.id == first.alert.id  # type: ignore[union-attr]
    kept = database.read(lambda session: session.exec(select(ResponseChange)).one())
    assert kept.total == 11
    assert not wrong_documents(database)


def test_a_correction_can_raise_an_alert_once(sqlite_database: Database) -> None:
    first = world.respond(sqlite_database, world.patient(sqlite_database))
    assert first.alert is None
    for score in (1, 2, 3):
        assert correct(sqlite_database, first.response.id, world.phq9(1, item9=score)).alert
    alerts = sqlite_database.read(lambda session: session.exec(select(Alert)).all())
    assert len(alerts) == 1


def test_a_correction_that_says_the_same_changes_nothing(sqlite_database: Database) -> None:
    row = world.respond(sqlite_database, world.patient(sqlite_database)).response
    again = correct(sqlite_database, row.id, world.phq9(), status=ResponseStatus.COMPLETED)
    assert again.response.row_version == 1


def test_answers_out_of_range_are_named(sqlite_database: Database) -> None:
    person = world.patient(sqlite_database)
    with pytest.raises(InvalidElementsError) as caught:
        world.respond(sqlite_database, person, {"/44250-9": 4, "/nothing": 1})
    assert {problem.element for problem in caught.value.problems} == {
        "answers['/44250-9']",
        "answers['/nothing']",
    }


def test_a_response_is_not_authored_in_the_future(sqlite_database: Database) -> None:
    row = world.respond(sqlite_database, world.patient(sqlite_database)).response
    with pytest.raises(InvalidError) as caught:
        correct(sqlite_database, row.id, world.phq9(), authored=world.now() + timedelta(days=1))
    assert caught.value.element == "authored"


def test_a_response_belongs_to_a_group_that_the_person_is_in(sqlite_database: Database) -> None:
    group, person = world.group(sqlite_database), world.patient(sqlite_database)
    with pytest.raises(BusinessRuleError) as caught:
        world.respond(sqlite_database, person, group_id=group.id)
    assert caught.value.element == "group_id"
    other = world.group(sqlite_database, instruments=("gad-7",))
    with pytest.raises(BusinessRuleError) as caught:
        world.respond(sqlite_database, person, group_id=other.id)
    assert caught.value.element == "instrument"


def test_a_person_and_a_record_are_linked_once(database: Database) -> None:
    hospital, person = world.hospital(database), world.patient(database)
    tie = world.link(database, person, hospital)
    with pytest.raises(DuplicateError):
        world.link(database, person, hospital)
    taken = LinkPatient(
        patient_id=world.patient(database).id,
        connection_id=hospital.id,
        ehr_patient_id="another",
        mrn=tie.mrn,
        confirmed_by="tester",
    )
    with pytest.raises(DuplicateError):
        execute(database, taken)
    undo = UndoLink(link_id=tie.id, undone_by="tester", reason="wrong person")
    execute(database, undo)
    execute(database, taken)
    with pytest.raises(BusinessRuleError):
        execute(database, undo)
    assert not wrong_documents(database)


def test_a_consent_ends_after_it_starts(sqlite_database: Database) -> None:
    hospital, person = world.hospital(sqlite_database), world.patient(sqlite_database)
    with pytest.raises(InvalidError) as caught:
        world.consent(sqlite_database, person, hospital, end=world.now() - timedelta(days=1))
    assert caught.value.element == "end"


def test_a_consent_is_withdrawn_once(sqlite_database: Database) -> None:
    hospital, person = world.hospital(sqlite_database), world.patient(sqlite_database)
    row = next(iter(world.consent(sqlite_database, person, hospital).values()))
    command = WithdrawConsent(consent_id=row.id, withdrawn_by="tester")
    execute(sqlite_database, command)
    with pytest.raises(BusinessRuleError):
        execute(sqlite_database, command)


def test_nobody_is_born_tomorrow(sqlite_database: Database) -> None:
    person = world.patient(sqlite_database)
    tomorrow = (world.now() + timedelta(days=1)).date()
    with pytest.raises(InvalidError) as caught:
        execute(sqlite_database, UpdatePatient(patient_id=person.id, birth_date=tomorrow))
    assert caught.value.element == "birth_date"


def test_scores_beside_the_total_are_kept_with_what_they_were(database: Database) -> None:
    form = instrument("promis-global-10")
    answers = {item.link_id: 3 for item in form.items}
    person = world.patient(database)
    row = world.respond(database, person, answers, instrument=form.id).response
    before = {"gph": 13, "gmh-t": 43.5, "gph-t": 42.3}
    assert (row.total, row.scores) == (12, before)
    corrected = correct(database, row.id, {**answers, "/61578-1": 5}).response
    assert (corrected.total, corrected.scores) == (14, {**before, "gmh-t": 48.3})
    change = database.read(lambda session: session.exec(select(ResponseChange)).one())
    assert (change.total, change.scores) == (12, before)
    assert not wrong_documents(database)


def test_a_form_that_is_in_progress_is_kept_and_scored_as_far_as_it_goes(
    sqlite_database: Database,
) -> None:
    partial = {"/93246-7": 1, "/93247-5": 0}
    recorded = world.respond(
        sqlite_database,
        world.patient(sqlite_database),
        partial,
        instrument="c-ssrs-screener",
        status=ResponseStatus.IN_PROGRESS,
    )
    assert (recorded.response.total, recorded.response.missing) == (None, ["/93267-3", "/93269-9"])
    assert recorded.alert is not None
    done = correct(sqlite_database, recorded.response.id, {**partial, "/93267-3": 0})
    assert (done.response.total, done.response.missing) == (1, [])
