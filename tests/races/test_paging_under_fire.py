"""Readers that walk pages while others write: what stays where it is, is met exactly once.

Half of the writers hold their transactions open on purpose, so that on PostgreSQL they commit in
another order than they were stamped in. `make nightly` runs a minute on each database.
"""

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest
from sqlmodel import Session

from service.access import Access
from service.clock import microseconds
from service.fhir.carrying_out import carry_out
from service.fhir.changes import Sender, creation
from service.smart.tokens import SELECT_ACCESS, access_of_row, bearer
from tests import world
from tests.service_at import FHIR, Caller, Service, serving

SECONDS = 60.0 if os.environ.get("ALONGSIDE_NIGHTLY") else 7.0
STEADY = 80
LONGEST_HOLD = 0.3
DAYS = [f"2026-03-{day:02d}T10:00:00Z" for day in range(1, 29)]
# By each of these the steady documents stay where they are, though they are updated all the time.
ORDERS = ("_sort=_id", "_total=none", "_sort=code,-date", "_sort=-date,value-quantity")


def observation(patient: str, code: str, day: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": day,
        "valueQuantity": {"value": 1},
        **more,
    }


class Fire:
    """What the threads share: the service, when to stop, and what went wrong."""

    def __init__(self, service: Service, caller: Caller, patient: str) -> None:
        self.service = service
        self.caller = caller
        self.patient = patient
        self.steady: list[dict[str, Any]] = []
        self.stop = threading.Event()
        self.wrong: list[str] = []
        self.rounds: Counter[str] = Counter()

    def run(self, *loops: Callable[[], None]) -> None:
        def until_stopped(once: Callable[[], None]) -> None:
            try:
                while not self.stop.is_set():
                    once()
            except Exception as error:
                self.wrong.append(repr(error))
                self.stop.set()

        threads = [threading.Thread(target=until_stopped, args=(loop,)) for loop in loops]
        for thread in threads:
            thread.start()
        self.stop.wait(SECONDS)
        self.stop.set()
        for thread in threads:
            thread.join()

    def send(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = self.caller(method, f"/fhir/{path}", **({"json": body} if body else {}))
        assert answer.status_code < 300 or answer.status_code in {409, 412, 503}, answer.text
        return answer.json() if answer.content else {}

    def pages(self, query: str) -> list[dict[str, Any]]:
        """Every resource of every page, as it was met."""
        found, url = [], f"/fhir/Observation?{query}"
        while url:
            page = self.caller.get(url).json()
            assert page["resourceType"] == "Bundle", page
            found += [entry["resource"] for entry in page.get("entry", [])]
            links = {each["relation"]: each["url"] for each in page["link"]}
            parts = urlsplit(links.get("next", ""))
            url = f"{parts.path}?{parts.query}" if parts.path else ""
        return found

    @property
    def access(self) -> Access:
        token = bearer(f"Bearer {self.caller.token}")

        def row(session: Session) -> Any:
            sql, connection = SELECT_ACCESS, session.connection()
            text = sql if connection.dialect.name == "sqlite" else sql.replace("?", "%s")
            return connection.exec_driver_sql(text, (token,)).first()

        return access_of_row(self.service.database.read(row), microseconds(world.now()))


def writer(fire: Fire, number: int) -> Callable[[], None]:
    """Create, move and delete documents of its own, and update steady ones where they are."""
    dice, own = random.Random(number), []

    def once() -> None:
        steady = dice.choice(fire.steady)
        noted = {**steady, "note": [{"text": f"{dice.random()}"}]}
        fire.send("PUT", f"Observation/{steady['id']}", noted)
        fresh = observation(fire.patient, f"w{dice.randrange(9)}", dice.choice(DAYS))
        own.append(fire.send("POST", "Observation", fresh))
        chosen = own[dice.randrange(len(own))]
        if "id" in chosen and dice.random() < 0.5:
            day = {"effectiveDateTime": dice.choice(DAYS)}
            fire.send("PUT", f"Observation/{chosen['id']}", {**chosen, **day})
        elif "id" in chosen and dice.random() < 0.3:
            own.remove(chosen)
            fire.send("DELETE", f"Observation/{chosen['id']}")

    return once


def holder(fire: Fire, number: int) -> Callable[[], None]:
    """Create documents in transactions that stay open after they were stamped."""
    dice, context, database = random.Random(number), fire.service.context, fire.service.database
    sender = Sender(context.endpoint, context.writing, fire.access)

    def once() -> None:
        body = orjson.dumps(observation(fire.patient, "held", dice.choice(DAYS)))

        def work(session: Session) -> None:
            carry_out(session, sender, [creation(sender, "Observation", body)])
            if not database.sqlite:  # there it would only keep everybody else waiting
                time.sleep(dice.random() * LONGEST_HOLD)

        database.unit_of_work(work)
        time.sleep(dice.random() * 0.05)

    return once


def reader(fire: Fire, order: str) -> Callable[[], None]:
    """Walk all pages: each steady document is there once, and by id nothing is there twice."""
    expected = {each["id"] for each in fire.steady}

    def once() -> None:
        met = Counter(each["id"] for each in fire.pages(f"{order}&_count=40"))
        missed = [each for each in expected if met[each] != 1]
        if missed:
            fire.wrong.append(f"{order}: {len(missed)} steady ones were met {met[missed[0]]} times")
        twice = [each for each, times in met.items() if times > 1]
        if twice and order in {"_sort=_id", "_total=none"}:
            fire.wrong.append(f"{order}: {len(twice)} were met twice")
        fire.rounds[order] += 1

    return once


class Poller:
    """A client that asks for what changed since the newest it has seen, and nothing else."""

    def __init__(self, fire: Fire) -> None:
        self.fire = fire
        self.since = "2020-01-01"
        self.seen: dict[str, int] = {}

    def once(self) -> int:
        found = self.fire.pages(f"_lastUpdated=gt{self.since}&_sort=_lastUpdated&_count=40")
        for each in found:
            self.seen[each["id"]] = int(each["meta"]["versionId"])
            self.since = max(self.since, each["meta"]["lastUpdated"])
        self.fire.rounds["poll"] += 1
        return len(found)


@pytest.fixture
def fire(database_url: str, tmp_path: Path):
    with serving(database_url, tmp_path) as service:
        connection = world.hospital(service.database)
        world.linked(service.database, connection)
        caller = service.caller("hospital", FHIR, connection)
        patient = caller.get("/fhir/Patient").json()["entry"][0]["resource"]["id"]
        fire = Fire(service, caller, patient)
        for number in range(STEADY):
            body = observation(patient, f"s{number % 7}", DAYS[number % len(DAYS)])
            fire.steady.append(fire.send("POST", "Observation", body))
        yield fire


def test_pages_hold_while_others_write_and_a_poller_misses_nothing(fire: Fire) -> None:
    poller = Poller(fire)
    writers = [writer(fire, number) for number in range(4)]
    holders = [holder(fire, number) for number in range(4, 8)]
    readers = [reader(fire, order) for order in ORDERS]
    fire.run(*writers, *holders, *readers, lambda: poller.once() and None)
    time.sleep(0.2)  # the horizon is remembered for a moment
    while poller.once():
        pass
    assert not fire.wrong, fire.wrong[:5]
    assert all(fire.rounds[order] >= 2 for order in (*ORDERS, "poll")), fire.rounds
    current = {each["id"]: int(each["meta"]["versionId"]) for each in fire.pages("_count=200")}
    missed = {key for key, version in current.items() if poller.seen.get(key) != version}
    assert not missed, f"{len(missed)} of {len(current)} were missed"
    assert len(current) > STEADY
