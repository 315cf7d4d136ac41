"""Who may call `/v1`: every operation of the router, so that a new one cannot be forgotten."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI

from api.routes import v1
from tests import world
from tests.api.v1.programme import Api, open_api


def operations() -> list[tuple[str, str, Any]]:
    """Method, path and example body of every operation."""
    app = FastAPI()
    app.include_router(v1.router)
    return [
        (method.upper(), path, _body(operation))
        for path, item in app.openapi()["paths"].items()
        for method, operation in item.items()
    ]


def scopes() -> dict[tuple[str, str], str]:
    """The scope that each operation says it needs."""
    app = FastAPI()
    app.include_router(v1.router)
    return {
        (method.upper(), path): operation["security"][0]["clientCredentials"][0]
        for path, item in app.openapi()["paths"].items()
        for method, operation in item.items()
    }


def _body(operation: dict[str, Any]) -> Any:
    content = operation.get("requestBody", {}).get("content", {})
    return content["application/json"]["example"] if content else None


ALL = operations()
READS = [each for each in ALL if each[0] == "GET"]
WRITES = [each for each in ALL if each[0] != "GET"]
SCOPES = scopes()
# What only the coordinator may see or do; named here, so that nothing leaves the list unnoticed.
COORDINATORS = {
    ("GET", "/v1/facilitators/load"),
    ("GET", "/v1/facilitators/{facilitator_id}/load"),
    ("GET", "/v1/facilitators/{facilitator_id}/credentials"),
    ("POST", "/v1/facilitators/{facilitator_id}/credentials"),
    ("GET", "/v1/credentials/{credential_id}"),
    ("PATCH", "/v1/credentials/{credential_id}"),
    ("GET", "/v1/facilitators/{facilitator_id}/supervision"),
    ("PUT", "/v1/facilitators/{facilitator_id}/supervision"),
    ("GET", "/v1/facilitators/{facilitator_id}/supervision-sessions"),
    ("POST", "/v1/facilitators/{facilitator_id}/supervision-sessions"),
    ("GET", "/v1/supervision-sessions/{supervision_session_id}"),
    ("GET", "/v1/concerns"),
    ("GET", "/v1/concerns/{concern_id}"),
    ("POST", "/v1/concerns/{concern_id}/acknowledge"),
    ("POST", "/v1/concerns/{concern_id}/close"),
}
NAMES = [f"{method} {path}" for method, path, _ in ALL]
every_operation = pytest.mark.parametrize(("method", "path", "body"), ALL, ids=NAMES)


@pytest.fixture(scope="module")
def shared(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """One application for all: no call depends on what another has made."""
    folder = tmp_path_factory.mktemp("access")
    file = folder / "alongside.db"
    file.write_bytes(sqlite_template.read_bytes())
    with open_api(f"sqlite:///{file}", folder) as opened:
        yield opened


@pytest.fixture(scope="module")
def tokens(shared: Api) -> dict[str, str]:
    hospital = world.hospital(shared.database)
    return {
        "read": shared.new_token("reader", "v1.read"),
        "write": shared.new_token("writer", "v1.write"),
        "coordinate": shared.new_token("coordinator", "v1.coordinate"),
        "admin": shared.new_token("administrator", "v1.admin"),
        "fhir": shared.new_token("fhir-only", "system/*.cruds"),
        "hospital": shared.new_token("hospital-a", "system/*.cruds", hospital),
    }


def ask(api: Api, method: str, path: str, body: Any, token: str) -> Any:
    address = path
    while "{" in address:
        before, _, rest = address.partition("{")
        address = f"{before}{uuid4()}{rest.partition('}')[2]}"
    return api.call(method, address, token=token, json=body)


def test_reading_and_writing_operations_are_all_found():
    assert len(READS) >= 20
    assert len(WRITES) >= 15


def own_scope(method: str, path: str) -> str:
    """Which of the tokens an operation takes."""
    if path.startswith("/v1/clients"):
        return "admin"
    if (method, path) in COORDINATORS:
        return "coordinate"
    return "read" if method == "GET" else "write"


def test_each_operation_says_which_scope_it_needs():
    assert {key: f"v1.{own_scope(*key)}" for key in SCOPES} == SCOPES


@every_operation
def test_an_anonymous_caller_is_refused(shared, method, path, body):
    answer = ask(shared, method, path, body, "")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


@every_operation
def test_an_unknown_token_is_refused(shared, method, path, body):
    assert ask(shared, method, path, body, "a" * 43).status_code == 401


@every_operation
def test_a_hospitals_client_is_refused(shared, tokens, method, path, body):
    assert ask(shared, method, path, body, tokens["hospital"]).status_code == 403


@every_operation
def test_a_token_without_the_scope_is_refused(shared, tokens, method, path, body):
    own = own_scope(method, path)
    for other in {"read", "write", "coordinate", "admin", "fhir"} - {own}:
        assert ask(shared, method, path, body, tokens[other]).status_code == 403


@every_operation
def test_the_scope_lets_the_programme_through(shared, tokens, method, path, body):
    answer = ask(shared, method, path, body, tokens[own_scope(method, path)])
    assert answer.status_code in {200, 201, 400, 404}, answer.text


@every_operation
def test_an_unknown_parameter_is_named(shared, tokens, method, path, body):
    answer = ask(shared, method, f"{path}?nonsense=1", body, tokens[own_scope(method, path)])
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "nonsense"


@every_operation
def test_an_unknown_caller_learns_nothing_of_parameters(shared, method, path, body):
    assert ask(shared, method, f"{path}?nonsense=1", body, "").status_code == 401


@pytest.mark.parametrize(("method", "path", "body"), [each for each in ALL if "{" in each[1]])
def test_a_malformed_id_is_a_problem_and_no_failure(shared, tokens, method, path, body):
    name = path.partition("{")[2].partition("}")[0]
    address = path.replace(f"{{{name}}}", "no-uuid")
    answer = ask(shared, method, address, body, tokens[own_scope(method, path)])
    assert answer.status_code == 422
    assert name in {each["field"] for each in answer.json()["errors"]}
