"""Thousands of broken requests: no 5xx, no hang, no growing memory, and no value said again.

With the 10,000 resources of tests/fhir_mappings/test_structure_hostile.py it is what CI takes; the
largest of each kind are in test_fhir_largest.py.
"""

import contextlib
import ctypes
import gc
import json
import logging
import os
import random
import resource
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlmodel import Session, select

from service.models.connections import AccessToken
from service.models.connections import Client as Row
from service.smart.clients import hashed
from service.smart.tokens import Grant, issue
from tests import world
from tests.api import clients
from tests.api.clients import Client, condition, observation
from tests.api.fhir_endpoint import Endpoint
from tests.api.hostile import Hostile, Maker, ask
from tests.fhir_mappings.responses import SECRET

NIGHTLY = bool(os.environ.get("ALONGSIDE_NIGHTLY"))
COUNT = 20_000 if NIGHTLY else 3_000
WARM = 500
SLOWEST = 5.0  # seconds of the clock, on a busy machine
# Bytes: each connection keeps its newest statements, and these are as long as the queries.
GROWTH = 150_000_000 if NIGHTLY else 60_000_000
SEED = 20261123
SEARCHING = Grant(scope="system/Observation.rs", seconds=60)
KINDS = ("query", "query", "query", "read", "resource", "resource", "patch", "bundle", "odd")


@pytest.fixture(scope="module")
def sender(shared: Endpoint) -> Client:
    client = clients.hospital(shared)
    database = shared.context.database
    person, circle = world.linked(database, client.connection), world.group(database)
    world.enroll(database, person, circle)
    world.attend(database, world.session(database, circle), person)
    world.respond(database, person)
    for number in range(4):
        patient = client.patient()
        client.made(condition(patient, code={"text": str(number)}))
        client.made(observation(patient))
    return client


def maker(sender: Client, other: Client, seed: int) -> Maker:
    names = ("Patient", "Observation", "Condition", "Encounter", "Group", "Organization")
    ids = {name: sender.ids(f"{name}?_count=5") for name in names}
    pages = [one.get(f"{name}?_count=1").json() for one in (sender, other) for name in names]
    links = [link["url"] for page in pages for link in page["link"] if link["relation"] == "next"]
    paths = [f"{urlsplit(url).path}?{urlsplit(url).query}" for url in links]
    return Maker(ids, paths, random.Random(seed))


def checked(endpoint: Endpoint, token: str, hostile: Hostile) -> int:
    started = time.monotonic()
    status, headers, body = ask(endpoint, token, hostile)
    took = time.monotonic() - started
    assert status < 500, f"{status}: {hostile}"
    assert took < SLOWEST, f"{took:.1f} s: {hostile}"
    if status >= 400 and body:
        issue = json.loads(body)["issue"][0]
        assert issue["severity"] in {"error", "fatal"}, str(hostile)
        assert SECRET not in body.decode(), str(hostile)
        assert headers["content-type"] == "application/fhir+json", str(hostile)
    return status


def resident() -> int:
    """The memory that this process keeps, in bytes, once it has given back what is free."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):  # where the C library is another
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    statm = Path("/proc/self/statm")
    pages = int(statm.read_text().split()[1]) if statm.exists() else 0
    return pages * resource.getpagesize()


def test_no_request_breaks_or_holds_up_the_service(
    sender: Client, shared: Endpoint, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO)
    token = shared.token(sender.connection)
    made = maker(sender, Client(shared), SEED)
    for hostile in made.some(WARM, *KINDS):
        checked(shared, token, hostile)
    before, seen = resident(), set()
    for hostile in made.some(COUNT, *KINDS):
        seen.add(checked(shared, token, hostile))
    assert seen >= {200, 201, 400, 403, 404, 405, 415, 422}
    assert resident() - before < GROWTH
    assert SECRET not in caplog.text
    assert sender.get("Patient?_count=1").status_code == 200


@pytest.mark.parametrize(
    "scope",
    [
        "system/*.rs",
        "system/Patient.r",
        "system/*.c",
        "system/*.cruds?_tag:not=x&_source:missing=true",
    ],
)
def test_nothing_breaks_for_those_who_may_do_less(sender: Client, shared: Endpoint, scope: str):
    token = shared.token(sender.connection, scope, roster_role=False)
    for hostile in maker(sender, Client(shared), SEED + 1).some(COUNT // 6, *KINDS):
        checked(shared, token, hostile)


def of_token(session: Session, sender: Client) -> Row:
    """The client that the sender's token was issued to."""
    held = hashed(sender.endpoint.token(sender.connection))
    asked = select(Row).join(AccessToken).where(AccessToken.token_hash == held)
    return session.exec(asked).one()


def test_a_link_continues_for_its_client_and_its_query_only(sender: Client, shared: Endpoint):
    page = sender.get("Observation?_count=1").json()
    (url,) = [link["url"] for link in page["link"] if link["relation"] == "next"]
    assert sender.get(url).status_code == 200
    for other in (Client(shared), clients.hospital(shared, "Other"), sender.limited("system/*.rs")):
        assert other.get(url).status_code == 400, url
    narrower = shared.context.database.unit_of_work(
        lambda session: issue(session, of_token(session, sender), SEARCHING, world.now())
    )
    assert sender.get("Observation?_count=1", Authorization=f"Bearer {narrower}").status_code == 200
    assert sender.get(url, Authorization=f"Bearer {narrower}").status_code == 400
    for changed in (
        url.replace("_count=1", "_count=2"),
        url.replace("/Observation?", "/Condition?"),
        url + "&status=final",
        url[:-2],
        url[:-4] + "AAAA",
    ):
        assert sender.get(changed).status_code == 400, changed
