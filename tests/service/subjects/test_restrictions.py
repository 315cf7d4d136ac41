"""While a person is restricted no hospital has anything of them, and nothing new is recorded."""

from datetime import timedelta

import pytest

from service.commands import (
    ChangeEnrollment,
    Enroll,
    LiftRestriction,
    RestrictProcessing,
    UpdatePatient,
)
from service.errors import (
    BusinessRuleError,
    DuplicateError,
    InvalidElementsError,
    RestrictedError,
)
from service.fhir.refresh import refresh_due
from service.handlers import execute
from service.models.enrollments import EnrollmentStatus
from tests import world
from tests.fresh import wrong_documents
from tests.service.merging.scene import merge
from tests.stored import current, rows

PROGRAMME = 1


@pytest.fixture
def hospital(database):
    return world.hospital(database)


@pytest.fixture
def group(database):
    return world.group(database)


@pytest.fixture
def person(database, hospital, group):
    found = world.linked(database, hospital)
    world.enroll(database, found, group)
    world.attend(database, world.session(database, group), found)
    world.respond(database, found, world.phq9(1, item9=1), group_id=group.id)
    return found


def restrict(database, person, **more):
    command = RestrictProcessing(
        patient_id=person.id, reason="disputed", restricted_by="officer", **more
    )
    return execute(database, command)


def lift(database, row):
    return execute(database, LiftRestriction(restriction_id=row.id, lifted_by="officer"))


def readable(database, audience):
    """The documents that a reader of this audience has, their history that is not sealed too."""
    live = {
        key: value
        for key, value in current(database, audience).items()
        if not key.startswith(("document_", f"{audience}:Organization"))
    }
    open_versions = rows(
        database,
        "SELECT v.id FROM document_versions v JOIN documents d ON d.id = v.id"
        f" WHERE d.audience = {audience} AND NOT v.sealed AND d.type <> 'Organization'",
    )
    return live, open_versions


def test_a_hospital_has_nothing_of_the_person_and_everything_again_afterwards(
    database, hospital, person
):
    before = current(database, hospital.number)
    ours = current(database, PROGRAMME)
    row = restrict(database, person)
    assert readable(database, hospital.number) == ({}, [])
    assert current(database, PROGRAMME) == ours
    assert wrong_documents(database) == []
    lift(database, row)
    assert current(database, hospital.number) == before
    assert wrong_documents(database) == []


def test_another_persons_documents_do_not_change(database, hospital, group, person):
    other = world.linked(database, hospital)
    world.enroll(database, other, group)
    mine = person.id.hex
    before = {k: v for k, v in current(database, hospital.number).items() if mine not in str(v)}
    restrict(database, person)
    after = current(database, hospital.number)
    assert {k for k in before if "Group" not in k and not k.startswith("document")} <= set(after)
    assert readable(database, hospital.number)[0]


def test_it_ends_by_the_clock_and_says_so(database, hospital, person):
    before = current(database, hospital.number)
    row = restrict(database, person, until=world.now() + timedelta(days=1))
    later = world.now() + timedelta(days=2)
    assert refresh_due(database, world.now) == 0
    database.clock = database.projector.clock = lambda: later
    assert refresh_due(database, lambda: later) == 1
    assert current(database, hospital.number) == before
    with pytest.raises(BusinessRuleError, match="ended already"):
        lift(database, row)
    assert wrong_documents(database) == []


def test_nothing_new_is_recorded_save_what_tells_of_danger(sqlite_database):
    database = sqlite_database
    group = world.group(database)
    held = world.session(database, group)
    person = world.patient(database)
    row = world.enroll(database, person, group)
    one = restrict(database, person)
    for refused in (
        lambda: world.enroll(database, person, world.group(database)),
        lambda: world.respond(database, person),
        lambda: execute(
            database, ChangeEnrollment(enrollment_id=row.id, status=EnrollmentStatus.ON_HOLD)
        ),
    ):
        with pytest.raises(RestrictedError):
            refused()
    with pytest.raises(InvalidElementsError, match="restricted"):
        world.attend(database, held, person)
    assert world.respond(database, person, world.phq9(0, item9=1)).alert is not None
    execute(database, UpdatePatient(patient_id=person.id, family="Corrected"))
    left = ChangeEnrollment(enrollment_id=row.id, status=EnrollmentStatus.FINISHED, reason="left")
    assert execute(database, left).status is EnrollmentStatus.FINISHED
    lift(database, one)
    world.respond(database, person)


def test_who_is_restricted_is_passed_over_on_the_waitlist(sqlite_database):
    database = sqlite_database
    group = world.group(database, capacity=1)
    seat = world.enroll(database, world.patient(database), group)
    waiting = []
    for _ in range(2):
        person = world.patient(database)
        command = Enroll(
            patient_id=person.id, group_id=group.id, status=EnrollmentStatus.WAITLISTED
        )
        waiting.append((person, execute(database, command)))
    restrict(database, waiting[0][0])
    left = ChangeEnrollment(enrollment_id=seat.id, status=EnrollmentStatus.FINISHED, reason="left")
    execute(database, left)
    found = rows(database, "SELECT patient_id FROM enrollments WHERE status = 'offered'")
    assert [one.replace("-", "") for (one,) in found] == [waiting[1][0].id.hex]


def test_a_restriction_is_made_once_and_follows_a_merge(sqlite_database):
    database = sqlite_database
    hospital = world.hospital(database)
    person, other = world.linked(database, hospital), world.patient(database)
    restrict(database, other)
    with pytest.raises(DuplicateError):
        restrict(database, other)
    merge(database, other, person)
    assert readable(database, hospital.number) == ({}, [])
    assert wrong_documents(database) == []
