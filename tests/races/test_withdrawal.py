"""Thirty-two readers walk pages while consent is withdrawn and given again: nothing that was taken
away leaves after the commit that took it (ADR 0036).

A person's documents have one version for each time that they were to be seen, so an answer tells by
its versions which withdrawals it must have come before. A page that says how many there are says so
of what it was counted from, too. `make nightly` runs a minute on each
database.
"""

import asyncio
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson
from sqlalchemy import event, text
from sqlmodel import select
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.commands import WithdrawConsent
from service.engine import create_engine
from service.handlers import execute
from service.models.consents import Category, Consent
from tests import world
from tests.service_at import FHIR, Service, serving

READERS = 32
SECONDS = 60.0 if os.environ.get("ALONGSIDE_NIGHTLY") else 4.0
PAUSE = 0.08
SCORES = 4
TOTAL = "44261-6"  # of a PHQ-9, https://loinc.org/44261-6
SCORES_ONLY = (Category.SCORES,)


class Stamps:
    """Notes of each answer when its first byte was handed to the server, and what it showed."""

    def __init__(self) -> None:
        self.answers: list[tuple[float, str, int, bytes]] = []

    def __call__(self, app: ASGIApp) -> ASGIApp:
        async def stamped(scope: Scope, receive: Receive, send: Send) -> None:
            if not scope.get("path", "").startswith("/fhir"):
                await app(scope, receive, send)
                return
            first, status, body = 0.0, 0, b""

            async def sent(message: Message) -> None:
                nonlocal first, status, body
                await send(message)
                if message["type"] == "http.response.start":
                    first, status = time.monotonic(), message["status"]
                body += message.get("body", b"")

            await app(scope, receive, sent)
            self.answers.append((first, scope["path"], status, body))

        return stamped


def shown(body: bytes) -> Iterator[dict[str, Any]]:
    """Every Observation in an answer."""
    found = orjson.loads(body) if body else {}
    for each in [found, *(entry.get("resource", {}) for entry in found.get("entry", []))]:
        if each.get("resourceType") == "Observation":
            yield each


class Taking:
    """Withdraws a person's consent to scores and gives it again, noting when each commit began."""

    def __init__(self, service: Service) -> None:
        self.database = service.database
        self.connection = world.hospital(self.database)
        self.person = world.linked(self.database, self.connection)
        for _ in range(SCORES):
            world.respond(self.database, self.person)
        self.taken: list[float] = []
        self.stop = threading.Event()
        self._begun = threading.local()
        event.listen(self.database.engine, "commit", self._commits)

    def until_stopped(self) -> None:
        consent = self._given()
        while not self.stop.wait(PAUSE):
            withdrawal = WithdrawConsent(consent_id=consent.id, withdrawn_by="tester")
            execute(self.database, withdrawal)
            self.taken.append(self._begun.at)
            consent = world.consent(self.database, self.person, self.connection, SCORES_ONLY)[
                Category.SCORES
            ]

    def _given(self) -> Consent:
        theirs = select(Consent).where(Consent.patient_id == self.person.id)
        given = self.database.read(lambda session: session.exec(theirs).all())
        return next(each for each in given if each.category is Category.SCORES)

    def _commits(self, _connection: object) -> None:
        self._begun.at = time.monotonic()


async def read(http: httpx.AsyncClient, number: int, about: list[str], met: Counter[str]) -> None:
    """Ask once, in one of the ways in which a score is to be seen, and walk all pages of it."""
    dice = random.Random(f"{number} {met.total()}")
    patient, *observations = about
    url = dice.choice((
        "/fhir/Observation?_count=3", "/fhir/Observation?_count=50",
        f"/fhir/Observation?code={TOTAL}&_count=2&_total=accurate",
        f"/fhir/{patient}/Observation?code={TOTAL}&_count=2&_total=accurate",
        f"/fhir/{patient}/$everything?_count=3", f"/fhir/{dice.choice(observations)}",
        f"/fhir/{dice.choice(observations)}/_history", "/fhir/Observation/_history?_count=5",
        f"/fhir/{patient}/Observation",
    ))  # fmt: skip
    while url:
        answer = await http.get(url)
        met[str(answer.status_code)] += 1
        if answer.status_code != 200:
            return
        links = {each["relation"]: each["url"] for each in answer.json().get("link", [])}
        parts = urlsplit(links.get("next", ""))
        url = f"{parts.path}?{parts.query}" if parts.path else ""


async def readers(base: str, token: str, about: list[str], met: Counter[str]) -> None:
    until = time.monotonic() + SECONDS
    limits = httpx.Limits(max_connections=READERS)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=base, headers=headers, limits=limits, timeout=30) as http:

        async def walk(number: int) -> None:
            while time.monotonic() < until:
                await read(http, number, about, met)

        await asyncio.gather(*(walk(number) for number in range(READERS)))


def rows_of(service: Service) -> int:
    engine = create_engine(service.context.settings.audit_url)
    with engine.connect() as connection:
        sql = "SELECT count(*) FROM audit_entries WHERE path LIKE '/fhir%'"
        found = connection.execute(text(sql)).scalar_one()
    engine.dispose()
    return int(found)


def miscounted(stamps: Stamps, names: set[str]) -> list[str]:
    """Return where a page counted this person's scores and showed none of them.

    One score is another person's, who takes nothing away. What is counted is on the first page,
    and a page of two scores shows one of this person's at least, where they may be had.
    """
    found = []
    for _, path, _, body in stamps.answers:
        total = (orjson.loads(body) if body else {}).get("total", 0)
        scores = {f"Observation/{each['id']}" for each in shown(body)}
        if total > 1 and not names & scores:
            found.append(f"{path}: {total}, and shown were {sorted(scores)}")
    return found


def late(stamps: Stamps, names: set[str], taken: list[float]) -> tuple[int, list[str]]:
    """Return how often a score of this person's was shown, and what was shown too late."""
    seen, found = 0, []
    for at, path, _, body in stamps.answers:
        for each in shown(body):
            generation = (int(each["meta"]["versionId"]) - 1) // 2
            if f"Observation/{each['id']}" not in names or generation >= len(taken):
                continue
            seen += 1
            if at > taken[generation]:
                found.append(f"{path}: {at - taken[generation]:.6f} s")
    return seen, found


def test_what_was_taken_away_leaves_no_more_once_it_is_committed(
    database_url: str, tmp_path: Path
) -> None:
    stamps, met = Stamps(), Counter[str]()
    with serving(database_url, tmp_path, around=stamps) as service:
        taking = Taking(service)
        caller = service.caller("hospital", FHIR, taking.connection)
        scores = list(shown(caller.get(f"/fhir/Observation?code={TOTAL}").content))
        assert len(scores) == SCORES
        names = {f"Observation/{each['id']}" for each in scores}
        assert {each["meta"]["versionId"] for each in scores} == {"1"}
        world.respond(service.database, world.linked(service.database, taking.connection))
        taker = threading.Thread(target=taking.until_stopped)
        taker.start()
        about = [scores[0]["subject"]["reference"], *sorted(names)]
        asyncio.run(readers(str(service.http.base_url), caller.token, about, met))
        taking.stop.set()
        taker.join()
        rows = rows_of(service)
    seen, wrong = late(stamps, names, taking.taken)
    assert not wrong, (len(wrong), seen, len(taking.taken), met, wrong[:5])
    assert not miscounted(stamps, names)
    assert seen > READERS, met
    assert len(taking.taken) > SECONDS, "too little was taken away"
    assert met["200"] > met["503"] * 10, met
    # Each answer that left has its row. A row too many is of one that a commit did not wait for.
    assert rows >= len(stamps.answers)
