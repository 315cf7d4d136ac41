"""Whatever is sent is answered with issues, soon, and without quoting it."""

import copy
import time
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_mappings import resources
from fhir_mappings.definitions.walk import MOST_ISSUES
from fhir_mappings.structure import validate
from tests.fhir_mappings.responses import SECRET, XHTML, found, narrated, response, sample

KEYS = (
    "resourceType id meta item answer valueCoding valueString _valueString system code reference"
    " extension url contained text div subject authored linkId coding"
)
json_values = st.recursive(
    st.sampled_from([None, True, 0, -1, Decimal("1.5"), "", " ", SECRET, "#x", "Patient/1"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(KEYS.split()),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


def places(node, path=()):
    yield path
    children = node.items() if isinstance(node, dict) else enumerate(node)
    for key, child in children:
        if isinstance(child, dict | list):
            yield from places(child, (*path, key))
        else:
            yield (*path, key)


def put(document, path, value):
    changed = copy.deepcopy(document)
    node = changed
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    return changed


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_any_change_of_a_sample_is_answered_with_issues_only(data):
    document = sample()
    path = data.draw(st.sampled_from([place for place in places(document) if place]))
    changed = put(document, path, data.draw(json_values))
    before = copy.deepcopy(changed)
    found(changed)
    assert changed == before


@given(st.sampled_from(sorted(resources.TYPES)), st.dictionaries(st.text(max_size=8), json_values))
@settings(max_examples=100, deadline=None)
def test_any_members_are_answered_with_issues_only(name, members):
    found({**members, "resourceType": name})


def test_endless_nesting_is_an_issue():
    document = response()
    for _ in range(5000):
        document = {"resourceType": "QuestionnaireResponse", "item": [document]}
    assert {code for _, code in found(document)} <= {"structure", "required"}


def test_the_number_of_issues_is_limited():
    assert len(validate(response(item=[{"linkId": ""}] * 10_000))) == MOST_ISSUES


@pytest.mark.parametrize(
    "div", ["<div>" * 100_000, "&a" * 300_000, f"<div {XHTML}>" + "<b>" * 99_999]
)
def test_a_hostile_narrative_costs_little(div):
    started = time.process_time()
    assert found(narrated(div)) == {("text.div", "invariant")}
    assert time.process_time() - started < 1
