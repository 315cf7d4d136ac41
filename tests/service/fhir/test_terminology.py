"""The value sets that are carried."""

import json

from fhir_mappings.registry import build_registry
from fhir_mappings.value_sets import TABLE, load
from service.fhir.terminology import Terminology, terminology_of

VITALS = "http://hl7.org/fhir/us/core/ValueSet/us-core-simple-observation-category"


def test_every_set_that_a_required_binding_names_is_carried():
    bound = json.loads((TABLE.parent / "r4.json").read_text())["valueSets"]
    sets = build_registry().value_sets
    assert [url for url in bound if url not in sets] == []


def test_a_set_is_pairs_of_system_and_code_with_or_without_its_version():
    sets = build_registry().value_sets
    version = terminology_of(build_registry()).sets[VITALS].version
    assert sets[VITALS] == sets[f"{VITALS}|{version}"]
    assert f"{VITALS}|0.0.1" not in sets
    assert all(system and code for system, code in sets[VITALS])


def test_nothing_is_read_before_it_is_asked_for():
    assert "terminology" not in vars(type(build_registry().value_sets)(load))


def test_no_display_of_snomed_ct_is_carried():
    assert load().displays.get("http://snomed.info/sct", {}) == {}


def test_a_registry_without_sets_carries_none():
    assert Terminology().find(VITALS) is None
