"""What is unknown and what is forbidden run the same statements, and are answered alike.

Whoever measures how long an answer takes learns nothing of what another hospital has.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from service.models.connections import Confidentiality
from tests.journeys.matrix import NOBODY, NOTHING, PRIVATE, WRITABLE, World, two_hospitals
from tests.journeys.statements import Recorder, recording
from tests.service_at import Caller

LOW = Confidentiality.NORMAL
FHIR = {"Content-Type": "application/fhir+json"}
READS = [
    ("GET", "/fhir/{type}/{id}"),
    ("HEAD", "/fhir/{type}/{id}"),
    ("GET", "/fhir/{type}/{id}/_history"),
    ("GET", "/fhir/{type}/{id}/_history/1"),
    ("GET", "/fhir/{type}?_id={id}"),
    ("GET", "/fhir/{type}?_id={id}&_total=accurate&_include=*"),
    ("GET", "/fhir/{type}/{id}/$validate"),
    ("POST", "/fhir/{type}/{id}/$validate?mode=delete"),
]
OF_A_PATIENT = [
    ("GET", "/fhir/Patient/{id}/$everything"),
    ("GET", "/fhir/Patient/{id}/$progress"),
    ("GET", "/fhir/Patient/{id}/Observation"),
    ("GET", "/fhir/Patient/{id}/*"),
    ("GET", "/fhir/Observation/$lastn?patient={id}"),
    ("GET", "/fhir/Observation?subject:Patient._id={id}"),
    ("GET", "/fhir/Patient?_has:Observation:patient:_id={id}"),
]
WRITES = [
    ("PUT", "/fhir/{type}/{id}"),
    ("PATCH", "/fhir/{type}/{id}"),
    ("DELETE", "/fhir/{type}/{id}"),
    ("PATCH", "/fhir/{type}?_id={id}"),
    ("DELETE", "/fhir/{type}?_id={id}"),
]
GONE = ("Patient", "EpisodeOfCare", "Encounter", "Appointment", "Observation",
        "QuestionnaireResponse", "Flag", "Consent")  # fmt: skip

NOT_OFFERED = 405


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
)
def watched(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[World, Recorder]]:
    folder = tmp_path_factory.mktemp("statements")
    with recording() as recorder, two_hospitals(request.param, request, folder) as opened:
        yield opened, recorder


def run(
    watched: tuple[World, Recorder], caller: Caller, row: tuple[str, str], name: str, one: str
) -> tuple[list[str], int, bytes, dict[str, str]]:
    """The statements of a request about one id, and its answer without ids and times."""
    world, recorder = watched
    method, route = row
    body: Any = None
    if method == "PUT":
        found = world.everything["A"].get(f"/fhir/{name}/{world.ids['A', name]}").json()
        body = {**found, "id": one}
    if method == "PATCH":
        body = []
    kind = "application/json-patch+json" if method == "PATCH" else FHIR["Content-Type"]
    recorder.begin()
    answer = caller(
        method,
        route.format(type=name, id=one),
        content=None if body is None else json.dumps(body),
        headers={} if body is None else {"Content-Type": kind},
    )
    statements = list(recorder.statements)
    kept = {k: v for k, v in answer.headers.items() if k not in {"x-request-id", "date"}}
    return statements, answer.status_code, answer.content.replace(one.encode(), b"ID"), kept


def why_not(world: World, name: str) -> dict[str, tuple[Caller, str]]:
    """Who asks for what in vain, by the reason."""
    all_of_a, mine = world.everything["A"], world.ids["A", name]
    found = {
        "another hospital's": (all_of_a, world.ids["B", name]),
        "outside the granular scope": (world.caller(f"system/*.cruds{NOTHING}"), mine),
    }
    if name != "Organization":
        found["above the ceiling"] = (world.caller("system/*.cruds", ceiling=LOW), mine)
    if ("withdrawn", name) in world.ids:
        found["consent withdrawn"] = (all_of_a, world.ids["withdrawn", name])
    return found


def compare(watched: tuple[World, Recorder], name: str, rows: list[tuple[str, str]]) -> None:
    for why, (caller, one) in why_not(watched[0], name).items():
        for row in rows:
            run(watched, caller, row, name, NOBODY)  # what is asked once is remembered now
            unknown = run(watched, caller, row, name, NOBODY)
            forbidden = run(watched, caller, row, name, one)
            assert forbidden == unknown, (why, row)
            if forbidden[1] == NOT_OFFERED:  # and so nothing was asked
                continue
            assert forbidden[0], row
            assert forbidden[1] in {404, 200, 204}, (why, row)


def test_a_statement_is_the_same_whatever_its_values():
    first = "SELECT 'a''b', -1.5, x'00ff', d.id2 FROM t1 WHERE a = ? AND b=3"
    other = "SELECT 'c',  2, X'01', d.id2 FROM t1\nWHERE a = ? AND b=40"
    assert normal(first) == normal(other)
    assert "d.id2 FROM t1" in normal(first)


def normal(sql: str) -> str:
    recorder = Recorder()
    recorder(sql)
    return recorder.statements[0]


def test_a_consent_that_was_withdrawn_took_away_every_kind(watched: tuple[World, Recorder]):
    taken = {name for who, name in watched[0].ids if who == "withdrawn"}
    assert set(GONE) - taken <= {"Consent"}  # who withdrew may be told of
    assert len(taken) >= 6


@pytest.mark.parametrize("name", PRIVATE)
def test_reading_the_unknown_and_the_forbidden(watched: tuple[World, Recorder], name: str):
    compare(watched, name, READS)


def test_asking_about_unknown_and_forbidden_patients(watched: tuple[World, Recorder]):
    compare(watched, "Patient", OF_A_PATIENT)


@pytest.mark.parametrize("name", [name for name in WRITABLE if name in PRIVATE])
def test_writing_the_unknown_and_the_forbidden(watched: tuple[World, Recorder], name: str):
    compare(watched, name, WRITES)


def test_what_is_there_runs_more_statements_or_others(watched: tuple[World, Recorder]):
    """The comparison would notice: what may be seen is told from what may not."""
    world, _ = watched
    row, mine = ("GET", "/fhir/Observation/{id}/_history"), world.ids["A", "Observation"]
    seen = run(watched, world.everything["A"], row, "Observation", mine)
    unknown = run(watched, world.everything["A"], row, "Observation", NOBODY)
    assert seen[0] != unknown[0]
    assert re.search(r"document_versions", " ".join(seen[0]))
