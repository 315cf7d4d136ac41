"""What is indexed: all that the official expressions select, whatever a resource holds.

https://hl7.org/fhir/R4/search.html#table
"""

import copy
import json
import random
from decimal import Decimal
from typing import Any

import pytest

from fhir_mappings.registry import build_registry
from service.fhir.expressions import UnknownExpressionError, compiled
from service.fhir.index_values import LONGEST
from service.fhir.search_index import START_OF_TIME, IndexRows, index, relative
from tests.properties.search_oracle import Known, selected
from tests.properties.search_world import world

REGISTRY = build_registry()
JUNK: list[Any] = [
    None, True, 0, 10**400, -1.5, "", "x", "0001-01-01", "9999-12-31T23:59:60Z", "24:00", [], {},
    [None], [[]], {"value": None}, {"coding": None}, {"coding": [None, "x"]}, {"reference": 5},
    {"reference": "#a"}, {"reference": "a/b/c/d"}, {"start": 5}, {"event": "x"}, {"low": "x"},
    {"system": 1, "code": 2}, {"identifier": "x"}, {"type": "x", "value": "y"}, Decimal("1E+9999"),
    "\x00", "\ud800", "é" * 10_000, {"family": [None, 5]}, {"repeat": {"boundsPeriod": []}},
]  # fmt: skip


def indexed(resource: dict[str, Any], name: str | None = None, **more: Any) -> IndexRows:
    kind = REGISTRY.by_type[name or resource["resourceType"]]
    return index(resource, kind, **{"meta": {}, "subject": None, **more})


@pytest.mark.parametrize("seed", range(4))
def test_what_is_selected_is_what_the_official_expressions_select(seed: int):
    for doc in world(seed):
        known = Known(doc.stored, doc.shown, doc.type, doc.resource, None)
        for parameter in REGISTRY.by_type[doc.type].parameters:
            if parameter.type != "composite":
                ours = compiled(parameter.expression)(doc.resource)
                assert texts(ours) == texts(selected(known, parameter.name)), parameter.expression


def texts(values: list[Any]) -> set[str]:
    return {json.dumps(value, sort_keys=True, default=float) for value in values}


@pytest.mark.parametrize("seed", range(20))
def test_nothing_that_a_resource_holds_is_an_error(seed: int):
    rng = random.Random(seed)
    for doc in world(seed):
        resource = json.loads(json.dumps(doc.resource))
        for _ in range(3):
            spoil(rng, resource)
        resource["resourceType"] = doc.type
        rows = indexed(resource)
        for table in rows.tables:
            sorted(table)  # as the store does: every row has the same types
            assert all(len(v) <= LONGEST + 65 for row in table for v in row if isinstance(v, str))


def spoil(rng: random.Random, node: Any) -> None:
    places = list(node) if isinstance(node, dict) else list(range(len(node)))
    if not places:
        return
    place = rng.choice(places)
    if isinstance(node[place], dict | list) and node[place] and rng.random() < 0.7:
        spoil(rng, node[place])
    else:
        node[place] = copy.deepcopy(rng.choice(JUNK))  # or one might come to hold itself


@pytest.mark.parametrize(
    "expression",
    ["Patient", "Patient.name.first()", "Patient.a.where(b > 1)", "(a", "Patient.a.b()", ""],
)
def test_an_expression_of_another_kind_is_refused(expression: str):
    with pytest.raises(UnknownExpressionError):
        compiled(expression)


def test_what_cannot_be_indexed_is_present_all_the_same():
    period = indexed({"resourceType": "Encounter", "period": {"extension": []}})
    assert ("date", "", "") in period.tokens
    assert (period.low, period.high) == (START_OF_TIME, None)
    code = indexed({"resourceType": "Observation", "code": {"text": "Only words"}})
    assert ("code", "", "") in code.tokens
    assert ("code:text", "only words", "Only words") in code.strings
    inside = indexed({"resourceType": "Observation", "encounter": {"reference": "#e"}})
    assert ("encounter", "", "") in inside.tokens
    assert not inside.references


def test_the_subject_has_no_row_but_another_has():
    observation = {"resourceType": "Observation", "subject": {"reference": "Patient/1"}}
    assert not indexed(observation, subject="1").references
    assert indexed(observation, subject="2").references == {
        ("subject", "1", "Patient"),
        ("patient", "1", "Patient"),
    }
    provenance = {"resourceType": "Provenance", "target": [{"reference": "Patient/1"}]}
    assert ("patient", "1", "Patient") in indexed(provenance, subject="1").references


def test_long_texts_are_bounded_and_told_apart():
    def names(text: str) -> set[tuple[str, str, str]]:
        return indexed({"resourceType": "Patient", "name": [{"family": text}]}).strings

    first, second = names("x" * 1_000_000), names("x" * 999_999 + "y")
    assert first != second
    assert {row[1] for row in first} == {row[1] for row in second} == {"x" * LONGEST}


@pytest.mark.parametrize(
    ("reference", "target"),
    [("Patient/1", ("Patient", "1")), ("http://a/Patient/1", None), ("urn:uuid:1", None)],
)
def test_only_relative_references_lead_to_documents_here(reference: str, target: object):
    assert relative(reference) == target


def test_every_document_has_a_place_in_the_order_of_dates():
    assert indexed({"resourceType": "Encounter"}).low == START_OF_TIME
    assert indexed({"resourceType": "Organization"}).low is None
