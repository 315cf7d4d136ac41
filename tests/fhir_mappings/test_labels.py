"""The labelling table of docs/privacy.md."""

from dataclasses import replace

import pytest
from sqlmodel import SQLModel

from api.main import described
from fhir_mappings import labels
from fhir_mappings.registry import build_registry
from service.instruments import instrument, lint
from service.models.connections import Confidentiality

N, R, V = Confidentiality
PHQ9 = instrument("phq-9", "1.0.0")
ITEM_9 = "/44260-8"
DRINKING = instrument("audit-c")
HARM = replace(
    PHQ9,
    safety=(),
    items=(*PHQ9.items[:1], replace(PHQ9.items[1], sensitivity="SDV"), *PHQ9.items[2:]),
)
SEVERE = replace(PHQ9, confidentiality="V")


def said(found):
    return found.confidentiality, found.sensitivity, found.part2


def test_totals_and_answers_are_restricted_and_about_mental_health():
    assert said(labels.total(PHQ9, part2=False)) == (R, "PSY", False)
    assert said(labels.answer(PHQ9, PHQ9.items[0].link_id, part2=False)) == (R, "PSY", False)


def test_an_answer_about_safety_is_very_restricted_and_so_is_its_response():
    assert said(labels.answer(PHQ9, ITEM_9, part2=False)) == (V, "PSY", False)
    assert said(labels.answers(PHQ9, part2=False)) == (V, "PSY", False)
    assert said(labels.total(SEVERE, part2=False)) == (V, "PSY", False)


def test_what_asks_about_substances_carries_the_notice_in_any_group():
    assert said(labels.total(DRINKING, part2=False)) == (R, "ETH", True)
    assert said(labels.answers(DRINKING, part2=False)) == (R, "ETH", True)
    assert said(labels.total(PHQ9, part2=True)) == (R, "PSY", True)


def test_violence_is_very_restricted_and_marked_beside_the_rest_of_the_form():
    assert said(labels.answer(HARM, HARM.items[1].link_id, part2=False)) == (V, "SDV", False)
    assert said(labels.answer(HARM, HARM.items[0].link_id, part2=False)) == (R, "PSY", False)
    assert said(labels.answers(HARM, part2=False)) == (V, "PSY SDV", False)


@pytest.mark.parametrize("wrong", [{"sensitivity": "XYZ"}, {"confidentiality": "N"}])
def test_a_definition_with_another_label_is_told(wrong):
    (name,) = wrong
    assert any(name in each for each in lint.problems([replace(PHQ9, **wrong)]))
    assert not lint.problems([DRINKING, SEVERE])


NOTES = ("process_note", "processnote", "counseling_note", "counselling_note", "psychotherapy")


def test_there_is_no_place_for_process_notes():
    """The notes that a facilitator makes of a session stay outside: no table, route or mapping."""
    columns = [f"{t.name}.{c.name}" for t in SQLModel.metadata.tables.values() for c in t.columns]
    schemas = described()["components"]["schemas"]
    fields = [
        f"{name}.{field}" for name, each in schemas.items() for field in each.get("properties", {})
    ]
    kinds = [f"{each.type}/{each.kind}" for each in build_registry().mappings]
    places = [*columns, *fields, *kinds, *described()["paths"]]
    assert not [each for each in places if any(note in each.lower() for note in NOTES)]
