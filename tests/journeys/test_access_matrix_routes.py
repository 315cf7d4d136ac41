"""Every other route of the application: who is let in, who is refused, and how.

The rows of `/v1` are made of what the application says of itself, so a new operation has its row
by the scope that it declares; any other new route must be given its row here.
"""

import re
from typing import Any

import pytest
from starlette.routing import Route

from api.bootstrap import build
from api.main import create_app, described
from service.settings import Settings
from tests.journeys.matrix import BAD, NOTHING, World

DOCUMENT = described()
METHODS = ("get", "post", "put", "patch", "delete")
V1 = [
    (method.upper(), path, operation)
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
    if path.startswith("/v1") and method in METHODS
]
# For everybody, whatever they show for a token.
OPEN = {"/": 200, "/docs": 200, "/favicon.ico": 204, "/health": 200, "/livez": 200,
        "/oauth/jwks": 200, "/openapi.json": 200, "/package.tgz": 200, "/ready": 200,
        "/readyz": 200, "/static/alongside.css": 200}  # fmt: skip
# For who proves itself by other means than an access token; nobody does so in these rows.
PROVEN = {"/oauth/token": 400, "/oauth/introspect": 401, "/oauth/revoke": 401}
# For who has a token of another kind: an invitation, a registration's, a calendar's address.
OTHERWISE = {
    "/oauth/register": 401,
    "/oauth/register/{client_id}": 401,
    "/calendar/{token}.ics": 404,
}
LOCAL = {"/metrics": 200}  # for callers on this machine, as the tests are
UNKNOWN = "01890000-0000-7000-8000-000000000000"

each_operation = pytest.mark.parametrize(
    ("method", "path", "operation"), V1, ids=[f"{method} {path}" for method, path, _ in V1]
)


def scopes_of(operation: dict[str, Any]) -> set[str]:
    """The scopes that the operation declares, each of which it takes."""
    (declared,) = (each["clientCredentials"] for each in operation["security"])
    return set(declared)


V1_SCOPES = set().union(*(scopes_of(operation) for _, _, operation in V1))


def ask(caller: Any, method: str, path: str, operation: dict[str, Any]) -> Any:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    body = {} if content is None else {"json": content.get("example", {})}
    demanded = [
        each for each in operation.get("parameters", ())
        if each["in"] == "query" and each["required"]
    ]  # fmt: skip
    shown = [each for each in demanded if "examples" in each["schema"]]
    query = {each["name"]: each["schema"]["examples"][0] for each in shown}
    return caller(method, re.sub(r"\{\w+\}", UNKNOWN, path), params=query or None, **body)


def test_every_route_has_a_row():
    settings = Settings(database_url="sqlite:///:memory:", audit_database_url="sqlite:///:memory:")
    app = create_app(build(settings, key=b"none"))
    served = {each.path for each in app.router.routes if isinstance(each, Route)}
    served |= {path for path in app.openapi()["paths"] if not path.startswith("/fhir")}
    rows = {path for _, path, _ in V1} | set(OPEN) | set(PROVEN) | set(LOCAL)
    rows |= set(OTHERWISE)
    assert served == rows
    assert all(operation["security"] for _, _, operation in V1)


@each_operation
def test_v1_takes_a_token_that_is_good(
    two: World, method: str, path: str, operation: dict[str, Any]
):
    for caller in (two.service.http.request, *map(two.nobody, BAD)):
        answer = ask(caller, method, path, operation)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.headers["content-type"] == "application/problem+json"


@each_operation
def test_v1_takes_its_own_scope_of_the_programme(
    two: World, method: str, path: str, operation: dict[str, Any]
):
    own = scopes_of(operation)
    assert own
    refused = [
        two.caller("system/*.cruds"),  # a hospital
        two.programme(f"system/*.cruds{NOTHING}"),
        *(two.programme(" ".join(sorted(V1_SCOPES - {one}))) for one in own),
    ]
    for caller in refused:
        assert ask(caller, method, path, operation).status_code == 403
    answer = ask(two.programme(" ".join(sorted(own))), method, path, operation)
    assert answer.status_code in expected(method, path), answer.text


def expected(method: str, path: str) -> set[int]:
    """What the exact scope is answered: nobody has the id that is named, here or in the body."""
    if method == "GET":
        if path == "/v1/consents/explain":  # the row asks nothing, and it takes a question
            return {422}
        return {404} if "{" in path else {200}
    if path.startswith("/v1/bulk/"):  # each row has a status of its own
        return {200}
    return {400, 404} if "{" in path else {201, 400, 404}


@pytest.mark.parametrize("path", sorted(OPEN))
def test_what_is_for_everybody_is_answered_whatever_is_shown(two: World, path: str):
    for caller in (two.service.http.request, *map(two.nobody, BAD), two.caller("system/*.rs")):
        assert caller("GET", path).status_code == OPEN[path]


@pytest.mark.parametrize("path", sorted(PROVEN))
def test_the_authorization_server_takes_a_proof_and_no_access_token_for_it(two: World, path: str):
    form = {"grant_type": "client_credentials", "scope": "system/*.rs", "token": "x"}
    assert two.service.http.post(path, data=form).status_code in {PROVEN[path], 401}
    for caller in map(two.nobody, BAD):
        answer = caller("POST", path, data=form)
        assert answer.status_code in {400, 401}
        assert answer.json()["error"] in {"invalid_client", "invalid_token", "invalid_request"}
    allowed = two.caller("system/*.rs")("POST", path, data=form)
    assert (allowed.status_code == 200) == (path == "/oauth/introspect")


def test_metrics_are_for_this_machine_and_take_no_access_token(two: World):
    for path, status in LOCAL.items():
        assert two.service.http.get(path).status_code == status


@pytest.mark.parametrize("path", sorted(OTHERWISE))
def test_what_takes_another_kind_of_token_takes_no_access_token(two: World, path: str):
    method = "POST" if path == "/oauth/register" else "GET"
    address = re.sub(r"\{\w+\}", UNKNOWN, path)
    callers = (two.service.http.request, *map(two.nobody, BAD), two.caller("system/*.rs"))
    for caller in callers:
        more = {"json": {}} if method == "POST" else {}
        assert caller(method, address, **more).status_code == OTHERWISE[path]
