"""Hospital A reads what it would read in a world without hospital B (DESIGN section 4)."""

import os
import random
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from sqlalchemy import text

from service.engine import create_engine
from tests import sent
from tests.conftest import new_database
from tests.fresh import wrong_documents
from tests.journeys.story import A, B, Step, StepClock, Told, ids_of, story, tell
from tests.service_at import FHIR, Caller, Service, serving

REQUESTS = 2000 if os.environ.get("ALONGSIDE_NIGHTLY") else 200
SEED = 20261123
TYPES = (
    "Organization", "Practitioner", "PractitionerRole", "Location", "HealthcareService",
    "Patient", "Group", "EpisodeOfCare", "Appointment", "Encounter", "Questionnaire",
    "QuestionnaireResponse", "Observation", "Consent", "Flag",
    *(one["resourceType"] for one in sent.about("x")),
)  # fmt: skip
AFTER = 1_000_000  # steps of the story come before
CHOSEN = "chosen-by-both"
SENT = {"Content-Type": "application/fhir+json"}
TIMES = re.compile(rb'"(lastUpdated|lastModified|timestamp)":"[^"]+"')
CURSORS = re.compile(rb"_cursor=[^&\"]+")
BASES = re.compile(rb"http://127\.0\.0\.1:\d+")


@dataclass
class World:
    service: Service
    told: Told
    a: Caller


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
)
def worlds(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[World]]:
    """The story in full, and the story without hospital B."""
    steps = story(SEED)
    with ExitStack() as stack:
        found = []
        for without_b in (False, True):
            folder = tmp_path_factory.mktemp("alone" if without_b else "both")
            url = new_database(request.param, request, folder, stack)
            found.append(_world(url, folder, steps, stack, without_b=without_b))
        yield found


def _world(
    url: str, folder: Path, steps: list[Step], stack: ExitStack, *, without_b: bool
) -> World:
    clock = StepClock()
    same_key(url)
    with ids_of(0):
        service = stack.enter_context(serving(url, folder, clock))
    told = Told(service.database, without_b, clock)
    tell(told, steps)
    if not without_b:
        send(service.caller("sender-b", FHIR, told.things[B]), AFTER)
    a = service.caller("hospital-a", FHIR, told.things[A])
    send(a, 2 * AFTER)
    return World(service, told, a)


def send(caller: Caller, step: int) -> list[tuple[int, bytes, str | None]]:
    """Let a hospital send a person, and documents about those it knows; return the answers."""
    number = [{"system": "urn:x:mrn", "value": "one and the same"}]
    person = {"resourceType": "Patient", "identifier": number, "name": [{"family": "Shared"}]}
    once = {"If-None-Exist": "identifier=urn:x:mrn|one and the same"}
    patients = [one["id"] for one in entries(caller, "/fhir/Patient?_sort=_id&_count=50")][:4]
    chosen = sent.about(patients[0])[1] | {"id": CHOSEN}
    requests: list[tuple[str, str, Any, dict[str, str]]] = [
        ("POST", "/fhir/Patient", person, once),
        ("PUT", f"/fhir/Condition/{CHOSEN}", chosen, {}),
        ("POST", "/fhir/Observation", named(number[0]), {}),
    ]
    requests += [
        ("POST", f"/fhir/{body['resourceType']}", body, {})
        for patient in patients
        for body in sent.about(patient)
    ]
    answers = []
    for place, (method, path, body, headers) in enumerate(requests):
        with ids_of(step + place):
            answer = caller(method, path, json=body, headers={**SENT, **headers})
        assert answer.status_code == 201, answer.text
        answers.append(said(answer))
    return answers


def named(identifier: dict[str, str]) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "pulse"},
        "subject": {"identifier": identifier},
    }


def same_key(url: str) -> None:
    """FHIR ids are made with the installation's key: here both worlds have one."""
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE installation SET identifier_key = :key"), {"key": b"k" * 32}
        )
    engine.dispose()


def normalised(caller: Caller, path: str) -> tuple[int, bytes, str | None]:
    return said(caller.get(path))


def said(answer: httpx.Response) -> tuple[int, bytes, str | None]:
    body = BASES.sub(b"base", CURSORS.sub(b"_cursor", TIMES.sub(b"time", answer.content)))
    return answer.status_code, body, answer.headers.get("etag")


def entries(caller: Caller, path: str) -> Iterator[dict[str, Any]]:
    """Every resource of a search, page by page."""
    while path:
        bundle = caller.get(path).json()
        assert bundle["resourceType"] == "Bundle", bundle
        for entry in bundle.get("entry", []):
            yield entry["resource"]
        path = next((one["url"] for one in bundle["link"] if one["relation"] == "next"), "")


def generated(resources: list[dict[str, Any]], rng: random.Random) -> list[str]:
    """Requests about what hospital A can know, and about what it cannot."""
    patients = [one["id"] for one in resources if one["resourceType"] == "Patient"]
    paths = [f"/fhir/{kind}?_count=200" for kind in TYPES]
    paths += [f"/fhir/{kind}?_summary=count" for kind in TYPES]
    paths += [f"/fhir/Patient/{patient}/$progress" for patient in patients]
    while len(paths) < REQUESTS:
        one, patient = rng.choice(resources), rng.choice(patients)
        kind, own = one["resourceType"], f"/fhir/{one['resourceType']}/{one['id']}"
        about = rng.choice(["Encounter", "Observation", "Condition", "EpisodeOfCare", "Task"])
        paths.append(
            rng.choice(
                [
                    own,
                    f"{own}/_history",
                    f"{own}/_history/{rng.randint(1, 3)}",
                    f"/fhir/{kind}?_id={one['id']}",
                    f"/fhir/{kind}?_count={rng.randint(1, 7)}&_sort={rng.choice(['_id', '-_id'])}",
                    f"/fhir/{kind}?_total=accurate&_count=3",
                    f"/fhir/{about}?patient={patient}",
                    f"/fhir/{about}?patient=Patient/{patient}&_count=2",
                    f"/fhir/Observation?code={quote('http://loinc.org|44261-6')}&_sort=-date&_count=5",
                    f"/fhir/Encounter?date=ge2026-01-1{rng.randint(0, 9)}&_sort=date",
                    f"/fhir/Patient?name=family-{rng.choice('ab')}{rng.randint(0, 5)}",
                    f"/fhir/Patient?identifier={quote(f'urn:mrn:A|MRN-A-a{rng.randint(0, 5)}')}",
                    f"/fhir/Patient?identifier={quote(f'urn:mrn:B|MRN-B-ab{rng.randint(0, 4)}')}",
                ]
            )
        )
    return paths


def test_what_a_hospital_reads_does_not_depend_on_another(worlds: list[World]) -> None:
    both, alone = worlds
    rng = random.Random(SEED)
    resources = [one for kind in TYPES for one in entries(both.a, f"/fhir/{kind}?_count=50")]
    seen = {one["resourceType"] for one in resources}
    assert seen == set(TYPES), set(TYPES) - seen
    for path in generated(resources, rng):
        assert normalised(both.a, path) == normalised(alone.a, path), path
    for kind in TYPES:
        pages = [
            [one["id"] for one in entries(world.a, f"/fhir/{kind}?_count=3")] for world in worlds
        ]
        assert pages[0] == pages[1], kind
        assert len(pages[0]) == len(set(pages[0]))


def test_what_another_hospital_reads_is_unknown_here(worlds: list[World]) -> None:
    both, _ = worlds
    b = both.service.caller("hospital-b", FHIR, both.told.things[B])
    theirs = [one for kind in TYPES for one in entries(b, f"/fhir/{kind}?_count=100")]
    mine = {one["id"] for kind in TYPES for one in entries(both.a, f"/fhir/{kind}?_count=100")}
    mine.discard(CHOSEN)
    theirs = [one for one in theirs if one["id"] != CHOSEN]
    foreign = [one for one in theirs if one["id"] not in mine]
    assert len(foreign) > 100
    assert {one["resourceType"] for one in theirs if one["id"] in mine} <= {
        "Organization", "Practitioner", "PractitionerRole", "Location", "HealthcareService",
        "Questionnaire",
    }  # fmt: skip
    for one in foreign:
        kind, unknown = one["resourceType"], "0" * 32
        for suffix in ("", "/_history", "/_history/1"):
            found = both.a.get(f"/fhir/{kind}/{one['id']}{suffix}")
            assert found.status_code == 404
            same = both.a.get(f"/fhir/{kind}/{unknown}{suffix}").content
            assert found.content.replace(one["id"].encode(), unknown.encode()) == same
        assert not both.a.get(f"/fhir/{kind}?_id={one['id']}").json().get("entry")


def test_no_answer_holds_an_identifier_of_anothers_patient(worlds: list[World]) -> None:
    both, _ = worlds
    hidden = [f"MRN-B-{n}" for n in ("b0", "ab0")] + ["Family-b", "Hospital B", "urn:mrn:B"]
    internal = [row.id for row in both.told.things.values() if hasattr(row, "id")]
    for kind in TYPES:
        for one in entries(both.a, f"/fhir/{kind}?_count=200"):
            said = str(one)
            assert not [word for word in hidden if word in said]
            assert not [key for key in internal if key.hex in said or str(key) in said]


def test_every_document_of_the_story_is_fresh(worlds: list[World]) -> None:
    for world in worlds:
        assert not wrong_documents(world.service.database)


def test_what_a_hospital_is_answered_when_it_writes_does_not_depend_on_another(
    worlds: list[World],
) -> None:
    """Of what B has, nothing is found, referred to, changed or in the way."""
    both, _ = worlds
    b = both.service.caller("reader-b", FHIR, both.told.things[B])
    theirs = {kind: next(iter(entries(b, f"/fhir/{kind}?_count=1")), None) for kind in TYPES}
    told = [writes(world.a, theirs) for world in worlds]
    for first, second in zip(*told, strict=True):
        assert first == second


def writes(a: Caller, theirs: dict[str, Any]) -> list[tuple[int, bytes, str | None]]:
    patch = {"Content-Type": "application/json-patch+json"}
    patient = theirs["Patient"]["id"]
    about = [("POST", f"/fhir/{one['resourceType']}", one) for one in sent.about(patient)]
    answers, step = [], 3 * AFTER
    for kind, one in theirs.items():
        path = f"/fhir/{kind}/{one['id']}"
        about += [("PUT", path, one), ("PUT", f"/fhir/{kind}?_id={one['id']}", one)]
    for place, (method, path, body) in enumerate(about):
        with ids_of(step + place):
            answers.append(said(a(method, path, json=body, headers=SENT)))
    for kind, one in theirs.items():
        path = f"/fhir/{kind}/{one['id']}"
        answers.append(said(a("PATCH", path, content=b"[]", headers=patch)))
        answers.append(said(a("DELETE", path)))
    return answers
