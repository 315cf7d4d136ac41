"""What is counted, who may read it, and that no label says who or what was asked for."""

import re
from datetime import timedelta

import pytest
from sqlalchemy.exc import DBAPIError
from starlette.testclient import TestClient

from api.main import create_app
from service.clock import system_clock
from service.commands import AcknowledgeConcern, RaiseConcern
from service.database import ATTEMPTS
from service.errors import BusyError
from service.handlers import execute
from service.models.concerns import ConcernKind, Severity
from tests import world
from tests.api.served import BASE, serve
from tests.process import process

TOKEN = "a-token-of-metrics-1"
SECRETS = ["Doe", "secret-id", "MRN", "theirs-1"]


def scraped(served, **headers):
    """The metrics as a caller on this machine reads them."""
    app = served.client.app
    with_loopback = TestClient(app, base_url=BASE, client=("127.0.0.1", 5))
    return with_loopback.get("/metrics", headers=headers)


def value(text, sample):
    found = re.search(rf"^{re.escape(sample)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else None


def test_requests_are_counted_by_template_method_and_status(served):
    token = served.token("programme", served.secret("programme"), "system/*.rs v1.read")
    headers = {"Authorization": f"Bearer {token}"}
    for _ in range(3):
        served.client.get("/fhir/Patient/secret-id", headers=headers)
    served.client.get("/fhir/Patient?family=Doe", headers={**headers, "X-Request-Id": "theirs-1"})
    served.client.get("/v1/patients/secret-id", headers=headers)
    served.client.get("/v1/groups", headers=headers)
    served.client.get("/Doe/MRN")
    served.client.request("DOE", "/livez")
    text = scraped(served).text
    for sample, count in {
        'alongside_requests_total{method="GET",route="/fhir/{type}/{id}",status="404"}': 3,
        'alongside_requests_total{method="GET",route="/fhir/{type}",status="200"}': 1,
        'alongside_requests_total{method="GET",route="/v1/patients/{patient_id}",status="422"}': 1,
        'alongside_requests_total{method="GET",route="/v1/groups",status="200"}': 1,
        'alongside_requests_total{method="GET",route="(none)",status="404"}': 1,
        'alongside_requests_total{method="other",route="/livez",status="405"}': 1,
        'alongside_request_seconds_count{method="GET",route="/fhir/{type}/{id}"}': 3,
        "alongside_audit_write_failures_total": 0,
        "alongside_unit_of_work_retries_total": 0,
    }.items():
        assert value(text, sample) == count, sample
    assert value(text, 'alongside_database_connections{pool="write",state="used"}') == 0
    assert value(text, 'alongside_database_connections{pool="read",state="idle"}') >= 1
    assert "process_cpu_seconds_total" in text
    assert [each for each in [*SECRETS, token] if each in text] == []


def test_an_audit_row_that_was_not_written_is_counted(served_on_sqlite, monkeypatch):
    write = served_on_sqlite.context.audit.write

    async def refuse(_entry):
        raise BusyError("the disk is full")

    monkeypatch.setattr(served_on_sqlite.context.audit, "write", refuse)
    served_on_sqlite.client.get("/livez")
    monkeypatch.setattr(served_on_sqlite.context.audit, "write", write)
    text = scraped(served_on_sqlite).text
    assert value(text, "alongside_audit_write_failures_total") == 1
    assert value(text, 'alongside_requests_total{method="GET",route="/livez",status="503"}') == 1


def test_changes_begun_again_are_counted(served, monkeypatch):
    database = served.context.database
    monkeypatch.setattr("service.database.FIRST_PAUSE_SECONDS", 0)

    class DeadlockError(Exception):
        sqlstate = "40P01"

    def work(_session):
        raise DBAPIError("UPDATE", None, DeadlockError())

    with pytest.raises(BusyError):
        database.unit_of_work(work)
    assert value(scraped(served).text, "alongside_unit_of_work_retries_total") == ATTEMPTS


def test_only_this_machine_reads_them_where_there_is_no_token(served_on_sqlite):
    refused = served_on_sqlite.client.get("/metrics")
    assert refused.status_code == 403
    assert "ALONGSIDE_METRICS_TOKEN" in refused.json()["detail"]
    assert scraped(served_on_sqlite).headers["content-type"].startswith("text/plain")


def test_where_there_is_a_token_everyone_needs_it(sqlite_url, tmp_path):
    with serve(sqlite_url, tmp_path, metrics_token=TOKEN) as served:
        assert scraped(served).status_code == 401
        assert scraped(served, Authorization="Bearer another-one-123456").status_code == 401
        assert scraped(served, Authorization="Bearer caf\xe9".encode("latin-1")).status_code == 401
        right = {"Authorization": f"Bearer {TOKEN}"}
        assert served.client.get("/metrics", headers=right).status_code == 200
        assert TOKEN not in repr(served.context.settings)


def test_two_applications_count_apart(served_on_sqlite):
    served_on_sqlite.client.get("/livez")
    other = create_app(served_on_sqlite.context)
    assert other is not served_on_sqlite.client.app
    assert 'route="/livez"' in scraped(served_on_sqlite).text


def test_a_served_process_tells_them(database_url, tmp_path):
    audit = f"sqlite:///{tmp_path / 'audit.db'}" if "sqlite" in database_url else database_url
    with process(database_url, audit) as running:
        text = running.http.get("/metrics").text
        assert value(text, 'alongside_requests_total{method="GET",route="/ready",status="200"}')
        outside = running.http.get("/metrics", headers={"X-Forwarded-For": "192.0.2.7"})
        assert outside.status_code == 403


def test_concerns_that_wait_are_counted_by_the_clock(served, monkeypatch):
    database = served.context.database

    def told():
        text = scraped(served).text
        return [value(text, f"alongside_concerns_{name}") for name in ("open", "overdue")]

    assert told() == [0, 0]
    group = world.group(database)
    command = RaiseConcern(
        group_id=group.id, kind=ConcernKind.OTHER, severity=Severity.LOW, raised_by="t"
    )
    row = execute(database, command)
    execute(database, command)
    assert told() == [2, 0]
    monkeypatch.setattr(database, "clock", lambda: system_clock() + timedelta(hours=25))
    assert told() == [2, 2]
    execute(database, AcknowledgeConcern(concern_id=row.id, by="Sam"))
    assert told() == [1, 1]


def test_a_database_that_does_not_answer_leaves_the_other_figures(served_on_sqlite, monkeypatch):
    def fail(_work):
        raise DBAPIError("SELECT", None, RuntimeError())

    monkeypatch.setattr(served_on_sqlite.context.database, "read", fail)
    text = scraped(served_on_sqlite).text
    assert "alongside_concerns_open" not in text
    assert "process_cpu_seconds_total" in text
