"""Two tellings of one world, asked the same: whatever differs is a leak."""

import random
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from difflib import unified_diff
from typing import Any

import orjson

from service.fhir.refresh import refresh_due
from service.models.documents import PUBLIC
from tests import sent as bodies
from tests.properties.roster.clients import OTHER, PLATFORM, PROGRAMME, others
from tests.properties.roster.facts import NUMBERS, PHASES, READER, Plan, units
from tests.properties.roster.knowing import Known, known
from tests.properties.roster.questions import JSON, Maker, Question
from tests.properties.roster.reading import READS
from tests.properties.roster.searching import SEARCHES
from tests.properties.roster.telling import Answer, Client, Telling
from tests.properties.roster.writing import WRITES

MAKERS: tuple[Maker, ...] = tuple(
    maker for weight, maker in (*SEARCHES, *READS, *WRITES) for _ in range(weight)
)
WRITING = {maker for _, maker in WRITES}
ADMITTED, ACTED, ASKED, APART = 1000, 1100, 2000, 10  # numbers after the facts of a moment
TIMES = re.compile(rb'"(lastUpdated|lastModified|timestamp|date|issued)":"[^"]+"')
CURSORS = re.compile(rb"_cursor=[^&\"]+")
FAILED = 400
KEYED = re.compile(rb"\b[0-9a-f]{32}\b")
CLOCKED = {b"last-modified", b"content-length"}
LINKS = (
    "/fhir/Observation?_count=1", "/fhir/Encounter?_count=1&_sort=-date", "/fhir/_history?_count=1",
    "/fhir/Patient?_count=1", "/fhir/Group?_count=1",
)  # fmt: skip

Asked = Sequence[int]  # each is the seed of a question


class LeakError(AssertionError):
    """An answer depends on whom its reader must not know of."""


@dataclass
class Tally:
    """What was asked, and how much of it had an answer with something in it."""

    counts: Counter[str] = field(default_factory=Counter)
    makers: Counter[tuple[str, bool]] = field(default_factory=Counter)

    def world(self, plan: Plan) -> None:
        self.counts["worlds"] += 1
        self.counts["worlds with shared people"] += bool(plan.shared)
        self.counts["worlds with invisible people"] += bool(plan.invisible)
        late = [plan.knows(name) for name in plan.people]
        self.counts["worlds with people known late"] += any(one and one > 1 for one in late)
        self.counts["worlds with merges"] += any(one.merged for one in plan.people.values())

    def answer(self, maker: Maker, answer: Answer) -> None:
        is_full = is_about_somebody(answer)
        self.counts["requests"] += 1
        self.counts["answers with somebody in them"] += is_full
        self.counts[f"answered {answer.status}"] += 1
        self.makers[maker.__name__, is_full] += 1
        if maker in WRITING and answer.status in {200, 201, 204}:
            self.counts["writes that were done"] += 1

    def share(self, some: str, of: str) -> float:
        return self.counts[some] / max(self.counts[of], 1)


def is_about_somebody(answer: Answer) -> bool:
    """Whether there is a resource of a person in it, or a number of them that is not zero."""
    if answer.status not in {200, 201}:
        return False
    counted = re.search(rb'"total":[1-9]', answer.body)
    return counted is not None or b'"Patient/' in answer.body or b'"Patient"' in answer.body


@dataclass
class Comparison:
    """The full telling and the other one; `exact` where the clock is ours in both."""

    plan: Plan
    full: Telling
    alone: Telling
    clients: list[Client]
    tally: Tally
    exact: bool
    known: Known = field(default_factory=Known)
    history: list[str] = field(default_factory=list)

    @property
    def both(self) -> tuple[Telling, Telling]:
        return self.full, self.alone

    def run(self, asked: Sequence[Asked]) -> None:
        told = [units(self.plan, alone=telling.alone) for telling in self.both]
        self.tally.world(self.plan)
        for moments, each in zip(PHASES, asked, strict=True):
            self.settle(moments[0] * NUMBERS)
            for moment in moments:
                for telling, found in zip(self.both, told, strict=True):
                    for unit in found.get(moment, []):
                        telling.tell(unit)
            self.number = moments[-1] * NUMBERS
            if moments is PHASES[0]:
                require_apart(self.full)
                self.admit()
            if moments is not PHASES[-1]:
                self.act()
            self.known = known(self.full, self.known)
            self.ask(each)

    def admit(self) -> None:
        for telling in self.both:
            telling.admit(self.clients, self.number + ADMITTED)
        hidden = [*others(self.plan), PROGRAMME, PLATFORM]
        self.full.admit(hidden, self.number + ADMITTED + 1)

    def settle(self, number: int) -> None:
        """Do what the clock has brought, lest its time be that of whoever writes or asks first."""
        for telling in self.both:
            telling.number = number
            refresh_due(telling.database, telling.now)

    def act(self) -> None:
        """Let the others write, and be shown pages, where they are."""
        step = self.number + ACTED
        for client in others(self.plan):
            step = act(self.full, client.name, step)
        for place, client in enumerate([*others(self.plan), PROGRAMME, OTHER]):
            for address in LINKS[place % 2 :: 2]:
                step += 1
                asked = self.both if client is OTHER else (self.full, self.full)
                links = [each.ask(client.name, "GET", address, step).link("next") for each in asked]
                if links[0] and links[1]:
                    self.known.links.append((links[0], links[1]))

    def ask(self, asked: Asked) -> None:
        for place, seed in enumerate(asked):
            rng = random.Random(f"{seed} {place}")
            maker = rng.choice(MAKERS)
            question = maker(rng, self.known)
            if question.client == "full" and rng.random() < 0.35:
                question = replace(question, client=rng.choice(self.clients).name)
            self.compare(maker, question, self.number + ASKED + place * APART)

    def compare(self, maker: Maker, question: Question, number: int) -> None:
        paths = [question.path, question.path_alone or question.path]
        for page in range(question.pages + 1):
            self.history.append(f"{question.client}: {question.method} {paths[0]}")
            answers = [
                telling.ask(
                    question.client, question.method, path, number + page, question.headers,
                    question.body,
                )
                for telling, path in zip(self.both, paths, strict=True)
            ]  # fmt: skip
            self.tally.answer(maker, answers[0])
            if self.said(answers[0]) != self.said(answers[1]):
                raise LeakError(self.report(maker, question, paths, answers))
            is_refused = question.refused and question.client != OTHER.name
            if is_refused and answers[0].status < FAILED:
                raise LeakError(f"{question.client} was let in: {question.path}")
            links = [answer.link("next") for answer in answers]
            if links[0] is None or links[1] is None:
                return
            self.known.pages.append((links[0], links[1]))
            paths = [links[0], links[1]]

    def said(self, answer: Answer) -> tuple[Any, ...]:
        if self.exact:
            return answer.status, answer.headers, answer.body
        headers = [one for one in answer.headers if one[0] not in CLOCKED]
        return answer.status, headers, CURSORS.sub(b"_cursor", TIMES.sub(b"time", answer.body))

    def report(
        self, maker: Maker, question: Question, paths: Iterable[str], answers: Sequence[Answer]
    ) -> str:
        told = [f"{one.moment} {one.name}" for one in self.plan.facts]
        texts = [shown(answer) for answer in answers]
        return "\n".join(
            [
                f"{maker.__name__} as {question.client}: {question.method} {next(iter(paths))}",
                question.body.decode(errors="replace"),
                *unified_diff(*texts, "in full", "alone", n=12, lineterm=""),
                f"-- policies: {self.plan.policies}", "-- facts:", *told,
                "-- asked before:", *self.history[-12:],
            ]
        )  # fmt: skip


def shown(answer: Answer) -> list[str]:
    """The lines of an answer, for people to compare."""
    headers = [f"{name.decode()}: {value.decode()}" for name, value in answer.headers]
    text = answer.body.decode(errors="replace")
    if text.startswith("{"):
        text = orjson.dumps(orjson.loads(text), option=orjson.OPT_INDENT_2).decode()
    return [str(answer.status), *headers, *text.splitlines()]


def require_apart(full: Telling) -> None:
    """What two hospitals have can be joined by nothing, such as an id of a session (privacy)."""
    public, by_audience = set[str](), dict[int, set[str]]()
    for audience, content in full.rows("SELECT audience, content FROM documents"):
        if audience == PUBLIC:
            public |= {one.decode() for one in KEYED.findall(content)}
        else:
            by_audience.setdefault(audience, set()).update(
                one.decode() for one in KEYED.findall(content)
            )
    mine = by_audience.pop(full.things[READER].number, set())
    joined = mine.intersection(*[set().union(*by_audience.values())]) - public
    if joined:
        raise LeakError(f"several audiences have {sorted(joined)}")


def act(telling: Telling, client: str, step: int) -> int:
    """What another hospital sends: about its first patient, and under an id that others choose."""
    found = telling.ask(client, "GET", "/fhir/Patient?_count=1", step)
    entries = found.bundle.get("entry", [])
    if not entries:
        return step
    patient = entries[0]["resource"]["id"]
    sent = [*bodies.about(patient)[1:6:2], chosen(patient)]
    for body in sent:
        step += 1
        path = f"/fhir/{body['resourceType']}"
        method, path = ("PUT", f"{path}/{body['id']}") if "id" in body else ("POST", path)
        headers = (("content-type", JSON),)
        telling.ask(client, method, path, step, headers, orjson.dumps(body))
    return step


def chosen(patient: str) -> dict[str, Any]:
    return {**bodies.about(patient)[1], "id": "chosen-by-both"}
