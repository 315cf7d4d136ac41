"""The rules that members agree to: versions, agreements, and who enters only with one."""

from contextlib import contextmanager

import pytest

from service.commands import ChangeEnrollment, PublishRules, RecordAgreement
from service.errors import AlongsideError, BusinessRuleError, DuplicateError, NotFoundError
from service.handlers import execute
from service.identifiers import new_id
from service.models.enrollments import EnrollmentStatus
from service.models.rules import AgreementMethod, RulesVersion
from service.rows import get
from service.rules import in_force, yet_to_agree
from tests import world
from tests.conftest import open_database
from tests.staff import BEGIN, DAY, Clock, documents

PROPOSED, WAITLISTED, _, ACTIVE, ON_HOLD, FINISHED = EnrollmentStatus


@contextmanager
def opened(url):
    clock = Clock()
    database = open_database(url, clock)
    try:
        yield database, clock
    finally:
        database.close()


def publish(database, group=None, *, text="Be kind.", at=None):
    whose = group.id if group else None
    command = PublishRules(text=text, group_id=whose, in_force_from=at, published_by="tester")
    return execute(database, command)


def agree(database, person, rules, **more):
    values = {"method": AgreementMethod.PAPER, "recorded_by": "tester", **more}
    return execute(database, RecordAgreement(patient_id=person.id, rules_id=rules.id, **values))


def current(database, group):
    found = database.read(lambda session: in_force(session, group.id, database.clock()))
    return found.id if found else None


def waited_for(database, rules):
    def work(session):
        row = get(session, RulesVersion, rules.id)
        return {each.id for each in session.exec(yet_to_agree(row, database.clock()))}

    return database.read(work)


def refused(call, *given, **more):
    """The element that the refusal names, and its message."""
    with pytest.raises(AlongsideError) as caught:
        call(*given, **more)
    return caught.value.element, caught.value.message


def test_a_version_is_in_force_from_its_time_until_the_next(database_url):
    with opened(database_url) as (database, clock):
        group = world.group(database)
        assert current(database, group) is None
        first = publish(database, text="One")
        later = publish(database, text="Two", at=BEGIN + 2 * DAY)
        assert (first.number, later.number) == (1, 2)
        assert current(database, group) == first.id
        clock.wait(2)
        assert current(database, group) == later.id
        kept = database.read(lambda session: get(session, RulesVersion, first.id))
        assert (kept.text, kept.in_force_from, kept.row_version) == ("One", BEGIN, 1)


def test_a_groups_own_rules_stand_in_place_of_the_programmes(database_url):
    with opened(database_url) as (database, clock):
        group, other = world.group(database), world.group(database)
        shared = publish(database)
        own = publish(database, group, at=BEGIN + DAY)
        assert own.number == 1
        assert current(database, group) == shared.id
        clock.wait(1)
        assert (current(database, group), current(database, other)) == (own.id, shared.id)
        publish(database)
        assert current(database, group) == own.id


def test_a_version_rewrites_no_past(sqlite_url):
    with opened(sqlite_url) as (database, _):
        early = refused(publish, database, at=BEGIN - DAY)
        assert early == ("in_force_from", "must not lie in the past")
        publish(database, at=BEGIN + 5 * DAY)
        element, rule = refused(publish, database, at=BEGIN + DAY)
        assert element == "in_force_from"
        assert rule == "must not lie before 2026-03-07T09:00:00Z, when version 1 begins"
        assert refused(publish, database, text="  ")[0] == "text"
        nobodys = PublishRules(text="x", group_id=new_id(), published_by="t")
        assert refused(execute, database, nobodys)[0] == "group_id"


def test_an_agreement_says_how_and_is_recorded_once(database_url):
    with opened(database_url) as (database, _):
        person, rules = world.patient(database), publish(database)
        signed, verbal = AgreementMethod.E_SIGNATURE, AgreementMethod.VERBAL
        assert refused(agree, database, person, rules, method=signed)[0] == "reference"
        assert refused(agree, database, person, rules, method=verbal)[0] == "witness"
        assert refused(agree, database, person, rules, agreed_at=BEGIN + DAY)[0] == "agreed_at"
        assert refused(agree, database, person, rules, recorded_by=" ")[0] == "recorded_by"
        row = agree(database, person, rules, method=verbal, witness="Ngozi Okafor")
        assert (row.agreed_at, row.witness) == (BEGIN, "Ngozi Okafor")
        with pytest.raises(DuplicateError):
            agree(database, person, rules)
        nothing = RulesVersion(number=1, text="", in_force_from=BEGIN, published_by="t")
        assert refused(agree, database, person, nothing)[0] == "rules_id"
        nobody = person.model_copy(update={"id": new_id()})
        with pytest.raises(NotFoundError):
            agree(database, nobody, rules)


def test_an_agreement_names_an_enrolment_of_the_person_under_these_rules(sqlite_url):
    with opened(sqlite_url) as (database, _):
        group, other = world.group(database), world.group(database)
        person = world.patient(database)
        mine = world.enroll(database, person, group)
        theirs = world.enroll(database, world.patient(database), group)
        own, foreign = publish(database, group), publish(database, other)
        for rules, enrollment in ((own, theirs.id), (foreign, mine.id), (own, new_id())):
            element, _ = refused(agree, database, person, rules, enrollment_id=enrollment)
            assert element == "enrollment_id"
        assert agree(database, person, own, enrollment_id=mine.id).enrollment_id == mine.id


def test_a_group_that_requires_rules_admits_only_with_agreement(database_url):
    with opened(database_url) as (database, clock):
        group, person = world.group(database, rules_required=True), world.patient(database)
        none = refused(world.enroll, database, person, group)
        assert none[0] == "status"
        assert "no version of them is in force" in none[1]
        first = publish(database)
        named = refused(world.enroll, database, person, group)[1]
        assert named == (
            "needs the person's agreement to version 1 of the programme's rules, in force from"
            f" 2026-03-02T09:00:00Z ({first.id})"
        )
        waiting = world.enroll(database, person, group, status=WAITLISTED, start=BEGIN)
        enter = ChangeEnrollment(enrollment_id=waiting.id, status=ACTIVE)
        assert refused(execute, database, enter)[1] == named
        agree(database, person, first)
        assert execute(database, enter).status is ACTIVE
        clock.wait(1)
        publish(database, group)
        assert "version 1 of the group's rules" in refused(
            world.enroll, database, world.patient(database), group
        )[1]  # fmt: skip


def test_whoever_comes_back_from_a_hold_agrees_to_the_version_then_in_force(database_url):
    with opened(database_url) as (database, clock):
        group, person = world.group(database, rules_required=True), world.patient(database)
        agree(database, person, publish(database))
        row = world.enroll(database, person, group, start=BEGIN)
        execute(database, ChangeEnrollment(enrollment_id=row.id, status=ON_HOLD, reason="Ill"))
        clock.wait(1)
        second = publish(database)
        back = ChangeEnrollment(enrollment_id=row.id, status=ACTIVE)
        assert "version 2" in refused(execute, database, back)[1]
        agree(database, person, second)
        assert execute(database, back).status is ACTIVE


def test_a_new_version_puts_nobody_out_and_leaves_other_groups_alone(sqlite_url):
    with opened(sqlite_url) as (database, _):
        group, free = world.group(database, rules_required=True), world.group(database)
        person, other = world.patient(database), world.patient(database)
        agree(database, person, publish(database))
        row = world.enroll(database, person, group, start=BEGIN)
        publish(database)
        assert world.enroll(database, other, free).status is ACTIVE
        hold = ChangeEnrollment(enrollment_id=row.id, status=ON_HOLD, reason="Ill")
        assert execute(database, hold).status is ON_HOLD


def test_who_has_yet_to_agree_is_told_for_each_version(database_url):
    with opened(database_url) as (database, clock):
        group, apart = world.group(database), world.group(database)
        first = publish(database)
        people = [world.patient(database) for _ in range(3)]
        rows = [world.enroll(database, each, group, start=BEGIN) for each in people]
        elsewhere = world.enroll(database, people[0], apart, start=BEGIN)
        agree(database, people[1], first)
        assert waited_for(database, first) == {rows[0].id, rows[2].id, elsewhere.id}
        own = publish(database, apart, at=BEGIN + DAY)
        assert waited_for(database, own) == {elsewhere.id}
        assert waited_for(database, first) == {rows[0].id, rows[2].id, elsewhere.id}
        clock.wait(1)
        assert waited_for(database, first) == {rows[0].id, rows[2].id}
        end = ChangeEnrollment(enrollment_id=rows[2].id, status=FINISHED, reason="moved")
        execute(database, end)
        assert waited_for(database, first) == {rows[0].id}
        leaving = world.group(database)
        world.enroll(database, people[1], leaving, start=BEGIN)
        publish(database, leaving, at=BEGIN + 8 * DAY)
        second = publish(database, at=BEGIN + 9 * DAY)
        assert waited_for(database, second) == {rows[0].id, rows[1].id}


def test_rules_and_agreements_change_no_document(database_url):
    with opened(database_url) as (database, _):
        hospital = world.hospital(database)
        person, group = world.linked(database, hospital), world.group(database)
        enrollment = world.enroll(database, person, group, start=BEGIN)
        before = documents(database)
        own = publish(database, group, text="Sworn to secrecy")
        agree(database, person, own, enrollment_id=enrollment.id)
        assert documents(database) == before


def test_a_rule_that_breaks_leaves_nothing_behind(sqlite_url):
    with opened(sqlite_url) as (database, _):
        group, person = world.group(database, rules_required=True), world.patient(database)
        publish(database)
        before = documents(database)
        with pytest.raises(BusinessRuleError):
            world.enroll(database, person, group)
        assert documents(database) == before
