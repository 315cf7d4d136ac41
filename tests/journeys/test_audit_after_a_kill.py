"""A process that is killed under load: every answer that was sent has its row, in whole chains.

https://hl7.org/fhir/R4/security.html#audit
"""

import os
import signal
import threading

import httpx
import pytest
from sqlalchemy import text

from service.audit import prepare
from service.audit.verification import verify
from service.clock import system_clock
from service.database import Database
from service.engine import create_engine
from service.smart.clients import NewClient, add_client
from service.smart.tokens import Grant, issue
from tests import world
from tests.conftest import open_database
from tests.process import process

CALLERS = 4
NIGHTLY = "ALONGSIDE_NIGHTLY" in os.environ
ANSWERS = 500 if NIGHTLY else 60
KILLS = 10 if NIGHTLY else 1


@pytest.fixture
def token(database_url) -> str:
    database = open_database(database_url)
    connection = world.hospital(database)
    for _ in range(3):
        world.linked(database, connection)
    found = issued(database, connection)
    database.close()
    return found


def issued(database: Database, connection) -> str:
    def work(session) -> str:
        new = NewClient(name="ehr", scopes=("system/*.cruds",), connection_id=connection.id)
        client, _ = add_client(session, new)
        return issue(session, client, Grant(scope="system/*.cruds", seconds=3600), system_clock())

    return database.unit_of_work(work)


def call(base: str, token: str, answered: list[str], enough: threading.Event) -> None:
    """Read until nobody answers; keep the id of each answer that came."""
    with httpx.Client(base_url=base, headers={"Authorization": f"Bearer {token}"}) as http:
        while True:
            try:
                answer = http.get("/fhir/Patient")
            except httpx.TransportError:
                return
            assert answer.status_code == 200
            answered.append(answer.headers["x-request-id"])
            if len(answered) >= ANSWERS:
                enough.set()


def test_every_answer_that_was_sent_before_a_kill_has_its_row(database_url, tmp_path, token):
    on_sqlite = database_url.startswith("sqlite")
    audit = f"sqlite:///{tmp_path / 'killed-audit.db'}" if on_sqlite else database_url
    prepare(audit)
    answered: list[str] = []
    for _ in range(KILLS):
        answered += killed_under_load(database_url, audit, token)
    engine = create_engine(audit)
    with engine.connect() as connection:
        kept = set(connection.execute(text("SELECT request_id FROM audit_entries")).scalars())
    engine.dispose()
    assert len(answered) >= KILLS * ANSWERS
    assert set(answered) <= kept
    found = verify(audit)
    assert found.problems == []
    assert found.writers >= KILLS


def killed_under_load(database_url: str, audit: str, token: str) -> list[str]:
    answered: list[str] = []
    enough = threading.Event()
    with process(database_url, audit) as running:
        base = str(running.http.base_url)
        callers = [
            threading.Thread(target=call, args=(base, token, answered, enough))
            for _ in range(CALLERS)
        ]
        for each in callers:
            each.start()
        assert enough.wait(timeout=60)
        os.kill(running.pid, signal.SIGKILL)
        for each in callers:
            each.join()
    return answered
