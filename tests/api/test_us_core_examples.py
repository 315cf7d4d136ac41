"""US Core's examples come back token for token, and US Core's searches find them.

https://hl7.org/fhir/us/core/STU7/CapabilityStatement-us-core-server.html
"""

import json
import os
from collections.abc import Iterator
from itertools import islice
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.api import clients
from tests.api.fhir_endpoint import BASE, Endpoint
from tests.api.us_core import VERSIONS, Json, Loaded, load, supplements, team, tokens
from tests.api.us_core_searches import (
    ELEMENTS,
    SEARCHES,
    Asked,
    expected,
    questions,
)

FORM = "application/x-www-form-urlencoded"
WITH_PROVENANCE = sorted(set(SEARCHES) - {"Practitioner", "PractitionerRole", "Organization"})
MOST = 200 if os.environ.get("ALONGSIDE_NIGHTLY") else 12
MEMBERS = ("Practitioner", "PractitionerRole", "Patient", "RelatedPerson")


@pytest.fixture(scope="module", params=VERSIONS)
def loaded(request: pytest.FixtureRequest, shared: Endpoint) -> Loaded:
    found = load(clients.hospital(shared), request.param)
    for name, resource in supplements(found).items():
        found.made[f"{name}/ours"] = found.client.made(resource)
    role = found.made["PractitionerRole/ours"]["id"]
    found.made["CareTeam/ours"] = found.client.made(team(found, role))
    return found


def test_every_example_comes_back_token_for_token(loaded: Loaded):
    assert len(loaded.sent) > 150
    for name, sent in loaded.sent.items():
        kind, shown = name.partition("/")[0], loaded.made[name]["id"]
        assert tokens(loaded.texts[name]) == tokens(sent), name
        read = loaded.client.get(f"{kind}/{shown}")
        assert read.text == loaded.texts[name]
        said = json.loads(sent).get("meta", {})
        assert {k: read.json()["meta"].get(k) for k in said if k in {"profile", "tag"}} == {
            k: v for k, v in said.items() if k in {"profile", "tag"}
        }


def test_every_example_is_found_whole(loaded: Loaded):
    for name in ELEMENTS:
        made = {one["id"]: one for one in loaded.of(name)}
        found = {one["id"]: one for one in loaded.client.resources(f"{name}?_count=100")}
        assert {shown: found[shown] for shown in made} == made


SINGLE = [(name, search) for name, searches in SEARCHES.items() for search in searches]


@pytest.mark.parametrize(("name", "search"), SINGLE)
def test_each_search_returns_what_it_must(loaded: Loaded, name: str, search: str):
    made, asked = loaded.of(name), 0
    for question in islice(questions(made, name, search), MOST):
        wanted = {one["id"] for one in made if expected(one, name, question)}
        assert wanted, question
        for spelt in spellings(question):
            assert matches(loaded, name, spelt) & _ids(made) == wanted, spelt
        asked += 1
    assert asked, "no example has these elements"


def _ids(made: list[Json]) -> set[str]:
    return {one["id"] for one in made}


def spellings(question: Asked) -> Iterator[Asked]:
    """The same question with the patient by id, by type and id, and by its whole address."""
    yield question
    if "patient" in dict(question):
        for prefix in ("Patient/", f"{BASE}/Patient/"):
            yield [(k, prefix + v if k == "patient" else v) for k, v in question]


def matches(loaded: Loaded, name: str, question: Asked) -> set[str]:
    """The ids that a search finds, by GET and by POST alike."""
    form = urlencode(question)
    found = _matched(loaded.client.get(f"{name}?{form}&_count=200"))
    body = f"{form}&_count=200".encode()
    posted = loaded.client("POST", f"{name}/_search", body, Content_Type=FORM)
    assert _matched(posted) == found, question
    return found


def _matched(answer: Any) -> set[str]:
    assert answer.status_code == 200, answer.text
    page = answer.json()
    modes = {entry["search"]["mode"] for entry in page.get("entry", [])}
    assert modes <= {"match"}, page  # nothing is said about a parameter that is not supported
    return {entry["resource"]["id"] for entry in page.get("entry", [])}


@pytest.mark.parametrize("name", WITH_PROVENANCE)
def test_provenance_comes_with_its_target(loaded: Loaded, name: str):
    target = loaded.of(name)[0]
    provenance = loaded.client.made(
        {
            "resourceType": "Provenance",
            "target": [{"reference": f"{name}/{target['id']}"}],
            "recorded": "2026-01-01T00:00:00Z",
            "agent": [{"who": {"display": "Hospital"}}],
        }
    )
    path = f"{name}?_id={target['id']}&_revinclude=Provenance:target"
    entries = loaded.client.get(path).json()["entry"]
    modes = [(one["search"]["mode"], one["resource"]["id"]) for one in entries]
    assert modes[0] == ("match", target["id"])
    assert ("include", provenance["id"]) in modes
    body = path.partition("?")[2].encode()
    posted = loaded.client("POST", f"{name}/_search", body, Content_Type=FORM).json()["entry"]
    assert posted == entries


@pytest.mark.parametrize("member", MEMBERS)
def test_participants_come_with_their_team(loaded: Loaded, member: str):
    team = loaded.made["CareTeam/ours"]
    path = f"CareTeam?_id={team['id']}&_include=CareTeam:participant:{member}"
    entries = loaded.client.get(path).json()["entry"]
    included = [one["resource"] for one in entries if one["search"]["mode"] == "include"]
    referred = [one["member"]["reference"] for one in team["participant"]]
    assert [f"{one['resourceType']}/{one['id']}" for one in included] == [
        each for each in referred if each.startswith(f"{member}/")
    ]


def test_a_practitioner_comes_with_the_role(loaded: Loaded):
    role = loaded.made["PractitionerRole/ours"]
    path = f"PractitionerRole?_id={role['id']}&_include=PractitionerRole:practitioner"
    entries = loaded.client.get(path).json()["entry"]
    assert [one["search"]["mode"] for one in entries] == ["match", "include"]
    assert entries[1]["resource"]["resourceType"] == "Practitioner"
