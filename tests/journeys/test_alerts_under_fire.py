"""Responses by the thousand, twice, amended, while processes are killed and a receiver is dead.

Each positive safety item gives one alert; each alert is told or escalated, and no machine closes
one. A tenth of it here; `make nightly` sends 20,000. The receivers are local HTTP servers.
"""

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import httpx
import pytest
from sqlmodel import select

from service.audit import prepare
from service.commands import CreateContact
from service.encryption import Cipher, new_key
from service.handlers import execute
from service.models.safety import AlertEvent, AlertEventKind, Channel, ContactRole
from service.models.screening import Alert, AlertState
from service.smart.clients import NewClient, add_client
from service.smart.tokens import Grant, issue
from tests import world
from tests.conftest import open_database
from tests.postgres import free_port
from tests.process import process, worker
from tests.webhooks import LOOPBACK, webhook

NIGHTLY = bool(os.environ.get("ALONGSIDE_NIGHTLY"))
PEOPLE = 200 if NIGHTLY else 20
ONE_IN = 20  # has a positive safety item
SENDERS = 4
BATCH = 20
# Alerts, and kills. A day's run on SQLite is a small one: PostgreSQL has the tenth.
SIZES = {
    "sqlite": (1_000, 6) if NIGHTLY else (20, 1),
    "postgresql": (1_000, 6) if NIGHTLY else (100, 2),
}
ATTEMPTS = {AlertEventKind.TOLD, AlertEventKind.NOT_TOLD, AlertEventKind.GIVEN_UP}
AFTER_A_KILL = timedelta(seconds=10)
SETTLED_SECONDS = 90
TOKEN_SECONDS = 3600
SECRET = b"a secret of this test alone"


@dataclass
class Field:
    """What is running, who is concerned, and what was done."""

    url: str
    audit: str
    settings: dict[str, str]
    token: str
    people: list[tuple[str, str]]
    positive: int
    kills_planned: int
    kills: list[datetime] = field(default_factory=list)
    base: str = ""
    sent: int = 0
    done: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def live():
    with webhook() as receiver:
        yield receiver


@pytest.fixture
def arranged(database_url, tmp_path, live) -> Field:
    key = new_key()
    dead = f"http://127.0.0.1:{free_port()}/alerts"
    database = open_database(database_url)
    groups = [world.group(database, capacity=PEOPLE) for _ in range(2)]
    _contact(database, key, live.url)
    _contact(database, key, dead, group_id=groups[0].id)  # it is asked first, and never answers
    people = []
    for number in range(PEOPLE):
        person, of = world.patient(database), groups[number % 2]
        world.enroll(database, person, of)
        people.append((str(person.id), str(of.id)))
    token = database.unit_of_work(_issued)
    database.close()
    audit = database_url
    if database_url.startswith("sqlite"):
        audit = f"sqlite:///{tmp_path / 'fire-audit.db'}"
    prepare(audit)
    settings = {"secrets_keys": key, "webhook_networks": LOOPBACK}
    size = SIZES["sqlite" if database_url.startswith("sqlite") else "postgresql"]
    return Field(database_url, audit, settings, token, people, *size)


def _contact(database, key, url, **more):
    execute(
        database,
        CreateContact(
            name="On call",
            role=ContactRole.ON_CALL,
            channel=Channel.WEBHOOK,
            address=url,
            secret=Cipher(key).encrypt(SECRET),
            **more,
        ),
    )


def _issued(session):
    new = NewClient(name="programme", scopes=("v1.read", "v1.write"))
    client, _ = add_client(session, new)
    grant = Grant(scope="v1.read v1.write", seconds=TOKEN_SECONDS)
    return issue(session, client, grant, world.now())


def rows(arranged: Field) -> list[dict]:
    """Every response as it is sent; each twentieth has a positive safety item."""
    begin = world.now() - timedelta(days=1)
    found = []
    for number in range(ONE_IN * arranged.positive):
        positive = number % ONE_IN == 7
        person, group = arranged.people[(number // ONE_IN if positive else number) % PEOPLE]
        found.append(
            {
                "patient_id": person,
                "group_id": group,
                "instrument": "phq-9",
                "authored": (begin + timedelta(seconds=number)).isoformat(),
                "answers": world.phq9(1, item9=1 + number % 3 if positive else 0),
            }
        )
    return found


class Sender:
    """A client that sends until it has an answer; what is positive it sends twice and amends."""

    def __init__(self, arranged: Field, http: httpx.Client) -> None:
        self.arranged = arranged
        self.http = http

    def __call__(self, batch: list[dict]) -> None:
        results = self.until_answered("POST", "/v1/bulk/responses", {"rows": batch})["results"]
        assert all(each["status"] == 201 for each in results), results
        positive = [
            (row, each) for row, each in zip(batch, results, strict=True) if row["answers"][ITEM_9]
        ]
        assert all(each["alert"] for _, each in positive)
        if positive:
            again = {"rows": [row for row, _ in positive]}
            results = self.until_answered("POST", "/v1/bulk/responses", again)["results"]
            assert all(each["alert"] for each in results)
        for row, each in positive:
            lower = {"answers": {**row["answers"], ITEM_9: 0}}
            self.until_answered("PUT", f"/v1/responses/{each['id']}", lower)
        self.arranged.sent += len(batch)

    def until_answered(self, method: str, path: str, body: dict) -> dict:
        while True:
            with suppress(httpx.TransportError):
                answer = self.http.request(method, self.arranged.base + path, json=body)
                if answer.status_code < 500:
                    assert answer.status_code < 300, answer.text
                    return answer.json()
            time.sleep(0.1)


ITEM_9 = world.PHQ9[-1]


def run(arranged: Field) -> None:
    """Serve and work; kill a worker and the server in turn, and start another in its place."""
    with ExitStack() as stack:
        running = [_start(arranged, stack, name) for name in ("serve", "work", "work")]
        batches = rows(arranged)
        parts = [batches[at : at + BATCH] for at in range(0, len(batches), BATCH)]
        killer = threading.Thread(target=_kill, args=(arranged, stack, running))
        killer.start()
        headers = {"Authorization": f"Bearer {arranged.token}"}
        with httpx.Client(headers=headers, timeout=30) as http, ThreadPoolExecutor(SENDERS) as pool:
            list(pool.map(Sender(arranged, http), parts))
        arranged.done.set()
        killer.join()
        _until_settled(arranged)


def _start(arranged: Field, stack: ExitStack, name: str) -> tuple[str, int]:
    begun = process if name == "serve" else worker
    running = stack.enter_context(begun(arranged.url, arranged.audit, **arranged.settings))
    if name == "serve":
        arranged.base = str(running.http.base_url)
    return name, running.pid


def _kill(arranged: Field, stack: ExitStack, running: list[tuple[str, int]]) -> None:
    for number in range(arranged.kills_planned):
        everything = ONE_IN * arranged.positive
        share = everything * (number + 1) // (arranged.kills_planned + 1)
        while arranged.sent < share and not arranged.done.is_set():
            time.sleep(0.02)
        name, pid = running.pop((number + 1) % 2)
        os.kill(pid, signal.SIGKILL)
        arranged.kills.append(world.now())
        running.insert(0, _start(arranged, stack, name))


def _until_settled(arranged: Field) -> None:
    """Wait until every alert was told or escalated."""
    database = open_database(arranged.url)
    until = time.monotonic() + SETTLED_SECONDS
    open_alerts = select(Alert.id).where(Alert.state == AlertState.OPEN)
    while database.read(lambda session: session.exec(open_alerts).first()):
        assert time.monotonic() < until, "some alerts were neither told nor escalated"
        time.sleep(0.2)
    database.close()


def test_every_alert_is_told_or_escalated_whatever_is_killed(arranged, live):
    run(arranged)
    database = open_database(arranged.url)
    alerts, events = database.read(everything)
    database.close()
    assert len({(each.patient_id, each.authored) for each in alerts}) == arranged.positive
    assert len(alerts) == arranged.positive
    assert {each.state for each in alerts} <= {AlertState.NOTIFIED, AlertState.ESCALATED}
    told = {each.alert_id for each in events if each.kind is AlertEventKind.TOLD}
    assert {each.id for each in alerts} == told | {a.id for a in alerts if a.nobody_left_at}
    assert len(told) >= arranged.positive // 2
    assert len(arranged.kills) == arranged.kills_planned
    assert_in_time(arranged, delays(alerts, events))
    assert all(b"Family" not in content for _, content in live.received)


def assert_in_time(arranged: Field, waited: list[tuple[datetime, float]]) -> None:
    quiet = sorted(
        seconds
        for raised, seconds in waited
        if not any(kill <= raised + timedelta(seconds=seconds) and raised <= kill + AFTER_A_KILL
                   for kill in arranged.kills)
    )  # fmt: skip
    longest = max(seconds for _, seconds in waited)
    ninety_fifth = quiet[len(quiet) * 95 // 100] if quiet else 0.0
    said = f"{len(quiet)} of {len(waited)}: p95 {ninety_fifth:.3f} s, longest {longest:.2f} s"
    assert ninety_fifth < 2, said
    assert longest < 30, said


def everything(session):
    return (
        session.exec(select(Alert)).all(),
        session.exec(select(AlertEvent)).all(),
    )


def delays(alerts, events) -> list[tuple[datetime, float]]:
    """How long each alert waited for the first attempt to tell somebody, and since when."""
    first = {}
    for each in events:
        if each.kind in ATTEMPTS:
            first[each.alert_id] = min(each.at, first.get(each.alert_id, each.at))
    return [(a.raised_at, (first[a.id] - a.raised_at).total_seconds()) for a in alerts]
