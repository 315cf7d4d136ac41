"""openapi.yaml is the application's, valid, and has an example for every operation."""

import json
from importlib import import_module

import pytest
from openapi_spec_validator import validate

from api import fhir_openapi
from api.main import described
from api.openapi import as_yaml
from fhir_mappings import structure
from fhir_mappings.registry import build_registry
from tests.api.examples import EXAMPLES, ROOT, pairs

METHODS = {"get", "put", "post", "patch", "delete"}
TYPES = sorted(build_registry().by_type)
# No client sends these, so the tables of the structure validator do not have them.
NOT_SENT = {"NamingSystem", "OperationDefinition", "StructureDefinition"}


@pytest.fixture(scope="module")
def document():
    return json.loads(json.dumps(described()))


def operations(document):
    return [
        (path, method, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    ]


def test_the_committed_file_equals_the_application(document):
    assert (ROOT / "openapi.yaml").read_text(encoding="utf-8") == as_yaml(document), "make openapi"


def test_the_document_is_valid_openapi_31(document):
    assert document["openapi"] == "3.1.0"
    validate(document)


def test_every_operation_has_its_own_id_a_tag_and_a_summary(document):
    found = operations(document)
    ids = [operation["operationId"] for _, _, operation in found]
    assert len(set(ids)) == len(ids)
    assert all(operation.get("summary") and operation.get("tags") for _, _, operation in found)


def test_every_operation_has_an_example_of_what_it_answers(document):
    for path, method, operation in operations(document):
        good = next(v for k, v in operation["responses"].items() if k.startswith("2"))
        if "$ref" in good:
            good = document["components"]["responses"][good["$ref"].rpartition("/")[2]]
        for media in good.get("content", {"": {"example": 1}}).values():
            reference = media.get("schema", {}).get("$ref", "").rpartition("/")[2]
            schema = document["components"]["schemas"].get(reference, {})
            assert {"example", "examples"} & (media.keys() | schema.keys()), (method, path)


def test_every_body_has_an_example(document):
    for path, method, operation in operations(document):
        for media in operation.get("requestBody", {}).get("content", {}).values():
            assert {"example", "examples"} & media.keys(), (method, path)


def test_every_route_is_documented(document, served_on_sqlite):
    pages = {"/", "/docs", "/openapi.json", "/static/alongside.css", "/favicon.ico"}
    paths = {
        route.path
        for route in served_on_sqlite.client.app.routes
        if hasattr(route, "path") and not route.path.startswith("/fhir")
    }
    assert paths - pages <= document["paths"].keys()


@pytest.mark.parametrize(("name", "content"), pairs(), ids=[name for name, _ in pairs()])
def test_the_example_of_a_type_is_what_is_served(name, content):
    assert (EXAMPLES / f"{name}.json").read_bytes() == content, "python -m tests.api.examples"


def test_every_type_has_an_example_and_no_other():
    assert sorted(path.stem for path in EXAMPLES.glob("*.json")) == TYPES


@pytest.mark.parametrize("name", TYPES)
def test_the_example_of_a_type_is_valid_fhir(name):
    example = fhir_openapi.example(name)
    if name in NOT_SENT:
        module = import_module(f"fhir.resources.R4B.{name.lower()}")
        getattr(module, name).model_validate(example)
        return
    issues = structure.validate(example)
    assert [each for each in issues if each.severity == "error"] == []


@pytest.mark.parametrize("name", TYPES)
def test_every_search_parameter_of_a_type_is_documented(document, name):
    parameters = document["paths"][f"/fhir/{name}"]["get"]["parameters"]
    named = {each["name"] for each in parameters if "name" in each}
    assert named == {each.name for each in build_registry().by_type[name].parameters}
