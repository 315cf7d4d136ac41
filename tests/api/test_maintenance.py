"""Closed for maintenance: every address says so in its own form, and opens again."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from service import maintenance
from tests.process import process

FRESH = "api.maintenance.FRESH_SECONDS"
OPEN = ["/livez", "/readyz", "/health", "/ready", "/fhir/metadata"]


@pytest.fixture
def closed(served, monkeypatch):
    monkeypatch.setattr(FRESH, 0.0)
    served.context.database.unit_of_work(lambda session: maintenance.begin(session, 300, 5))
    return served


@pytest.mark.parametrize("path", OPEN)
def test_health_and_metadata_answer(closed, path):
    assert closed.client.get(path).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/fhir/Patient"), ("POST", "/fhir"), ("GET", "/fhir/Patient/1"), ("PUT", "/fhir/X/1")],
)
def test_fhir_answers_with_an_operation_outcome(closed, method, path):
    answer = closed.client.request(method, path)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "300")
    assert answer.headers["content-type"] == "application/fhir+json"
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert answer.json()["issue"][0]["code"] == "transient"


@pytest.mark.parametrize("path", ["/v1/groups", "/", "/docs", "/nowhere"])
def test_other_addresses_answer_with_a_problem(closed, path):
    answer = closed.client.get(path)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "300")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["title"] == "The service is closed for maintenance"


def test_the_token_endpoint_answers_as_oauth_does(closed):
    answer = closed.client.post("/oauth/token", data={"grant_type": "client_credentials"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "300")
    assert answer.json()["error"] == "temporarily_unavailable"
    assert answer.headers["cache-control"] == "no-store"


def test_what_is_refused_has_its_audit_row_and_afterwards_all_is_open(closed):
    closed.client.get("/v1/groups")
    assert closed.rows()[-1].status == 503
    closed.context.database.unit_of_work(maintenance.end)
    assert closed.client.get("/v1/groups").status_code == 401


def test_closing_again_keeps_when_it_began(served):
    database = served.context.database
    for retry_after, at in ((300, 5), (60, 9)):
        database.unit_of_work(lambda s, r=retry_after, at=at: maintenance.begin(s, r, at))
    found = database.read(maintenance.status)
    assert (found.since, found.retry_after) == (5, 60)


def test_a_database_that_does_not_answer_is_not_maintenance(served_on_sqlite, monkeypatch):
    monkeypatch.setattr(FRESH, 0.0)

    async def fail(_sql, _args):
        raise OSError("gone")

    monkeypatch.setattr(served_on_sqlite.context.reader, "rows", fail)
    assert served_on_sqlite.client.get("/").status_code == 200


def until(http, status):
    begun = time.monotonic()
    while http.get("/v1/groups").status_code != status:
        assert time.monotonic() - begun < 10
        time.sleep(0.05)
    return time.monotonic() - begun


def test_every_process_obeys_within_two_seconds(database_url, tmp_path):
    audit = f"sqlite:///{tmp_path / 'audit.db'}" if "sqlite" in database_url else database_url

    def command(*words):
        environment = {**os.environ, "ALONGSIDE_DATABASE_URL": database_url}
        environment["ALONGSIDE_AUDIT_DATABASE_URL"] = audit
        program = str(Path(sys.executable).with_name("alongside"))
        ran = [program, "maintenance", *words]
        return subprocess.run(ran, env=environment, check=True, capture_output=True, text=True)

    with process(database_url, audit) as first, process(database_url, audit) as second:
        for one in (first, second):
            until(one.http, 401)
        assert "after 9 s" in command("on", "--retry-after", "9").stdout
        assert max(until(one.http, 503) for one in (first, second)) < 2
        assert "is on since" in command("status").stdout
        assert first.http.get("/livez").status_code == 200
        assert command("off").stdout == "Maintenance is off.\n"
        assert max(until(one.http, 401) for one in (first, second)) < 2
        assert command("status").stdout == "Maintenance is off.\n"
