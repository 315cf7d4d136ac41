"""Where a write runs, and that it is the same write wherever that is."""

import sqlite3
import threading
import time

import pytest
from sqlalchemy import text

from api.performing import SMALL_BYTES
from service.database import Database
from tests.api.clients import Client, observation
from tests.api.fhir_endpoint import Endpoint, open_endpoint
from tests.world import hospital

REVOKE = "UPDATE access_tokens SET revoked = true"


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the threads that units of work ran in."""
    seen: list[str] = []
    transaction = Database._transaction  # noqa: SLF001 - to look where it runs

    def watched(*args, **more):
        seen.append(threading.current_thread().name)
        return transaction(*args, **more)

    monkeypatch.setattr(Database, "_transaction", watched)
    return seen


def in_threads(seen: list[str]) -> bool:
    (name,) = seen
    seen.clear()
    return "AnyIO worker" in name


def test_what_is_small_and_seeks_nothing_runs_at_once_on_sqlite(
    sender: Client, shared: Endpoint, threads: list[str]
):
    patient = sender.patient()
    threads.clear()
    is_sqlite = shared.context.database.sqlite
    kept = sender.made(observation(patient))
    assert in_threads(threads) is not is_sqlite
    assert sender.put({**kept, "note": [{"text": "x"}]}).status_code == 200
    assert in_threads(threads) is not is_sqlite
    replaced = {"op": "replace", "path": "/status", "value": "amended"}
    assert sender.patch(f"Observation/{kept['id']}", replaced).status_code == 200
    assert in_threads(threads) is not is_sqlite
    assert sender.delete(f"Observation/{kept['id']}").status_code == 204
    assert in_threads(threads) is not is_sqlite


def test_what_is_large_or_seeks_runs_in_a_thread(sender: Client, threads: list[str]):
    patient = sender.patient()
    threads.clear()
    sender.made(observation(patient, note=[{"text": "x" * SMALL_BYTES}]))
    assert in_threads(threads)
    sender.made(observation(patient, note=[{"text": "why?"}]))
    assert in_threads(threads)
    answer = sender.post(observation(patient), If_None_Exist="identifier=urn:x:y|1")
    assert answer.status_code == 201
    assert in_threads(threads)


def test_while_another_program_writes_a_thread_waits_and_the_loop_answers(
    sender: Client, shared: Endpoint
):
    if not shared.context.database.sqlite:
        pytest.skip("only SQLite has one writer")
    patient = sender.patient()
    file = shared.context.database.engine.url.database
    other = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    answers: list[int] = []
    writing = threading.Thread(
        target=lambda: answers.append(sender.post(observation(patient)).status_code)
    )
    writing.start()
    time.sleep(0.2)
    assert sender.get(f"Patient/{patient}").status_code == 200
    assert not answers
    other.execute("ROLLBACK")
    other.close()
    writing.join()
    assert answers == [201]


@pytest.mark.parametrize("seconds", [0, 0.3])
def test_a_revoked_token_is_refused_when_its_row_is_forgotten(database_url, tmp_path, seconds):
    with open_endpoint(database_url, tmp_path, access_token_memory_seconds=seconds) as endpoint:
        database = endpoint.context.database
        client = Client(endpoint, hospital(database))
        assert client.get("Patient").status_code == 200
        database.unit_of_work(lambda session: session.execute(text(REVOKE)))
        time.sleep(seconds)
        assert client.get("Patient").status_code == 401
