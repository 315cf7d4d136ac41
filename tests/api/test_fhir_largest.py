"""The largest and deepest of each kind: answered, each in less than a second of CPU.

The service runs as a process of its own, whose CPU is read before and after; a figure that another
process disturbed is taken again, and the least counts. `make nightly` holds the second, on a
machine that does nothing else; the everyday run, beside other tests, what a quadratic step breaks.
"""

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.api import clients
from tests.api.clients import FHIR, observation
from tests.api.fhir_endpoint import open_endpoint
from tests.conftest import new_database
from tests.fhir_mappings.responses import XHTML, narrated, response
from tests.process import Process, process

SECONDS = 1.0 if os.environ.get("ALONGSIDE_NIGHTLY") else 4.0
TRIES = 3
FORM = "application/x-www-form-urlencoded"
LONGEST_BODY = 1_000_000
FULLEST = 50_000
MANY = range(FULLEST)
Body = dict[str, Any] | bytes


@dataclass(frozen=True)
class Server:
    process: Process
    token: str
    patient: str

    def __call__(self, method: str, path: str, content: bytes, kind: str) -> int:
        headers = {"authorization": f"Bearer {self.token}", "content-type": kind}
        answer = self.process.http.request(
            method, f"/fhir/{path}", content=content, headers=headers
        )
        if answer.status_code >= 400:
            assert answer.json()["issue"][0]["severity"] in {"error", "fatal"}
        return answer.status_code

    def cost(self, method: str, path: str, content: bytes, kind: str) -> tuple[int, float]:
        """The status, and the least CPU of a few tries, in seconds; one is mostly enough."""
        least = float("inf")
        for _ in range(TRIES):
            before = self.process.cpu()
            status = self(method, path, content, kind)
            least = min(least, self.process.cpu() - before)
            if least < SECONDS:
                break
        return status, least


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("largest")
    with ExitStack() as stack:
        url = new_database(request.param, request, folder, stack)
        endpoint = stack.enter_context(open_endpoint(url, folder))
        hospital = clients.hospital(endpoint)
        token, patient = endpoint.token(hospital.connection), hospital.patient()
        audit = f"sqlite:///{folder}/audit.db"
        served = Server(stack.enter_context(process(url, audit)), token, patient)
        assert served("POST", "Observation", written(observation(None)), FHIR) == 201
        yield served


def written(body: Body) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body, separators=(",", ":")).encode()


def deep(levels: int) -> bytes:
    return b'{"resourceType":"Basic","a":' + b'{"a":' * levels + b"1" + b"}" * (levels + 1)


def nested(levels: int) -> dict[str, Any]:
    """A response whose JSON is as many levels deep."""
    item: dict[str, Any] = {"linkId": "x"}
    for _ in range(levels // 2 - 1):
        item = {"linkId": "x", "item": [item]}
    return response(item=[item])


def plain(**members: Any) -> dict[str, Any]:
    return observation(None, **members)


def part(number: int) -> dict[str, Any]:
    return {"code": {"text": f"{number}"}}


BODIES: dict[str, tuple[Body, set[int]]] = {
    "62 levels of unknown members": (deep(62), {400}),
    "64 levels of unknown members": (deep(64), {400}),
    "5,000 levels": (deep(5000), {400}),
    "62 levels of items": (nested(62), {201}),
    "a note of 1 MB": (plain(note=[{"text": "x" * 999_000}]), {201}),
    "a display of 1 MB": (plain(performer=[{"display": "a" * 999_000}]), {201}),
    "a status of 1 MB": (plain(status="x" * 999_000), {400}),
    "a language of 1 MB": (plain(language="a " * 499_000), {400}),
    "an address of 1 MB": (plain(implicitRules="/" * 999_000), {201}),
    "an identifier of 1 MB": (
        plain(identifier=[{"system": "urn:x:y", "value": "x" * 999_000}]),
        {201},
    ),
    "a reference of 1 MB": (
        plain(subject={"reference": "http://a/" + "Patient/a/" * 99_000}),
        {201},
    ),
    "an OID of 1 MB": (
        plain(extension=[{"url": "http://a", "valueOid": "urn:oid:1" + ".1" * 499_000}]),
        {201},
    ),
    "a narrative of 1 MB": (narrated(f"<div {XHTML}>" + ">" * 999_000), {400}),
    "100,000 open elements": (narrated("<div>" * 100_000), {400}),
    "100,000 open elements within": (narrated(f"<div {XHTML}>" + "<b>" * 99_999), {400}),
    "300,000 entities": (narrated("&a" * 300_000), {400}),
    "50,000 notes": (plain(note=[{"text": "x"}] * FULLEST), {201}),
    "50,000 empty notes": (plain(note=[{}] * FULLEST), {400}),
    "50,000 equal identifiers": (plain(identifier=[{"value": "1"}] * FULLEST), {201}),
    "50,000 identifiers": (plain(identifier=[{"value": str(n)} for n in MANY]), {201}),
    "50,000 categories": (plain(category=[{"text": "x"}] * FULLEST), {201}),
    "40,000 references within": (plain(hasMember=[{"reference": "#1"}] * 40_000), {400}),
    "35,000 equal references": (plain(hasMember=[{"reference": "Goal/1"}] * 35_000), {400}),
    "20,000 references": (
        plain(focus=[{"reference": f"Goal/{n}"} for n in range(20_000)]),
        {400},
    ),
    "40,000 references to nobody": (plain(focus=[{"reference": "Goal/1"}] * 40_000), {400}),
    "50,000 performers without a name": (plain(performer=[{"display": ""}] * FULLEST), {400}),
    "50,000 nulls": (plain(focus=[None] * FULLEST), {400}),
    "50,000 unknown members of members": (plain(focus=[{"x": "y"}] * FULLEST), {400}),
    "25,000 components": (plain(component=[part(n) for n in range(25_000)]), {201}),
    "18,000 contained resources": (
        plain(contained=[{"resourceType": "Patient", "id": f"{n}"} for n in range(18_000)]),
        {400},
    ),
    "25,000 contained resources of an unknown type": (
        plain(contained=[{"resourceType": "Medication"}] * 25_000),
        {400},
    ),
    "50,000 items": (response(item=[{"linkId": f"{n}"} for n in MANY]), {201}),
    "50,000 unknown members": (plain(**{f"x{n}": 1 for n in MANY}), {400}),
    "50,000 given names": (
        {"resourceType": "Patient", "name": [{"given": ["a"] * FULLEST}]},
        {201},
    ),
    "500,000 numbers": (b'{"resourceType":"Observation","a":[' + b"1," * 499_000 + b"1]}", {400}),
    "the same name 100,000 times": (
        b'{"resourceType":"Observation",' + b'"a":1,' * 100_000 + b'"b":1}',
        {400},
    ),
}

QUERIES = {
    "200 criteria": "&".join(f"code=a{n}" for n in range(200)),
    "2,000 criteria": "&".join(f"code=a{n}" for n in range(2000)),
    "600 values": "code=" + ",".join(f"a{n}" for n in range(600)),
    "20,000 values": "code=" + ",".join(f"a{n}" for n in range(20_000)),
    "a value of 60 kB": "code=" + "x" * 60_000,
    "50 reverse chains": "_has:" * 50 + "Observation:subject:code=x",
    "50 chains": "subject." * 50 + "name=x",
    "500 keys of sort": "_sort=" + ",".join(["date"] * 500),
    "150 includes": "_include=" + "&_include=".join(["Observation:subject"] * 150),
    "100 dates": "date=" + "&date=".join(["ge2026-01-01"] * 100),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_of_any_shape_is_answered_soon(server: Server, name: str) -> None:
    body, allowed = BODIES[name]
    if isinstance(body, dict) and body["resourceType"] == "QuestionnaireResponse":
        subject = {"reference": f"Patient/{server.patient}"}
        body = {**body, "questionnaire": "urn:x:y", "subject": subject}
    content = written(body)
    assert len(content) <= LONGEST_BODY, "it would be refused by its length alone"
    kind = body["resourceType"] if isinstance(body, dict) else "Observation"
    status, seconds = server.cost("POST", kind, content, FHIR)
    assert status in allowed
    assert seconds < SECONDS


@pytest.mark.parametrize("name", QUERIES)
def test_a_search_of_any_length_is_answered_soon(server: Server, name: str) -> None:
    """By POST: clients and proxies cut the longest of them in an address."""
    status, seconds = server.cost("POST", "Observation/_search", QUERIES[name].encode(), FORM)
    assert status in {200, 400}
    assert seconds < SECONDS
