import logging
import socket
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from service.models.consents import Category
from tests import world
from tests.api.test_fhir_write import response
from tests.audited import opened_rows
from tests.service_at import FHIR, Service, serving


class Moved:
    """A clock that a test sets ahead."""

    ahead = timedelta()

    def __call__(self):
        return world.now() + self.ahead


@pytest.fixture
def clock() -> Moved:
    return Moved()


@pytest.fixture
def service(sqlite_url: str, tmp_path: Path, clock: Moved) -> Iterator[Service]:
    with serving(sqlite_url, tmp_path, clock) as running:
        yield running


def test_a_hospital_sends_a_response_and_reads_its_score(service: Service):
    hospital = world.hospital(service.database)
    world.linked(service.database, hospital)
    call = service.caller("hospital", FHIR, hospital)
    (entry,) = call.get("/fhir/Patient").json()["entry"]
    patient = entry["resource"]["id"]
    canonical = call.get("/fhir/Questionnaire?name=phq9").json()["entry"][0]["resource"]["url"]
    created = call(
        "POST",
        "/fhir/QuestionnaireResponse",
        json=response(canonical, patient),
        headers={"Content-Type": "application/fhir+json"},
    )
    scores = call.get(f"/fhir/Observation?patient={patient}&code=44261-6").json()
    head = call("HEAD", f"/fhir/Patient/{patient}")
    assert created.status_code == 201
    assert created.headers["x-request-id"]
    assert len(scores["entry"]) == 1
    read = call("GET", f"/fhir/Patient/{patient}")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["etag"] == read.headers["etag"]
    assert service.http.get("/fhir/metadata").json()["resourceType"] == "CapabilityStatement"


def test_a_consent_that_ends_by_the_clock_empties_the_next_answer(service: Service, clock: Moved):
    hospital = world.hospital(service.database)
    person = world.patient(service.database)
    world.link(service.database, person, hospital)
    end = world.now() + timedelta(minutes=30)
    world.consent(service.database, person, hospital, [Category.SCORES], end=end)
    world.respond(service.database, person)
    call = service.caller("hospital", FHIR, hospital)
    path = "/fhir/Observation?code=44261-6"
    (entry,) = call.get(path).json()["entry"]
    clock.ahead = timedelta(minutes=31)
    assert call.get(f"/fhir/Observation/{entry['resource']['id']}").status_code == 404
    assert "entry" not in call.get(path).json()


def test_a_failure_is_told_without_its_details(service: Service):
    call = service.caller("hospital", FHIR)
    service.database.unit_of_work(
        lambda session: session.connection().exec_driver_sql("DROP TABLE document_tokens")
    )
    answer = call.get("/fhir/Observation?code=secret")
    assert answer.status_code == 500
    assert answer.json()["issue"][0]["code"] == "exception"
    assert "secret" not in answer.text
    assert "document_tokens" not in answer.text


UPGRADE = (
    b"GET /fhir/Patient HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
BROKEN_OFF = (
    b"POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n\r\nabc"
)


def audited(service: Service, raw: bytes) -> tuple[str, str, int]:
    """Send this and hang up; return the audit row that it left."""
    address = (service.http.base_url.host, service.http.base_url.port or 80)
    with socket.create_connection(address) as plain:
        plain.sendall(raw)
        time.sleep(0.1)  # a request is handled from its header on
    for _ in range(50):
        if rows := opened_rows(service.context):
            return rows[-1].method, rows[-1].path, rows[-1].status
        time.sleep(0.02)
    raise AssertionError("there is no audit row")


def test_what_asks_for_a_websocket_has_its_audit_row(service: Service):
    assert audited(service, UPGRADE) == ("GET", "/fhir/Patient", 401)


def test_a_body_that_breaks_off_is_no_failure_of_ours(service: Service, caplog):
    with caplog.at_level(logging.ERROR):
        assert audited(service, BROKEN_OFF) == ("POST", "/oauth/token", 400)
    assert caplog.records == []


def test_head_has_no_body_and_links_outlive_a_restart(
    sqlite_url: str, tmp_path: Path, clock: Moved
):
    with serving(sqlite_url, tmp_path, clock) as first:
        hospital = world.hospital(first.database)
        for _ in range(3):
            world.linked(first.database, hospital)
        call = first.caller("hospital", FHIR, hospital)
        page = call.get("/fhir/Patient?_count=2").json()
        ids = {entry["resource"]["id"] for entry in page["entry"]}
        query = {link["relation"]: link["url"] for link in page["link"]}["next"].partition("?")[2]
        answer = call("HEAD", f"/fhir/Patient/{ids.pop()}")
        assert (answer.status_code, answer.content) == (200, b"")
        assert int(answer.headers["content-length"]) > 100
        token, base = call.token, page["link"][0]["url"].partition("/fhir")[0]
    with serving(sqlite_url, tmp_path, clock, base=base) as again:
        headers = {"Authorization": f"Bearer {token}"}
        rest = again.http.get(f"/fhir/Patient?{query}", headers=headers)
        assert len(rest.json()["entry"]) == 1
