"""The demo's plan: repeatable, in proportion, and right by the rules it will be loaded with."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from api.demo.plan import Plan
from api.demo.scenario import make_plan
from api.demo.surroundings import HOSPITAL_A, HOSPITAL_B
from service.instruments import instrument
from service.models.connections import ConsentPolicy
from service.models.consents import Category
from service.models.enrollments import AttendanceMark, EnrollmentStatus
from service.scoring import check_answers, score

TODAY = date(2026, 11, 23)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return make_plan(TODAY)


def test_the_same_day_makes_the_same_plan(plan):
    assert make_plan(TODAY) == plan


def test_everyone_of_the_samples_is_in_it_once(plan):
    assert len(plan.patients) == 120
    assert len({one.key for one in plan.patients}) == 120


def test_patients_are_split_over_both_hospitals_and_twelve_are_linked_to_both(plan):
    both = [one for one in plan.patients if len(one.links) == 2]
    only = Counter(one.links[0].hospital for one in plan.patients if len(one.links) == 1)
    assert len(both) == 12
    assert only == {HOSPITAL_A: 54, HOSPITAL_B: 54}


def test_who_is_linked_to_both_hospitals_is_a_member_of_a_group(plan):
    members = {one.patient for group in plan.groups for one in group.enrollments}
    assert {one.key for one in plan.patients if len(one.links) == 2} <= members


def test_no_record_number_and_no_ehr_id_is_given_twice(plan):
    links = [link for one in plan.patients for link in one.links]
    assert len({link.mrn for link in links}) == len(links)
    assert len({link.ehr_patient_id for link in links}) == len(links)


def test_one_hospital_opts_in_and_the_other_shares_for_treatment(plan):
    policies = {one.name: one.policy for one in plan.connections}
    assert policies == {HOSPITAL_A: ConsentPolicy.OPT_IN, HOSPITAL_B: ConsentPolicy.TREATMENT}


def test_there_are_seven_groups_of_the_wanted_topics(plan):
    assert [group.command.topic for group in plan.groups] == [
        "depression and anxiety",
        "bipolar disorder",
        "body dysmorphic disorder",
        "substance-use recovery",
        "grief",
        "caregivers",
        "cancer",
    ]


def test_a_neutral_name_does_not_tell_the_topic(plan):
    for group in plan.groups:
        words = set(group.command.topic.replace("-", " ").split())
        assert not words & set(group.command.neutral_name.lower().split())


@pytest.mark.parametrize("day", [TODAY + timedelta(days=n) for n in range(8)])
def test_twelve_sessions_have_ended_and_two_are_booked_on_any_day(day):
    morning = datetime(day.year, day.month, day.day, tzinfo=UTC)
    for group in make_plan(day).groups:
        ended = [one for one in group.sessions if one.end <= morning]
        assert (len(ended), len(group.sessions)) == (12, 14)


def test_only_members_at_the_time_have_a_mark(plan):
    for group in plan.groups:
        for session in group.sessions:
            there = {one.patient for one in group.enrollments if one.attends(session.start)}
            assert {mark.patient for mark in session.marks} in (there, set())


def test_most_marks_are_present_and_every_kind_occurs(plan):
    marks = Counter(m.mark for g in plan.groups for s in g.sessions for m in s.marks)
    assert 0.65 < marks[AttendanceMark.PRESENT] / marks.total() < 0.85
    assert set(marks) == set(AttendanceMark)


def test_one_session_is_cancelled_and_one_past_session_is_not_recorded_yet(plan):
    sessions = [one for group in plan.groups for one in group.sessions]
    assert sum(one.cancel_reason is not None for one in sessions) == 1
    bare = [group.sessions[11] for group in plan.groups if not group.sessions[11].marks]
    assert bare == [plan.groups[0].sessions[11]]


def test_enrolments_are_in_every_status_that_somebody_decides(plan):
    last = {one.steps[-1].status for group in plan.groups for one in group.enrollments}
    assert last == set(EnrollmentStatus) - {EnrollmentStatus.OFFERED}


def test_nobody_is_in_a_group_twice_and_some_are_in_two_groups(plan):
    for group in plan.groups:
        members = [one.patient for one in group.enrollments]
        assert len(members) == len(set(members)) <= group.command.capacity
    times = Counter(one.patient for group in plan.groups for one in group.enrollments)
    assert sum(count == 2 for count in times.values()) >= 10


def test_only_adults_are_in_a_group(plan):
    born = {one.key: one.person.birth_date for one in plan.patients}
    members = {one.patient for group in plan.groups for one in group.enrollments}
    assert max(born[key] for key in members) <= TODAY.replace(year=TODAY.year - 18)


def test_every_member_has_exactly_four_phq9_and_four_gad7_once(plan):
    joined = {e.patient for g in plan.groups for e in g.enrollments if e.joined}
    assert sorted(one.patient for one in plan.series) == sorted(joined)
    for one in plan.series:
        assert Counter(r.instrument for r in one.responses) == {"phq-9": 4, "gad-7": 4}
        assert len({(r.instrument, r.authored) for r in one.responses}) == 8


def test_answers_are_in_range_and_few_are_incomplete(plan):
    responses = [r for one in plan.series for r in one.responses]
    assert all(check_answers(instrument(r.instrument), r.answers) == [] for r in responses)
    totals = [score(instrument(r.instrument), r.answers).total for r in responses]
    assert 0 < totals.count(None) < 20


def test_some_get_better_and_some_get_worse(plan):
    changes = []
    for one in plan.series:
        forms = [r.answers for r in one.responses if r.instrument == "phq-9"]
        first, last = (score(instrument("phq-9"), forms[n]).total for n in (0, -1))
        if first is not None and last is not None:
            changes.append(last - first)
    assert sum(change < 0 for change in changes) > sum(change > 0 for change in changes) > 10


def test_about_one_in_four_answers_the_item_about_death(plan):
    raised = sum(r.answers.get("/44260-8", 0) >= 1 for one in plan.series for r in one.responses)
    assert 70 <= raised <= 120


def test_opting_in_differs_from_person_to_person(plan):
    said = [{c.category for c in one.consents if c.hospital == HOSPITAL_A} for one in plan.patients]
    assert set() in said
    assert {Category.ENROLLMENT, Category.ATTENDANCE, Category.SCORES} in said
    assert set(Category) in said
    consents = [c for one in plan.patients for c in one.consents]
    assert {c.covers_part2 for c in consents} == {True, False}
    assert {c.shows_group_name for c in consents} == {True, False}


def test_no_time_of_the_past_lies_in_the_future(plan):
    morning = datetime(TODAY.year, TODAY.month, TODAY.day, tzinfo=UTC)
    assert all(r.authored < morning for one in plan.series for r in one.responses)
    assert all(c.start < morning for one in plan.patients for c in one.consents)
    steps = [s for group in plan.groups for one in group.enrollments for s in one.steps]
    assert all(step.at < morning for step in steps)


def test_there_is_enough_to_read_of_each_kind(plan):
    assert all(len(one.facilities) >= 20 for one in plan.connections)
    assert len(plan.places) >= 22
    assert len(plan.facilitators) >= 24
    assert sum(one.name_is_public for one in plan.facilitators) >= 20


def test_no_phone_number_can_be_called(plan):
    phones = [f.address.phone for one in plan.connections for f in one.facilities]
    phones += [place.address.phone for place in plan.places]
    assert all("-555-01" in phone for phone in phones)
    assert all("555" in one.person.phone for one in plan.patients)
