"""Everything that R4 allows is accepted: every element of every type, and US Core's examples.

https://hl7.org/fhir/R4/resourcelist.html
"""

import copy
import json
from pathlib import Path

import pytest

from fhir_mappings.definitions.table import table
from fhir_mappings.structure import validate
from service.fhir.lexical import parse
from tests.fhir_mappings.made import elements, smallest

US_CORE = Path(__file__).parents[1] / "data" / "us-core"
EXAMPLES = [
    line for path in sorted(US_CORE.glob("*.ndjson")) for line in path.read_bytes().splitlines()
]


@pytest.mark.parametrize("kind", sorted(table().resources))
def test_every_element_is_accepted(kind):
    refused = {
        path: [issue for issue in validate(resource) if issue.code != "invariant"]
        for path, resource in elements(kind)
    }
    assert {path: issues for path, issues in refused.items() if issues} == {}


@pytest.mark.parametrize("kind", sorted(table().resources))
def test_every_required_element_is_missed(kind):
    made = smallest(kind)
    for name, keys in table().types[kind].required:
        cut = {key: value for key, value in made.items() if key not in keys}
        assert (f"{kind}.{name}", "required") in {(i.expression, i.code) for i in validate(cut)}


@pytest.mark.parametrize("line", EXAMPLES, ids=lambda line: json.loads(line)["id"])
def test_an_example_of_us_core_has_no_issue_and_is_left_as_it_was(line):
    value = parse(line).value
    before = copy.deepcopy(value)
    assert validate(value) == []
    assert value == before


def test_the_examples_are_of_many_types_and_few_are_large():
    kinds = [json.loads(line)["resourceType"] for line in EXAMPLES]
    assert len(set(kinds)) >= 15
    assert kinds.count("Observation") >= 50
