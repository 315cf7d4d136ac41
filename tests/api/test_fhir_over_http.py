import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn

from api.main import create_app
from tests import world
from tests.api.fhir_endpoint import Endpoint, open_endpoint
from tests.api.test_fhir_write import response

START_SECONDS = 10


@pytest.fixture
def served(endpoint: Endpoint) -> Iterator[httpx.Client]:
    """The whole application behind uvicorn, on a free port of loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(create_app(endpoint.context), log_config=None, lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        limit = time.monotonic() + START_SECONDS
        while not server.started and time.monotonic() < limit:
            time.sleep(0.01)
        base = f"http://127.0.0.1:{listening.getsockname()[1]}/fhir"
        with httpx.Client(base_url=base) as client:
            yield client
        server.should_exit = True
        thread.join()


@pytest.fixture
def endpoint(sqlite_url: str, tmp_path: Path) -> Iterator[Endpoint]:
    with open_endpoint(sqlite_url, tmp_path) as opened:
        yield opened


def test_the_whole_application_serves_fhir(endpoint: Endpoint, served: httpx.Client):
    hospital = world.hospital(endpoint.context.database)
    world.linked(endpoint.context.database, hospital)
    headers = {"Authorization": f"Bearer {endpoint.token(hospital)}"}
    (entry,) = served.get("/Patient", headers=headers).json()["entry"]
    patient = entry["resource"]["id"]
    body = response(endpoint, patient)
    created = served.post(
        "/QuestionnaireResponse",
        json=body,
        headers={**headers, "Content-Type": "application/fhir+json"},
    )
    scores = served.get(f"/Observation?patient={patient}&code=44261-6", headers=headers).json()
    assert created.status_code == 201
    assert len(scores["entry"]) == 1
    assert created.headers["x-request-id"]
    head = served.head(f"/Patient/{patient}", headers=headers)
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", 'W/"1"')
    assert served.get("/metadata").json()["resourceType"] == "CapabilityStatement"


def test_a_failure_is_told_without_its_details(endpoint: Endpoint, served: httpx.Client):
    headers = {"Authorization": f"Bearer {endpoint.token()}"}
    endpoint.context.database.unit_of_work(
        lambda session: session.connection().exec_driver_sql("DROP TABLE document_tokens")
    )
    answer = served.get("/Observation?code=secret", headers=headers)
    assert answer.status_code == 500
    assert answer.json()["issue"][0]["code"] == "exception"
    assert "secret" not in answer.text
    assert "document_tokens" not in answer.text
