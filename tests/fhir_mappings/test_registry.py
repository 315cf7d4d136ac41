"""What is served: types, search parameters, revisions.

https://hl7.org/fhir/R4/searchparameter-registry.html
"""

import re

import pytest

from fhir_mappings.conformance.codes import systems
from fhir_mappings.definitions.table import table
from fhir_mappings.instrument_codes import BAND
from service.fhir.expressions import Walk, walks
from service.instruments import all_versions
from tests.fhir_mappings.fixed_facts import REGISTRY


def test_every_mapping_makes_a_type_that_is_served():
    assert {mapping.type for mapping in REGISTRY.mappings} <= set(REGISTRY.by_type)


def test_what_no_mapping_makes_can_be_sent():
    made = {mapping.type for mapping in REGISTRY.mappings}
    assert all(kind.writable for name, kind in REGISTRY.by_type.items() if name not in made)


@pytest.mark.parametrize("kind", REGISTRY.types, ids=lambda kind: kind.name)
def test_a_type_has_no_name_twice_and_its_date_is_one_of_them(kind):
    names = [parameter.name for parameter in kind.parameters]
    assert len(set(names)) == len(names)
    assert kind.date is None or kind.by_name[kind.date].type == "date"


@pytest.mark.parametrize("kind", REGISTRY.types, ids=lambda kind: kind.name)
def test_a_parameter_searches_elements_of_r4(kind):
    for parameter in kind.parameters:
        if parameter.type == "composite":
            assert parameter.components
            assert set(parameter.components) <= set(kind.by_name)
            continue
        assert walks(parameter.expression)
        if kind.name not in table().types:
            continue  # these are published here, and nobody sends them
        for path in paths(parameter.expression):
            types = {kind.name}
            for step in path.split(".")[1:]:
                types = led_to(types, step)
                assert types, f"{kind.name} {parameter.name}: {path}"


def paths(expression: str) -> list[str]:
    """The elements that an expression names, without its conditions and types."""
    if expression == "Patient.deceased.exists() and Patient.deceased != false":
        return ["Patient.deceased"]
    bare = re.sub(r"\.(where|as|ofType)\((?:[^()]|\(\))*\)", "", expression)
    bare = re.sub(r"\((\S+) as \w+\)", r"\1", bare)
    return [part.strip() for part in bare.split("|")]


def led_to(types: set[str], step: str) -> set[str]:
    known = [table().types[name] for name in types if name in table().types]
    elements = [pair for kind in known for pair in kind.elements.items()]
    named = {key for key, element in elements if element.name == step}
    walk = Walk(step, ())
    taken = {key for key, _ in elements if not key.startswith("_") and walk.may_start_at(key)}
    assert taken == {key for key in named if not key.startswith("_")}
    return {element.type for _, element in elements if element.name == step}


def test_patients_are_found_where_a_type_is_about_one():
    for kind in REGISTRY.types:
        names = {parameter.name for parameter in kind.parameters}
        assert ("patient" in names) is (kind.patient_path is not None)


def test_every_band_has_its_code():
    displays = {code.display for system, found in systems() for code in found if system == BAND}
    assert displays >= {band.label for form in all_versions() for band in form.bands}
