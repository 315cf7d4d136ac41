"""What each audience gets of a person, and with which labels."""

import json
import re
from dataclasses import replace

import pytest

from service.models.connections import Confidentiality
from service.models.consents import Category
from service.models.enrollments import AttendanceMark, EnrollmentStatus
from service.models.groups import GroupStatus, SessionStatus
from tests.fhir_mappings import fixed_facts as f

NONE = []
SENSITIVE = Confidentiality.VERY_RESTRICTED
NOT_B = f.view(*Category, audience=f.B, part2=True, named=True)

ABOUT_PERSON = {
    "patient": f.patient(),
    "enrollment": f.enrollment(),
    "visit": f.visit(),
    "response": f.response(),
    "consent": f.consent(),
}
CATEGORY = {
    "EpisodeOfCare": Category.ENROLLMENT,
    "Appointment": Category.ATTENDANCE,
    "Encounter": Category.ATTENDANCE,
    "QuestionnaireResponse": Category.ANSWERS,
    "Flag": Category.ALERTS,
}


def seen(view, **facts):
    return {
        t for kind, each in {**ABOUT_PERSON, **facts}.items() for t in f.types(kind, each, view)
    }


def totals(facts, view):
    return [d for d in f.render("response", facts, view, "Observation") if "/" not in d.source]


def items(facts, view):
    return [d for d in f.render("response", facts, view, "Observation") if "/" in d.source]


def test_the_programme_reads_everything():
    assert seen(f.OF_PROGRAMME) == {*CATEGORY, "Patient", "Observation", "Consent"}


def test_without_any_consent_a_hospital_reads_nothing():
    assert seen(f.OF_NOTHING) == set()


@pytest.mark.parametrize("category", Category)
def test_a_category_opens_its_own_types_and_the_patient(category):
    types = {name for name, needs in CATEGORY.items() if needs is category}
    observed = {"Observation"} if category in {Category.SCORES, Category.ANSWERS} else set()
    assert seen(f.view(category)) == types | observed | {"Patient", "Consent"}


def test_totals_take_scores_and_items_take_answers():
    assert len(totals(f.response(), f.view(Category.SCORES))) == 1
    assert items(f.response(), f.view(Category.SCORES)) == NONE
    assert totals(f.response(), f.view(Category.ANSWERS)) == NONE
    assert len(items(f.response(), f.view(Category.ANSWERS))) == 9


@pytest.mark.parametrize("kind", ["enrollment", "visit"])
def test_part_2_takes_a_consent_that_covers_it(kind):
    facts = getattr(f, kind)
    protected = facts(part2=True) if kind == "enrollment" else facts(group=f.group(part2=True))
    assert f.types(kind, protected, f.OF_A) == NONE
    drafts = f.render(kind, protected, f.OF_NAMED_A)
    assert drafts
    assert all(draft.labels.part2 for draft in drafts)


def test_part_2_responses_take_a_consent_that_covers_it():
    assert f.render("response", f.response(part2=True), f.OF_A) == NONE
    drafts = f.render("response", f.response(part2=True), f.OF_NAMED_A)
    assert len(drafts) == 12
    assert all(draft.labels.part2 for draft in drafts)


def test_a_hospital_reads_what_it_sent_without_any_consent():
    facts = f.sent_response(alert=f.ALERT)
    assert f.types("response", facts, f.OF_NOTHING) == [
        "Flag", "Observation", "QuestionnaireResponse",
    ]  # fmt: skip
    assert f.types("patient", f.patient(sent_by=frozenset({f.HOSPITAL_A})), f.OF_NOTHING) == [
        "Patient"
    ]


def test_of_the_person_it_sent_something_about_it_reads_no_more_than_its_record_number():
    sent_by = frozenset({f.HOSPITAL_A})
    linked = f.view(audience=f.A)
    (alone,) = f.render("patient", f.patient(sent_by=sent_by), linked)
    assert sorted(alone.resource) == ["active", "identifier", "managingOrganization"]
    assert [each["value"] for each in alone.resource["identifier"]] == ["A-1"]
    assert alone.profiles == ()
    permitted = f.render("patient", f.patient(sent_by=sent_by), f.OF_A)
    assert permitted[0].resource == f.render("patient", f.patient(), f.OF_A)[0].resource
    received = {f.HOSPITAL_A: b'{"resourceType":"Patient","birthDate":"1980-02-03"}'}
    (own,) = f.render("patient", f.patient(sent_by=sent_by, received=received), linked)
    assert own.resource["birthDate"] == "1980-02-03"


def test_what_a_hospital_sent_goes_to_no_other_hospital():
    assert f.render("response", f.sent_response(alert=f.ALERT), NOT_B) == NONE
    nothing = f.view(audience=f.B)
    assert f.render("patient", f.patient(sent_by=frozenset({f.HOSPITAL_A})), nothing) == NONE


def test_a_hospital_reads_its_own_record_numbers_only():
    def values(view):
        draft = f.one("Patient", "patient", f.patient(), view)
        return [each["value"] for each in draft.resource["identifier"]]

    assert values(f.OF_A) == ["A-1"]
    assert values(NOT_B) == ["B-1"]
    assert values(f.OF_PROGRAMME)[1:] == ["A-1", "B-1"]


def test_a_consent_goes_to_its_recipient_alone():
    assert f.types("consent", f.consent(), f.OF_A) == ["Consent"]
    assert f.types("consent", f.consent(), NOT_B) == NONE
    assert f.types("consent", f.consent(), f.OF_PROGRAMME) == ["Consent"]


def test_a_facilitator_is_named_only_by_agreement():
    secret = f.FacilitatorFacts(**{**vars(f.FACILITATOR), "name_is_public": False})
    (role,) = f.render("facilitator", secret, f.OF_PUBLIC)
    assert role.type == "PractitionerRole"
    assert "practitioner" not in role.resource
    assert "Reed" not in json.dumps(role.resource)


def test_a_draft_group_is_not_in_the_catalogue():
    assert f.render("group", f.group(status=GroupStatus.DRAFT), f.OF_PUBLIC) == NONE


def test_the_catalogue_tells_no_number_of_people():
    some, more = (
        f.one("HealthcareService", "group", f.group(capacity=seats), f.OF_PUBLIC)
        for seats in (3, 12)
    )
    assert some == more


def test_an_empty_roster_is_no_document():
    empty = f.RosterFacts(group=f.group(), members=())
    assert f.render("roster", empty, f.OF_A) == NONE


def test_a_roster_has_the_neutral_name_and_no_count():
    draft = f.one("Group", "roster", f.roster(), f.OF_A)
    assert draft.resource["name"] == "Tuesday circle"
    assert "quantity" not in draft.resource


def test_the_group_is_named_only_where_a_consent_shows_it():
    hidden = f.one("EpisodeOfCare", "enrollment", f.enrollment(), f.OF_A)
    named = f.one("EpisodeOfCare", "enrollment", f.enrollment(), f.OF_NAMED_A)
    assert targets(hidden) == {"Group", "Patient", "Organization"}
    assert targets(named) == {"Group", "HealthcareService", "Patient", "Organization"}
    assert "Depression" not in json.dumps(named.resource)


@pytest.mark.parametrize("status", EnrollmentStatus)
def test_an_episode_refers_to_the_roster_while_the_person_is_on_it(status):
    draft = f.one("EpisodeOfCare", "enrollment", f.enrollment(status), f.OF_A)
    on_it = status in {EnrollmentStatus.ACTIVE, EnrollmentStatus.ON_HOLD}
    assert ("Group" in targets(draft)) is on_it


def targets(draft):
    return set(re.findall(r'"reference": "([A-Za-z]+)/', json.dumps(draft.resource)))


TELLING = {"PractitionerRole", "Location"}  # the catalogue says which group meets where


def test_who_leads_a_session_and_where_is_told_only_with_the_groups_name():
    for type_ in ("Appointment", "Encounter"):
        hidden = f.one(type_, "visit", f.visit(), f.OF_A)
        named = f.one(type_, "visit", f.visit(), f.OF_NAMED_A)
        assert not TELLING & targets(hidden)
        assert targets(named) >= TELLING


def test_the_name_of_a_part_2_group_is_not_told_with_that_of_others():
    named, unnamed = f.view(Category.ENROLLMENT, named=True), f.view(*Category, part2=True)
    consents = (*named.disclosure.consents, *unnamed.disclosure.consents)
    view = replace(named, disclosure=replace(named.disclosure, consents=consents))
    protected = f.group(part2=True)
    for type_ in ("Appointment", "Encounter"):
        draft = f.one(type_, "visit", f.visit(group=protected), view)
        assert not TELLING & targets(draft)
    draft = f.one("EpisodeOfCare", "enrollment", f.enrollment(part2=True), view)
    assert "HealthcareService" not in targets(draft)


def test_why_a_session_was_cancelled_is_told_in_words_to_the_programme_only():
    facts = f.visit(None, status=SessionStatus.CANCELLED, cancel_reason="Bo is in hospital")
    for view, told in ((f.OF_PROGRAMME, True), (f.OF_NAMED_A, False)):
        draft = f.one("Appointment", "visit", facts, view)
        assert draft.resource["status"] == "cancelled"
        assert ("Bo is" in json.dumps(draft.resource)) is told


@pytest.mark.parametrize(
    ("mark", "status", "came"),
    [
        (None, "booked", False),
        (AttendanceMark.PRESENT, "fulfilled", True),
        (AttendanceMark.LATE, "fulfilled", True),
        (AttendanceMark.ABSENT, "noshow", False),
        (AttendanceMark.EXCUSED, "cancelled", False),
    ],
)
def test_a_mark_becomes_an_appointment_status_and_an_encounter_of_who_came(mark, status, came):
    drafts = {d.type: d for d in f.render("visit", f.visit(mark), f.OF_A)}
    assert drafts["Appointment"].resource["status"] == status
    assert ("Encounter" in drafts) is came


def test_who_was_late_was_there_from_their_arrival():
    late = f.one("Encounter", "visit", f.visit(AttendanceMark.LATE), f.OF_A)
    assert late.resource["period"]["start"] == "2026-01-06T18:20:00Z"
    after = f.visit(AttendanceMark.LATE, arrived_at=f.at(6, 21))
    period = f.one("Encounter", "visit", after, f.OF_A).resource["period"]
    assert period["start"] == period["end"]


def test_a_cancelled_session_has_no_encounter_whatever_was_marked():
    assert f.types("visit", f.visit(status=SessionStatus.CANCELLED), f.OF_A) == ["Appointment"]


def test_sessions_share_an_identifier_within_one_hospital_only():
    def keyed(view):
        drafts = f.render("visit", f.visit(), view)
        return {draft.resource["identifier"][0]["value"] for draft in drafts}

    assert len(keyed(f.OF_A)) == 1
    assert keyed(f.OF_A).isdisjoint(keyed(NOT_B))


def test_an_encounter_refers_to_no_episode_that_its_audience_has_not():
    only = f.view(Category.ATTENDANCE)
    assert "EpisodeOfCare" not in targets(f.one("Encounter", "visit", f.visit(), only))
    assert "EpisodeOfCare" in targets(f.one("Encounter", "visit", f.visit(), f.OF_A))


def test_a_total_is_derived_from_a_response_only_where_that_can_be_read():
    (alone,) = totals(f.response(), f.view(Category.SCORES))
    (both,) = totals(f.response(), f.OF_A)
    assert "derivedFrom" not in alone.resource
    assert "derivedFrom" in both.resource


def test_a_flag_does_not_repeat_the_answer():
    flag = f.one("Flag", "response", f.response(), f.OF_A)
    text = json.dumps(flag.resource)
    assert not re.search(r"44260|item 9|dead|hurt|LA65", text)
    assert flag.labels.confidentiality is SENSITIVE


def labels_of(kind, facts):
    return {
        (d.type, "/" in d.source and d.source[-7:]): (
            d.labels.confidentiality.value,
            d.labels.sensitivity,
        )
        for d in f.render(kind, facts, f.OF_A)
    }


def test_responses_are_labelled_by_their_most_sensitive_item():
    phq9 = labels_of("response", f.response())
    assert phq9["QuestionnaireResponse", False] == ("V", "PSY")
    assert phq9["Observation", False] == ("R", "PSY")
    assert phq9["Observation", "44260-8"] == ("V", "PSY")
    assert phq9["Observation", "44250-9"] == ("R", "PSY")
    assert phq9["Flag", False] == ("V", "PSY")
    gad7 = labels_of("response", f.response(instrument="gad-7", alert=None))
    assert gad7["QuestionnaireResponse", False] == ("R", "PSY")


def test_membership_is_labelled_by_what_the_group_is_about():
    recovery = f.Sensitivity.SUBSTANCE_USE
    for kind, facts in (
        ("enrollment", f.enrollment(sensitivity=recovery)),
        ("visit", f.visit(group=f.group(sensitivity=recovery))),
        ("roster", f.roster(sensitivity=recovery)),
    ):
        assert set(labels_of(kind, facts).values()) == {("R", "ETH")}
    assert set(labels_of("visit", f.visit()).values()) == {("R", "PSY")}
    assert set(labels_of("patient", f.patient()).values()) == {("R", None)}
    assert set(labels_of("consent", f.consent()).values()) == {("R", None)}


def test_an_error_of_entry_marks_its_total_too():
    wrong = f.response(status=f.ResponseStatus.ENTERED_IN_ERROR)
    (draft,) = totals(wrong, f.OF_A)
    assert draft.resource["status"] == "entered-in-error"


def test_without_a_total_a_reason_stands_and_no_value():
    (draft,) = totals(f.sent_response(), f.OF_PROGRAMME)
    assert draft.resource["dataAbsentReason"]["coding"][0]["code"] == "unknown"
    assert not any(name.startswith("value") for name in draft.resource)
    assert "44255" not in json.dumps(draft.resource)
