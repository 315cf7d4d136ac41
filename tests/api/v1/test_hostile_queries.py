"""What stands in an address of `/v1` and is no text to PostgreSQL: refused, by every operation."""

import base64
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode
from uuid import uuid4

import pytest
from fastapi import FastAPI

from api.routes import v1
from tests import world
from tests.api.registering import bearer
from tests.api.served import Served, serve
from tests.api.v1.programme import EVERY_SCOPE, rules
from tests.conftest import new_database

Parameters = list[dict[str, Any]]

NUL = "\x00"
CURSORS = [
    "AA",
    NUL,
    *(
        base64.urlsafe_b64encode(each.encode()).decode().rstrip("=")
        for each in (f"{NUL}|{NUL}", f"{NUL}|{NUL}|{NUL}", f"a{NUL}", f"2026-01-05|{NUL}", "é|1")
    ),
]


def reads() -> dict[str, Parameters]:
    """Every address that is read, with its parameters, as the OpenAPI document has them."""
    app = FastAPI()
    app.include_router(v1.router)
    paths = app.openapi()["paths"].items()
    return {path: item["get"].get("parameters", []) for path, item in paths if "get" in item}


READS = reads()


def is_text(schema: dict[str, Any]) -> bool:
    """Tell whether any text is taken, and not only one of a list or of a form."""
    return any(
        each.get("type") == "string" and not {"enum", "format", "const"} & set(each)
        for each in (schema, *schema.get("anyOf", ()))
    )


@dataclass
class Here:
    served: Served
    token: str
    known: dict[str, str]

    def get(self, path: str, parameters: Parameters, **more: str) -> Any:
        """Ask with what is required, and with more; what is known here stands for its ids."""
        asked = {
            each["name"]: self.known.get(each["name"]) or each["schema"]["examples"][0]
            for each in parameters
            if each["in"] == "query" and each["required"]
        }
        own = {name: more.pop(name) for name in list(more) if f"{{{name}}}" in path}
        address = re.sub(
            r"\{(\w+)\}",
            lambda found: quote(own.get(found[1]) or self.known.get(found[1]) or str(uuid4())),
            path,
        )
        query = urlencode({**asked, **more})
        return self.served.client.get(f"{address}?{query}", headers=bearer(self.token))


@pytest.fixture(scope="module")
def here(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Here]:
    folder = tmp_path_factory.mktemp("queries")
    with ExitStack() as stack:
        url = new_database("postgresql", request, folder, stack)
        served = stack.enter_context(serve(url, folder))
        secret = served.secret("programme", EVERY_SCOPE)
        database = served.context.database
        known = {
            "patient_id": world.patient(database).id,
            "group_id": world.group(database).id,
            "facilitator_id": world.facilitator(database).id,
            "connection_id": world.hospital(database).id,
        }
        ids = {name: str(one) for name, one in known.items()}
        ids["category"] = "scores"
        yield Here(served, served.token("programme", secret, EVERY_SCOPE), ids)


@pytest.mark.postgres
@pytest.mark.parametrize("path", sorted(READS))
def test_a_nul_is_refused_in_whatever_an_address_takes(here: Here, path: str) -> None:
    parameters = READS[path]
    for each in parameters:
        name = each["name"]
        if each["in"] not in {"query", "path"}:
            continue
        for value in (NUL, f"a{NUL}b"):
            answer = here.get(path, parameters, **{name: value})
            assert answer.status_code in {400, 404, 422}, (name, answer.status_code)
            if each["in"] == "query" and is_text(each["schema"]) and answer.status_code != 404:
                assert name in rules(answer), (name, answer.text)


@pytest.mark.postgres
@pytest.mark.parametrize("path", sorted(p for p in READS if "cursor" in str(READS[p])))
def test_a_cursor_that_is_not_ours_is_refused(here: Here, path: str) -> None:
    assert here.get(path, READS[path]).status_code in {200, 404}
    for cursor in CURSORS:
        answer = here.get(path, READS[path], cursor=cursor)
        assert answer.status_code in {400, 404}, (cursor, answer.status_code)
        if answer.status_code == 400:
            assert list(rules(answer)) == ["cursor"], cursor
