"""The compiled tables are what their builders make of HL7's definitions.

The definitions are not part of the project: ALONGSIDE_DEFINITIONS names a folder that has r4-core
and the guides, by default `shared/fhir` beside the project. Without one nothing is compared.
"""

import json
import os
from pathlib import Path

import pytest

from fhir_mappings.definitions import (
    build,
    build_profiles,
    build_search,
    build_summary,
    build_value_sets,
)

BESIDE = Path(__file__).parents[3] / "shared/fhir"
FHIR = Path(os.environ.get("ALONGSIDE_DEFINITIONS", BESIDE))
CORE = FHIR / "r4-core"
US_CORE = [FHIR / "us-core-6.1.0", FHIR / "us-core-7.0.0"]
GUIDES = [*US_CORE, FHIR / "sdohcc-3.0.0", FHIR / "sdc-3.0.0"]

pytestmark = pytest.mark.skipif(not CORE.exists(), reason="HL7's definitions are not at hand")


def compiled(name: str):
    return json.loads(Path(build.__file__).with_name(name).read_text())


def as_json(made):
    return json.loads(json.dumps(made))


def test_elements_rules_and_bindings_are_those_of_r4():
    assert compiled("r4.json") == as_json(build.Builder(CORE).table())


def test_search_parameters_are_the_official_ones():
    assert compiled("search_parameters.json") == as_json(build_search.parameters(CORE, US_CORE[-1]))


def test_summaries_are_those_of_r4():
    assert compiled("summary.json") == as_json(build_summary.table(CORE))


def test_value_sets_are_those_of_r4_and_us_core():
    assert compiled("value_sets.json") == as_json(build_value_sets.Builder(CORE, *US_CORE).table())


def test_profiles_are_those_of_the_guides():
    assert compiled("profiles.json") == as_json(build_profiles.Builder(CORE, GUIDES).table())
