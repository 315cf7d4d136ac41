"""Profiles: their examples keep them, and each thing that one asks for is missed.

https://hl7.org/fhir/R4/profiling.html
"""

import copy
import json
from pathlib import Path

import pytest

from fhir_mappings import definitions
from fhir_mappings.definitions.profile_rules import NOT_CHECKED, PROFILE_RULES
from fhir_mappings.definitions.profiles import known_profiles
from fhir_mappings.structure import Issue, validate_profile
from service.fhir.lexical import parse

TABLE = json.loads(Path(definitions.__file__).with_name("profiles.json").read_text())
US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"
DATA = Path(__file__).parents[1] / "data" / "us-core"
EXAMPLES = [
    (path.stem, parse(line).value)
    for path in sorted(DATA.glob("*.ndjson"))
    for line in path.read_bytes().splitlines()
]


def example(profile, version="7.0.0"):
    """Return a copy of the first example that claims the profile."""
    return copy.deepcopy(
        next(
            value
            for found, value in EXAMPLES
            if found == version
            and any(
                url.partition("|")[0] == US_CORE + profile
                for url in value.get("meta", {}).get("profile", ())
            )
        )
    )


def broken(resource, profile, version="7.0.0"):
    issues = validate_profile(resource, f"{US_CORE}{profile}|{version}")
    assert all(issue.severity == "error" for issue in issues)
    return {(issue.expression.partition(".")[2], issue.code) for issue in issues}


@pytest.mark.parametrize(
    ("version", "resource"), EXAMPLES, ids=[f"{v}-{r['id']}" for v, r in EXAMPLES]
)
def test_an_example_keeps_the_profiles_that_it_claims(version, resource):
    known = 0
    for claimed in resource.get("meta", {}).get("profile", ()):
        url = claimed.partition("|")[0]
        if url in known_profiles() and f"{url}|{version}" in known_profiles():
            known += 1
            assert validate_profile(resource, f"{url}|{version}") == []
    assert known or "profile" not in resource.get("meta", {})


def test_a_version_is_chosen_and_the_newest_without_one():
    latest = known_profiles()[f"{US_CORE}patient"]
    assert latest == f"{US_CORE}patient|7.0.0"
    assert known_profiles()[f"{US_CORE}patient|6.1.0"] == f"{US_CORE}patient|6.1.0"


@pytest.mark.parametrize("canonical", ["http://example.org/x", f"{US_CORE}patient|9.9.9", ""])
def test_an_unknown_profile_is_one_issue(canonical):
    assert validate_profile(example("patient"), canonical) == [
        Issue("error", "not-found", "Patient.meta.profile", "The profile is not known here")
    ]


def test_a_profile_of_another_type_is_one_issue():
    assert validate_profile({"resourceType": "Group"}, f"{US_CORE}patient") == [
        Issue(
            "error",
            "invalid",
            "Group",
            "The profile USCorePatientProfile asks for a resource of type Patient",
        )
    ]


def test_what_a_patient_must_have_is_missed():
    bare = {"resourceType": "Patient"}
    assert broken(bare, "patient") == {
        ("identifier", "required"),
        ("name", "required"),
        ("gender", "required"),
    }


def test_a_name_is_given_or_said_to_be_absent():
    patient = example("patient")
    patient["name"] = [{"text": "x"}]
    assert broken(patient, "patient") == {("name[0]", "invariant")}
    url = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
    patient["name"] = [{"extension": [{"url": url, "valueCode": "masked"}]}]
    assert broken(patient, "patient") == set()


def test_an_extension_is_held_to_its_own_profile():
    patient = example("patient")
    race = next(e for e in patient["extension"] if e["url"].endswith("us-core-race"))
    race["extension"] = [e for e in race["extension"] if e["url"] != "text"]
    at = patient["extension"].index(race)
    assert broken(patient, "patient") == {(f"extension[{at}].extension", "required")}
    patient["extension"].append(copy.deepcopy(race))
    assert ("extension", "structure") in broken(patient, "patient")


def test_a_slice_is_counted_and_looked_into():
    pressure = example("blood-pressure")
    assert broken(pressure, "blood-pressure") == set()
    systolic = pressure["component"][0]
    systolic["valueQuantity"]["code"] = "kPa"
    assert broken(pressure, "blood-pressure") == {("component[0].value.code", "value")}
    systolic["code"]["coding"] = [{"system": "http://loinc.org", "code": "1-8"}]
    assert broken(pressure, "blood-pressure") == {("component", "required")}


def test_a_category_is_one_of_a_list():
    condition = example("condition-problems-health-concerns")
    condition["category"] = [{"coding": [{"system": "http://example.org", "code": "x"}]}]
    profile = "condition-problems-health-concerns"
    assert broken(condition, profile) == {("category", "required")}


def test_a_reference_and_a_choice_are_of_the_types_asked_for():
    weight = example("body-weight")
    weight["subject"] = {"reference": "Group/1"}
    weight["effectiveInstant"] = "2024-01-01T10:00:00Z"
    weight.pop("effectiveDateTime")
    assert broken(weight, "body-weight") == {
        ("subject", "value"),
        ("effective", "structure"),
    }


def test_a_pattern_is_asked_for():
    weight = example("body-weight")
    weight["code"] = {"text": "weight"}
    assert broken(weight, "body-weight") == {("code", "value")}


@pytest.mark.parametrize(
    ("number", "codes"),
    [("1245319599", set()), ("1245319598", {"us-core-17"}), ("12453", {"us-core-16"})],
)
def test_the_number_of_a_practitioner_is_checked(number, codes):
    practitioner = example("practitioner")
    practitioner["identifier"] = [{"system": "http://hl7.org/fhir/sid/us-npi", "value": number}]
    issues = validate_profile(practitioner, f"{US_CORE}practitioner")
    assert {issue.diagnostics.split(": ")[0].rpartition(" ")[2] for issue in issues} == codes


def test_every_rule_of_the_table_is_written_and_used():
    assert TABLE["rules"].keys() == PROFILE_RULES.keys()
    assert not PROFILE_RULES.keys() & NOT_CHECKED


def test_every_extension_and_value_set_that_is_named_is_there():
    text = json.dumps(TABLE["profiles"])
    assert all(json.dumps(key) in text for key in TABLE["extensions"])
    assert len(known_profiles()) > len(TABLE["profiles"])
