"""Every request has its audit row, whatever became of it."""

import asyncio
import logging
import sqlite3
from contextlib import closing

import pytest

from api.audit_rows import AuditRows
from service.audit import prepare
from service.errors import BusyError

REQUESTS = [
    ("GET", "/", 200),
    ("GET", "/docs", 200),
    ("GET", "/openapi.json", 200),
    ("GET", "/static/alongside.css", 200),
    ("GET", "/health", 200),
    ("GET", "/ready", 200),
    ("GET", "/livez", 200),
    ("GET", "/readyz", 200),
    ("GET", "/fhir/metadata", 200),
    ("GET", "/fhir/Patient", 401),
    ("GET", "/fhir/Nonsense/1/2/3", 401),
    ("GET", "/v1/groups", 401),
    ("GET", "/nowhere", 404),
    ("DELETE", "/health", 405),
    ("POST", "/oauth/token", 400),
    ("GET", "/x%00y", 404),
]


def test_every_request_has_a_row(served):
    for method, path, status in REQUESTS:
        assert served.client.request(method, path).status_code == status, path
    found = [(row.method, row.path, row.status) for row in served.rows()]
    wanted = [(m, p.replace("%00", "\ufffd"), s) for m, p, s in REQUESTS]
    assert found == wanted


def test_the_row_names_client_audience_address_and_query(served):
    secret = served.secret("programme")
    token = served.token("programme", secret, "system/*.rs")
    answer = served.client.get(
        "/fhir/Organization?name=x&_count=2", headers={"Authorization": f"Bearer {token}"}
    )
    row = served.rows()[-1]
    assert row.request_id == answer.headers["x-request-id"]
    assert (row.client, row.audience) == ("programme", 1)
    assert row.address == "testclient"
    assert row.query == "name=x&_count=2"


def test_a_token_request_names_its_client_once_it_proved_itself(served):
    secret = served.secret("programme")
    served.token("programme", secret, "system/*.rs")
    served.client.post(
        "/oauth/token",
        data={"grant_type": "client_credentials", "scope": "v1.read"},
        auth=("programme", "wrong"),
    )
    first, second = served.rows()
    assert (first.client, first.status) == ("programme", 200)
    assert (second.client, second.status) == (None, 401)


def test_no_row_and_no_log_has_a_secret(served, caplog):
    caplog.set_level(logging.CRITICAL, "httpx2")  # the test's own client, which logs what it asks
    with caplog.at_level(logging.DEBUG):
        secret = served.secret("programme")
        token = served.token("programme", secret, "system/*.rs")
        headers = {"Authorization": f"Bearer {token}"}
        served.client.get(f"/fhir/Organization?access_token={token}", headers=headers)
        served.client.get(f"/fhir/Organization?x=1&client_secret={secret}", headers=headers)
        served.client.get(f"/fhir/Organization?access%5ftoken={token}", headers=headers)
    said = str(served.rows()) + caplog.text
    assert token not in said
    assert secret not in said


def test_the_callers_own_request_id_comes_back_and_stands_beside_ours(served):
    answer = served.client.get("/livez", headers={"X-Request-Id": "theirs-1"})
    assert answer.headers.get_list("x-request-id") == ["theirs-1"]
    (row,) = served.rows()
    assert row.caller_id == "theirs-1"
    assert row.request_id != "theirs-1"


@pytest.mark.parametrize("given", ["", "two words", "x" * 129, "caf\xe9", "a\tb"])
def test_an_id_that_is_long_or_not_plain_is_not_taken(served_on_sqlite, given):
    headers = {"X-Request-Id": given.encode("latin-1")}
    answer = served_on_sqlite.client.get("/livez", headers=headers)
    (row,) = served_on_sqlite.rows()
    assert answer.headers["x-request-id"] == row.request_id
    assert row.caller_id is None


def test_an_audit_file_of_an_older_version_gets_the_new_column(tmp_path):
    file = tmp_path / "audit.db"
    url = f"sqlite:///{file}"
    prepare(url)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("ALTER TABLE audit_entries DROP COLUMN caller_id")
    for _ in range(2):
        prepare(url)
    with closing(sqlite3.connect(file)) as connection:
        names = [row[1] for row in connection.execute("PRAGMA table_info(audit_entries)")]
    assert names[-1] == "caller_id"


def test_the_row_is_there_before_the_first_byte(served_on_sqlite):
    served, seen = served_on_sqlite, []

    async def call():
        async def send(message):
            seen.append((message["type"], len(served.rows())))

        async def receive():
            return {"type": "http.request", "body": b"", "more_body": False}

        await served.client.app(
            {
                "type": "http", "method": "GET", "path": "/health", "raw_path": b"/health",
                "query_string": b"", "headers": [], "client": None, "scheme": "http",
                "server": ("127.0.0.1", 8000), "http_version": "1.1", "root_path": "",
            },
            receive,
            send,
        )  # fmt: skip

    asyncio.run(call())
    assert seen[0] == ("http.response.start", 1)


@pytest.mark.parametrize("path", ["/health", "/fhir/metadata", "/nowhere", "/"])
def test_a_request_whose_row_cannot_be_written_is_not_answered(served_on_sqlite, monkeypatch, path):
    async def refuse(_entry):
        raise BusyError("the disk is full")

    monkeypatch.setattr(served_on_sqlite.context.audit, "write", refuse)
    answer = served_on_sqlite.client.get(path)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert answer.json()["title"] == "The service is busy; try again"


def test_a_request_whose_row_cannot_be_made_is_not_answered(served_on_sqlite, monkeypatch):
    async def fail(_rows, _scope, _at, _status):
        raise TypeError("a fault of ours")

    monkeypatch.setattr(AuditRows, "row", fail)
    assert served_on_sqlite.client.get("/health").status_code == 503


def test_every_operation_of_the_document_leaves_a_row(served_on_sqlite):
    served = served_on_sqlite
    asked = 0
    for path, item in served.client.get("/openapi.json").json()["paths"].items():
        for method in item.keys() & {"get", "put", "post", "patch", "delete"}:
            served.client.request(method, path.replace("{", "").replace("}", ""))
            asked += 1
    assert len(served.rows()) == asked + 1


def test_a_search_by_form_leaves_what_it_searched(served):
    token = served.token("programme", served.secret("programme"), "system/*.rs")
    form = {"name": "Support"}
    headers = {"Authorization": f"Bearer {token}"}
    answer = served.client.post("/fhir/Organization/_search", data=form, headers=headers)
    assert answer.status_code == 200
    assert served.rows()[-1].query == "name=Support"
