"""Every FHIR route of every type: who is let in, who is refused, and how.

https://hl7.org/fhir/R4/http.html#summary
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from api.bootstrap import publish_definitions
from fhir_mappings.registry import build_registry
from service.commands import CreateFacilitator, CreatePlace
from service.fhir.search import PUBLIC_KINDS
from service.handlers import execute
from service.models.connections import Confidentiality, Connection
from service.models.groups import Facilitation
from tests import sent, world
from tests.conftest import new_database
from tests.service_at import Caller, Service, serving

REGISTRY = build_registry()
TYPES = [kind.name for kind in REGISTRY.types]
PUBLIC_TYPES = {m.type for m in REGISTRY.mappings if m.kind in PUBLIC_KINDS}
PRIVATE = [name for name in TYPES if name not in PUBLIC_TYPES or name == "Organization"]
OPEN = [name for name in TYPES if name not in PRIVATE]
PEOPLE = [name for name in PRIVATE if name != "Organization"]  # labelled R or V
VERY_RESTRICTED = ["QuestionnaireResponse", "Flag"]

# Route, method, letter of the scope it takes.
READS = [
    ("/fhir/{type}/{id}", "GET", "r"),
    ("/fhir/{type}/{id}", "HEAD", "r"),
    ("/fhir/{type}/{id}/_history", "GET", "r"),
    ("/fhir/{type}/{id}/_history/1", "GET", "r"),
]
SEARCHES = [
    ("/fhir/{type}?_id={id}", "GET", "s"),
    ("/fhir/{type}?_summary=count", "GET", "s"),
    ("/fhir/{type}/_search?_id={id}", "POST", "s"),
]
OFFERED = [*READS, *SEARCHES]
# Route, method, letters of the scope it takes.
WRITES = [
    ("/fhir/{type}", "POST", "c"),
    ("/fhir/{type}/{id}", "PUT", "u"),
    ("/fhir/{type}/{id}", "PATCH", "u"),
    ("/fhir/{type}/{id}", "DELETE", "d"),
    ("/fhir/{type}?_id={id}", "PUT", "us"),
    ("/fhir/{type}?_id={id}", "PATCH", "us"),
    ("/fhir/{type}?_id={id}", "DELETE", "ds"),
]
WRITABLE = [name for name in TYPES if REGISTRY.by_type[name].writable]
OF_CLIENTS = [one["resourceType"] for one in sent.about("x")]
BODIES = {"POST": "application/fhir+json", "PUT": "application/fhir+json",
          "PATCH": "application/json-patch+json"}  # fmt: skip
SENT = {"Content-Type": "application/fhir+json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")
ADDRESSES = ("/fhir", "/fhir/{type}", "/fhir/{type}/{id}", "/fhir/{type}/{id}/_history",
             "/fhir/{type}/{id}/_history/1", "/fhir/{type}/{id}/$everything", "/fhir/_search",
             "/fhir/_history", "/fhir/{type}/_history", "/fhir/{type}/_search",
             "/fhir/{type}/$validate", "/fhir/Patient/{id}/{type}")  # fmt: skip

each_type = pytest.mark.parametrize("name", TYPES)
each_write = pytest.mark.parametrize(("route", "method", "letters"), WRITES)
each_route = pytest.mark.parametrize(("route", "method", "letter"), OFFERED)


@dataclass
class World:
    service: Service
    a: Connection
    everything: dict[str, Caller]
    ids: dict[tuple[str, str], str]
    callers: dict[tuple[str, ...], Caller]

    def caller(self, scope: str, **more: object) -> Caller:
        """A client of hospital A."""
        key = (scope, *map(str, more.items()))
        if key not in self.callers:
            name = f"client-{len(self.callers)}"
            self.callers[key] = self.service.caller(name, scope, self.a, **more)
        return self.callers[key]

    def path(self, route: str, name: str, whose: str = "A") -> str:
        return route.format(type=name, id=self.ids[whose, name])


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
)
def two(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """Two hospitals with a person each, both in one group."""
    folder = tmp_path_factory.mktemp("matrix")
    with ExitStack() as stack:
        service = stack.enter_context(
            serving(new_database(request.param, request, folder, stack), folder)
        )
        hospitals = _tell(service)
        callers = {
            name: service.caller(f"all-{name.lower()}", "system/*.cruds", row)
            for name, row in hospitals.items()
        }
        for caller in callers.values():
            _send(caller)
        ids = {(who, name): _newest(callers[who], name) for who in callers for name in TYPES}
        yield World(service, hospitals["A"], callers, ids, {})


def _tell(service: Service) -> dict[str, Connection]:
    database = service.database
    publish_definitions(database)
    hospitals = {name: world.hospital(database, name) for name in ("A", "B")}
    execute(database, CreatePlace(name="Library"))
    leader = CreateFacilitator(
        family="Lane", given="K", kind=Facilitation.PEER, name_is_public=True
    )
    circle = world.group(database, facilitator_id=execute(database, leader).id)
    held = world.session(database, circle)
    for hospital in hospitals.values():
        person = world.linked(database, hospital)
        world.enroll(database, person, circle)
        world.attend(database, held, person)
        world.respond(database, person, world.phq9(1, item9=2))
    return hospitals


def _send(caller: Caller) -> None:
    """Let a hospital send one of each type that only clients write."""
    patient = _newest(caller, "Patient")
    for body in sent.about(patient):
        made = caller("POST", f"/fhir/{body['resourceType']}", json=body, headers=SENT)
        assert made.status_code == 201, made.text


def _newest(caller: Caller, name: str) -> str:
    """The newest is the hospital's own, where a type is both public and private."""
    page = caller.get(f"/fhir/{name}?_sort=-_lastUpdated&_count=1").json()
    found: str = page["entry"][0]["resource"]["id"]
    return found


def ask(caller: Caller, method: str, path: str) -> tuple[int, object]:
    answer = caller(method, path, headers=FORM if method == "POST" else {})
    body = answer.json() if answer.content else None
    return answer.status_code, body


@each_type
@pytest.mark.parametrize("address", ADDRESSES)
def test_nobody_is_answered_without_a_token(two: World, name: str, address: str):
    for method in METHODS:
        answer = two.service.http.request(method, two.path(address, name))
        assert answer.status_code == 401, method
        assert answer.headers["www-authenticate"].startswith("Bearer")


@each_type
@each_route
def test_its_scope_lets_a_caller_in(two: World, name: str, route: str, method: str, letter: str):
    caller = two.caller(f"system/{name}.{letter}")
    status, body = ask(caller, method, two.path(route, name))
    assert status == 200
    if isinstance(body, dict) and body["resourceType"] == "Bundle":
        assert body.get("entry") or body["total"] >= 1


@each_type
@each_route
def test_another_letter_does_not(two: World, name: str, route: str, method: str, letter: str):
    caller = two.caller(f"system/{name}.{'s' if letter == 'r' else 'r'}")
    assert ask(caller, method, two.path(route, name))[0] == 403


@each_type
@each_route
def test_another_type_does_not(two: World, name: str, route: str, method: str, letter: str):
    other = "Patient" if name != "Patient" else "Observation"
    caller = two.caller(f"system/{other}.{letter}")
    assert ask(caller, method, two.path(route, name))[0] == 403


@pytest.mark.parametrize("name", PRIVATE)
@pytest.mark.parametrize(("route", "method", "_letter"), READS)
def test_what_is_anothers_is_as_if_it_were_not(
    two: World, name: str, route: str, method: str, _letter: str
):
    path = two.path(route, name, "B")
    assert ask(two.everything["B"], method, path)[0] == 200
    foreign = ask(two.everything["A"], method, path)
    unknown = ask(two.everything["A"], method, path.replace(two.ids["B", name], "0" * 32))
    assert foreign == unknown
    assert foreign[0] == 404


@pytest.mark.parametrize("name", PRIVATE)
def test_a_search_does_not_find_what_is_anothers(two: World, name: str):
    answer = two.everything["A"].get(f"/fhir/{name}?_id={two.ids['B', name]}&_total=accurate")
    assert answer.status_code == 200
    assert answer.json()["total"] == 0
    assert "entry" not in answer.json()


@pytest.mark.parametrize("name", OPEN)
def test_the_catalogue_is_the_same_for_both(two: World, name: str):
    path = f"/fhir/{name}/{two.ids['A', name]}"
    assert two.everything["A"].get(path).content == two.everything["B"].get(path).content


@pytest.mark.parametrize("name", PEOPLE)
@each_route
def test_what_is_above_the_ceiling_is_as_if_it_were_not(
    two: World, name: str, route: str, method: str, letter: str
):
    low = "NORMAL" if name not in VERY_RESTRICTED else "RESTRICTED"
    caller = two.caller("system/*.rs", ceiling=Confidentiality[low])
    status, body = ask(caller, method, two.path(route, name))
    if letter == "r":
        assert status == 404
    else:
        assert isinstance(body, dict)
        assert body.get("entry", []) == []
        assert body.get("total", 0) == 0


@each_route
def test_a_roster_takes_its_role(two: World, route: str, method: str, letter: str):
    caller = two.caller(f"system/Group.{letter}", roster_role=False)
    assert ask(caller, method, two.path(route, "Group"))[0] == 403


def write(caller: Caller, method: str, path: str, body: object) -> tuple[int, dict[str, Any]]:
    headers = {"Content-Type": BODIES[method]} if method in BODIES else {}
    content = json.dumps(body).encode() if headers else None
    answer = caller(method, path, content=content, headers=headers)
    return answer.status_code, answer.json() if answer.content else {}


def body_for(two: World, whose: str, name: str, method: str) -> object:
    """What leaves a document as it is: itself, or a patch of nothing."""
    if method == "PATCH":
        return []
    return two.everything[whose].get(two.path("/fhir/{type}/{id}", name, whose)).json()


@each_type
@each_write
def test_a_write_takes_every_letter_of_its_scope(
    two: World, name: str, route: str, method: str, letters: str
):
    path, body = two.path(route, name), body_for(two, "A", name, method)
    for letter in letters:
        rest = "".join(one for one in "cruds" if one != letter)
        assert write(two.caller(f"system/{name}.{rest}"), method, path, body)[0] == 403
    other = "Goal" if name != "Goal" else "Condition"
    assert write(two.caller(f"system/{other}.cruds"), method, path, body)[0] == 403


@pytest.mark.parametrize("name", OF_CLIENTS)
@each_write
def test_its_scope_lets_a_client_write_what_it_sent(
    two: World, name: str, route: str, method: str, letters: str
):
    one = _another(two, name) if method == "DELETE" else two.ids["A", name]
    path, body = route.format(type=name, id=one), body_for(two, "A", name, method)
    status, said = write(two.caller(f"system/{name}.{letters}"), method, path, body)
    assert status in {200, 201, 204}, said


def _another(two: World, name: str) -> str:
    patient = two.ids["A", "Patient"]
    (body,) = (one for one in sent.about(patient) if one["resourceType"] == name)
    made = two.everything["A"]("POST", f"/fhir/{name}", json=body, headers=SENT)
    found: str = made.json()["id"]
    return found


@pytest.mark.parametrize("name", [one for one in TYPES if one not in WRITABLE])
@each_write
def test_what_the_programme_owns_is_written_by_nobody(
    two: World, name: str, route: str, method: str, letters: str
):
    path, body = two.path(route, name), body_for(two, "A", name, method)
    status, said = write(two.everything["A"], method, path, body)
    assert (status, said["issue"][0]["code"]) == (403, "forbidden"), letters
    assert "`programme`" in said["issue"][0]["diagnostics"]


@pytest.mark.parametrize("name", ["EpisodeOfCare", "Encounter", "Observation", "Consent", "Group"])
@each_write
def test_what_the_programme_made_is_written_by_nobody_else(
    two: World, name: str, route: str, method: str, letters: str
):
    if method == "POST":
        return
    path, body = two.path(route, name), body_for(two, "A", name, method)
    status, said = write(two.everything["A"], method, path, body)
    assert (status, said["issue"][0]["code"]) == (403, "forbidden"), letters
    assert "`programme`" in said["issue"][0]["diagnostics"]


@pytest.mark.parametrize("name", [one for one in WRITABLE if one in PRIVATE])
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_what_is_anothers_is_not_written(two: World, name: str, method: str):
    path, body = two.path("/fhir/{type}/{id}", name, "B"), body_for(two, "B", name, method)
    theirs, unknown = two.ids["B", name], "0" * 32
    nothing = {**body, "id": unknown} if isinstance(body, dict) else body
    foreign = write(two.everything["A"], method, path, body)
    assert foreign == write(two.everything["A"], method, path.replace(theirs, unknown), nothing)
    assert foreign[0] == 404
    assert two.everything["B"].get(path).status_code == 200


@pytest.mark.parametrize("name", OF_CLIENTS)
def test_what_was_sent_refers_to_nobody_elses_patient(two: World, name: str):
    bodies = (sent.about(patient) for patient in (two.ids["B", "Patient"], "0" * 32))
    answers = [
        write(two.everything["A"], "POST", f"/fhir/{name}", body)
        for of_patient in bodies
        for body in of_patient
        if body["resourceType"] == name
    ]
    assert answers[0] == answers[1]
    assert answers[0][0] == 400


def test_a_group_is_written_with_the_roster_role_only(two: World):
    caller = two.caller("system/*.cruds", roster_role=False)
    for route, method, _letters in WRITES:
        assert write(caller, method, two.path(route, "Group"), [])[0] == 403
