"""A process that is killed while it changes things: every change has its audit row in the end."""

import os
import signal
import threading
from datetime import timedelta

import httpx
from sqlmodel import Session, select

from api.bootstrap import build
from api.pruning import complete
from service.audit import prepare
from service.audit.verification import verify
from service.clock import system_clock
from service.database import Database
from service.models.patients import Patient
from service.settings import Settings
from service.smart.clients import NewClient, add_client
from service.smart.tokens import Grant, issue
from tests.audited import opened_rows
from tests.conftest import open_database
from tests.process import process

CALLERS, CHANGES = 3, 30
PERSON = {"family": "Rivera", "given": "Ana"}


def issued(database: Database) -> str:
    def work(session: Session) -> str:
        client, _ = add_client(session, NewClient(name="platform", scopes=("v1.write",)))
        return issue(session, client, Grant(scope="v1.write", seconds=3600), system_clock())

    return database.unit_of_work(work)


def write(base: str, token: str, made: list[str], enough: threading.Event) -> None:
    with httpx.Client(base_url=base, headers={"Authorization": f"Bearer {token}"}) as http:
        while True:
            try:
                answer = http.post("/v1/patients", json=PERSON)
            except httpx.TransportError:
                return
            assert answer.status_code == 201, answer.text
            made.append(answer.json()["id"])
            if len(made) >= CHANGES:
                enough.set()


def test_every_change_before_a_kill_has_its_row_in_the_end(database_url, tmp_path):
    on_sqlite = database_url.startswith("sqlite")
    audit = f"sqlite:///{tmp_path / 'killed-audit.db'}" if on_sqlite else database_url
    prepare(audit)
    database = open_database(database_url)
    token, made, enough = issued(database), list[str](), threading.Event()
    with process(database_url, audit) as running:
        arguments = str(running.http.base_url), token, made, enough
        callers = [threading.Thread(target=write, args=arguments) for _ in range(CALLERS)]
        for each in callers:
            each.start()
        assert enough.wait(timeout=60)
        os.kill(running.pid, signal.SIGKILL)
        for each in callers:
            each.join()
    people = database.read(lambda session: [each.hex for each in session.exec(select(Patient.id))])
    database.close()
    context = build(
        Settings(database_url=database_url, audit_database_url=audit),
        lambda: system_clock() + timedelta(hours=1),
    )
    complete(context)
    told = str([row.patients for row in opened_rows(context)])
    assert len(people) >= CHANGES
    assert [each for each in people if each not in told] == []
    context.audit.close()
    context.audit_reader.close()
    context.database.close()
    assert verify(audit).problems == []
