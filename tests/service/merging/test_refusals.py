"""What cannot be merged, and what a retired record is not used for."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from service import commands
from service.commands import MergePatients, PublishRules, UndoLink, UnmergePatients
from service.errors import (
    BusinessRuleError,
    InvalidElementsError,
    InvalidError,
    MergedError,
    NotFoundError,
    RequiredError,
    UnmergeableError,
    VersionError,
)
from service.handlers import execute
from service.models.consents import Category
from service.models.rules import AgreementMethod
from tests import world
from tests.fresh import wrong_documents
from tests.service.merging.scene import finish, merge, scene
from tests.stored import current

BEGAN = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.fixture
def database(sqlite_database):
    return sqlite_database


@pytest.fixture
def two(database):
    return world.patient(database), world.patient(database)


def refused(database, source, target) -> dict[str, str]:
    with pytest.raises(UnmergeableError) as caught:
        merge(database, source, target)
    return {each.element: each.rule for each in caught.value.problems}


def test_two_records_of_one_hospital_are_its_own_to_merge(database, two):
    hospital = world.hospital(database)
    ties = [world.link(database, each, hospital) for each in two]
    assert list(refused(database, *two)) == [f"connections[{hospital.id}]"]
    execute(database, UndoLink(link_id=ties[0].id, undone_by="tester", reason="a double"))
    merge(database, *two)


def test_two_seats_in_one_group_are_refused_until_one_is_given_up(database, two):
    groups = [world.group(database) for _ in range(2)]
    seats = [world.enroll(database, each, of) for of in groups for each in two]
    assert set(refused(database, *two)) == {f"groups[{each.id}]" for each in groups}
    for seat in seats[::2]:
        finish(database, seat)
    merge(database, *two)
    assert wrong_documents(database) == []


def test_two_marks_at_one_session_are_refused(database, two):
    of = world.group(database)
    held, other = world.session(database, of), world.session(database, of)
    seats = [world.enroll(database, each, of) for each in two]
    world.attend(database, held, *two)
    world.attend(database, other, two[0])
    finish(database, seats[0])
    assert list(refused(database, *two)) == [f"sessions[{held.id}]"]


def test_a_refused_merge_leaves_nothing(database, two):
    hospital, of = world.hospital(database), world.group(database)
    for each in two:
        world.link(database, each, hospital)
        world.enroll(database, each, of)
    before = current(database)
    assert len(refused(database, *two)) == 2
    assert current(database) == before


def test_both_versions_are_compared(database, two):
    source, target = two
    for name in ("source_version", "target_version"):
        with pytest.raises(VersionError) as caught:
            merge(database, source, target, **{name: 2})
        assert caught.value.element == name
    row = merge(database, source, target, source_version=1, target_version=1)
    command = UnmergePatients(merge_id=row.id, undone_by="t", reason="r", if_match=7)
    with pytest.raises(VersionError):
        execute(database, command)


def test_a_merge_needs_two_records_and_a_reason(database, two):
    source, target = two
    given = {"source_id": source.id, "target_id": target.id, "merged_by": "t", "reason": "r"}
    for wrong, error, element in (
        ({"source_id": target.id}, BusinessRuleError, "source_id"),
        ({"source_id": uuid4()}, InvalidError, "source_id"),
        ({"target_id": uuid4()}, NotFoundError, None),
        ({"reason": " "}, RequiredError, "reason"),
        ({"merged_by": ""}, RequiredError, "merged_by"),
    ):
        with pytest.raises(error) as caught:
            execute(database, MergePatients(**{**given, **wrong}))
        assert caught.value.element == element


# What every command that names a patient is tried with, or why it is not.
OF_A_PERSON = {
    "UpdatePatient": {"family": "Other"},
    "Enroll": {"group_id": "group"},
    "RecordPastEnrollment": {
        "group_id": "group", "start": BEGAN, "end": BEGAN + timedelta(days=1), "reason": "r",
    },
    "RecordAgreement": {
        "rules_id": "rules", "method": AgreementMethod.PAPER, "recorded_by": "t",
    },
    "RecordResponse": {"instrument": "phq-9", "answers": world.phq9(), "authored": BEGAN},
    "ReportDanger": {"kind": "imminent-danger", "reported_by": "t"},
    "RecordConsent": {"connection_id": "hospital", "category": Category.SCORES, "recorded_by": "t"},
    "LinkPatient": {
        "connection_id": "hospital", "ehr_patient_id": "e", "mrn": "m", "confirmed_by": "t",
    },
    "BreakGlass": {
        "connection_id": "hospital", "client_id": BEGAN, "client": "c", "person": "p",
        "purpose": "ETREAT", "reason": "r", "lasts": timedelta(hours=1),
    },
    "RestrictProcessing": {"reason": "r", "restricted_by": "t"},
    "EndGlass": {"client": "c", "person": "p"},
    "AskCorrection": {"about": "a", "asked_by": "t"},
}  # fmt: skip
OTHERWISE = {
    "ReceiveConsent": "a hospital's, executed as its Consent comes in",
    "ReceivePatient": "a hospital's, for a new record or the one its Patient is of",
    "Mark": "of members, whose enrolments have moved: tested below",
}


def test_every_command_that_names_a_patient_is_known_here():
    naming = {
        name
        for name in commands.__all__
        if "patient_id" in getattr(getattr(commands, name), "__dataclass_fields__", ())
    }
    assert naming == OF_A_PERSON.keys() | OTHERWISE.keys()


def test_nothing_is_recorded_of_a_retired_record(database):
    here = scene(database)
    here.merge()
    rules = execute(database, PublishRules(text="Be kind", published_by="t"))
    there = {"hospital": world.hospital(database, "C").id, "group": world.group(database).id}
    there["rules"] = rules.id
    for name, given in OF_A_PERSON.items():
        filled = {
            field: there.get(value, value) if isinstance(value, str) else value
            for field, value in given.items()
        }
        command = getattr(commands, name)(patient_id=here.source.id, **filled)
        with pytest.raises(MergedError, match=str(here.target.id)):
            execute(database, command)
    with pytest.raises(InvalidElementsError, match="member"):
        world.attend(database, here.sessions[0], here.source)


def test_a_retired_record_is_merged_no_more_and_says_where_it_went(database):
    one, two, three = (world.patient(database) for _ in range(3))
    merge(database, one, two)
    merge(database, two, three)
    for source, target in ((one, three), (three, one), (two, three)):
        with pytest.raises(MergedError, match=str(three.id)):
            merge(database, source, target)
