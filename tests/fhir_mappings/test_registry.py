"""What is served: types, search parameters, revisions.

https://hl7.org/fhir/R4/searchparameter-registry.html
"""

import pytest

from fhir_mappings.codes import BANDS
from fhir_mappings.definitions.table import table
from service.instruments import all_versions
from tests.fhir_mappings.fixed_facts import REGISTRY


def test_every_mapping_makes_a_type_that_is_served():
    assert {mapping.type for mapping in REGISTRY.mappings} <= set(REGISTRY.by_type)


def test_what_no_mapping_makes_can_be_sent():
    made = {mapping.type for mapping in REGISTRY.mappings}
    assert all(kind.writable for name, kind in REGISTRY.by_type.items() if name not in made)


@pytest.mark.parametrize("kind", REGISTRY.types, ids=lambda kind: kind.name)
def test_a_type_has_at_most_one_date_and_no_name_twice(kind):
    names = [parameter.name for parameter in kind.parameters]
    assert len(set(names)) == len(names)
    assert sum(parameter.type == "date" for parameter in kind.parameters) <= 1


@pytest.mark.parametrize("kind", REGISTRY.types, ids=lambda kind: kind.name)
def test_a_parameter_searches_an_element_of_r4(kind):
    for parameter in kind.parameters:
        current = kind.name
        for step in parameter.path.split("."):
            element = table().types[current].elements.get(step)
            assert element, f"{kind.name}.{parameter.path}"
            current = element.type


def test_patients_are_found_where_a_type_is_about_one():
    for kind in REGISTRY.types:
        names = {parameter.name for parameter in kind.parameters}
        assert ("patient" in names) is (kind.patient_path is not None)


def test_every_band_has_its_code():
    assert {band.label for form in all_versions() for band in form.bands} == set(BANDS)
