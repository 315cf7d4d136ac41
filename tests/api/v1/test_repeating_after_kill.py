"""kill -9 between commit and answer: whoever asks again, at another process, gets that answer."""

import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import func, select

from service.database import Database
from service.models.patients import Patient
from tests.api.v1.programme import open_api
from tests.conftest import open_database
from tests.process import Process, process

PERSON = {"family": "Rivera", "given": "Lucia"}
ROWS = {"rows": [PERSON | {"given": f"Given {number}"} for number in range(60)]}
WAIT_SECONDS = 30


@dataclass(frozen=True)
class Installation:
    url: str
    audit_file: Path
    token: str
    database: Database

    def process(self) -> Any:
        return process(self.url, f"sqlite:///{self.audit_file}")

    def post(self, at: Process, path: str, body: Any, key: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": key}
        return at.http.post(path, json=body, headers=headers)

    def people(self) -> int:
        return self.database.read(
            lambda session: session.exec(select(func.count(Patient.id))).one()
        )

    def until(self, is_so: Callable[[int], bool]) -> None:
        """Wait for so many people to be committed."""
        end = time.monotonic() + WAIT_SECONDS
        while not is_so(self.people()):
            assert time.monotonic() < end
            time.sleep(0.005)


@pytest.fixture
def installation(database_url: str, tmp_path: Path) -> Iterator[Installation]:
    with open_api(database_url, tmp_path) as api:
        token, file = api.token, api.audit_file
    database = open_database(database_url)
    yield Installation(database_url, file, token, database)
    database.close()


@contextmanager
def unanswering(audit_file: Path) -> Iterator[None]:
    """Let processes commit and not answer: no answer goes out before its audit row."""
    connection = sqlite3.connect(audit_file, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.close()


def killed(process: Process) -> None:
    os.kill(process.pid, signal.SIGKILL)


def test_what_a_killed_process_committed_is_answered_by_the_next(installation):
    ask = installation.post
    with ThreadPoolExecutor(8) as threads, installation.process() as second:
        with installation.process() as first, unanswering(installation.audit_file):
            lost = threads.submit(ask, first, "/v1/patients", PERSON, "one")
            installation.until(lambda people: people == 1)
            killed(first)
        assert isinstance(lost.exception(), httpx.TransportError)

        found = ask(second, "/v1/patients", PERSON, "one")
        assert (found.status_code, found.headers["idempotency-replayed"]) == (201, "true")
        assert installation.people() == 1

        with installation.process() as third:
            asked = [
                threads.submit(ask, at, "/v1/patients", PERSON, "both")
                for at in (second, third) * 6
            ]
            assert len({each.result().content for each in asked}) == 1
            assert installation.people() == 2

            lost = threads.submit(ask, third, "/v1/bulk/patients", ROWS, "many")
            installation.until(lambda people: people > 5)
            killed(third)
        assert isinstance(lost.exception(), httpx.TransportError)
        assert installation.people() < 62

        whole = ask(second, "/v1/bulk/patients", ROWS, "many")
        assert {each["status"] for each in whole.json()["results"]} == {201}
        assert installation.people() == 62
        assert ask(second, "/v1/bulk/patients", ROWS, "many").content == whole.content
