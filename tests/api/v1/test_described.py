"""The OpenAPI of `/v1`: an example for every operation, and every example true."""

from typing import Any

import pytest
from fastapi import FastAPI

from api.routes import v1
from api.routes.v1.schema import Body, Schema


def models(base: type[Schema]) -> list[type[Schema]]:
    below = [one for each in base.__subclasses__() for one in (each, *models(each))]
    return [each for each in below if each.__module__ != "api.routes.v1.schema"]


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    app = FastAPI()
    app.include_router(v1.router)
    paths = app.openapi()["paths"].items()
    return [(method, path, each) for path, item in paths for method, each in item.items()]


ALL = operations()
every_operation = pytest.mark.parametrize(
    ("path", "operation"), [(path, operation) for _, path, operation in ALL]
)


@pytest.mark.parametrize("model", models(Schema), ids=lambda model: model.__name__)
def test_an_example_is_what_its_model_takes(model):
    assert model.model_validate(model.example())


@pytest.mark.parametrize("model", models(Schema), ids=lambda model: model.__name__)
def test_every_field_is_described(model):
    bare = [name for name, field in model.model_fields.items() if not field.description]
    assert bare in ([], ["items"])


@every_operation
def test_every_operation_has_an_example(path, operation):
    contents = [operation["requestBody"]["content"]] if "requestBody" in operation else []
    answered = [each for code, each in operation["responses"].items() if code in {"200", "201"}]
    assert len(answered) == 1
    for content in [*contents, answered[0]["content"]]:
        assert all(media["example"] for media in content.values()), path


@every_operation
def test_every_operation_has_a_name_and_its_problems(path, operation):
    assert operation["operationId"].replace("_", "").isalpha()
    problems = {"400", "401", "403", "422"} | ({"404"} if "{" in path else set())
    assert problems <= operation["responses"].keys()
    for code in problems:
        assert list(operation["responses"][code]["content"]) == ["application/problem+json"]


def test_names_of_operations_differ():
    names = [operation["operationId"] for _, _, operation in ALL]
    assert len(names) == len(set(names))


def test_no_body_takes_a_field_that_it_does_not_know():
    assert all(each.model_config["extra"] == "forbid" for each in models(Body))
