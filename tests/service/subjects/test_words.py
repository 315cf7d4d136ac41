"""What the page for the person says of consents and alerts, in plain words."""

from service.subjects.record import export
from tests.service.subjects.scene import scene

BASE = "https://a.example/fhir"


def shown(here, title):
    found = here.database.read(
        lambda session: export(session, here.person.id, here.database.clock(), BASE)
    )
    (section,) = [each for each in found.sections if each.title == title]
    return [dict(zip(section.columns, row, strict=True)) for row in section.rows]


def test_a_consent_is_told_with_its_exceptions_and_what_it_said_before(database):
    here = scene(database)
    consents = {each["What"]: each for each in shown(here, "Consents")}
    answers = consents["answers"]
    assert answers["For what purpose"] == "treatment"
    assert answers["Except"] == "deny; of answers; only what is marked 42 CFR Part 2"
    assert "verbal\nwitness: heardcanary 2\ngiven on: 2026-01-05" in answers["What shows it"]
    assert (answers["Version"], answers["Standing"]) == ("3", "confirmed")
    before = shown(here, "What consents said before they were changed")
    assert [each["Version"] for each in before] == ["1", "2"]
    assert "heardcanary 1" in before[1]["What it said"]
    assert "What: answers" in before[0]["What it said"]
    assert "For what purpose: treatment" in before[0]["What it said"]


def test_an_alert_is_told_with_what_happened_to_it(sqlite_database):
    here = scene(sqlite_database)
    (alert,) = shown(here, "Safety alerts")
    assert (alert["State"], alert["Questionnaire"]) == ("open", "phq-9")
    story = shown(here, "What happened to each safety alert")
    assert story[0]["What"] == "raised"
    assert all(each["When"].endswith("UTC") for each in story)
