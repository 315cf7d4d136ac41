"""Every FHIR route of every type: who is let in, who is refused, and how.

https://hl7.org/fhir/R4/http.html#summary
"""

import json
from typing import Any

import pytest
from starlette.routing import Match, Route

from api.routes import fhir
from service.fhir.compartments import PARAMETERS
from service.models.connections import Confidentiality
from tests import sent
from tests.journeys import operations_matrix
from tests.journeys.matrix import (
    BAD,
    NOBODY,
    NOTHING,
    OF_CLIENTS,
    OPEN,
    PEOPLE,
    PRIVATE,
    SENT,
    TYPES,
    VERY_RESTRICTED,
    WRITABLE,
    World,
)
from tests.service_at import Caller

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
# For a privacy officer's client alone: tests/api/test_audit_events.py.
AUDITED = ("/fhir/AuditEvent", "/fhir/AuditEvent/_search", "/fhir/AuditEvent/{id}")
# Of a type among others: what is not the caller's is left out.
LISTS = [
    ("/fhir/{type}/_history", "GET", "r"),
    ("/fhir?_type={type}", "GET", "s"),
    ("/fhir/?_type={type}", "GET", "s"),
    ("/fhir/_search?_type={type}", "POST", "s"),
]
# Of what a Patient's compartment has; the Patient must be the caller's to read, too.
COMPARTMENT = [
    ("/fhir/Patient/{patient}/{type}", "GET", "s"),
    ("/fhir/Patient/{patient}/{type}/_search", "POST", "s"),
]
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
BODIES = {"POST": "application/fhir+json", "PUT": "application/fhir+json",
          "PATCH": "application/json-patch+json"}  # fmt: skip
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
NOT_OFFERED = 405
UNDELETED = ("Patient", "DELETE")  # by a condition, which is not offered for people
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")
LOW = Confidentiality.NORMAL
# What is asked otherwise: without a token, or of all types at once.
OTHERS = [
    ("/fhir/metadata", "GET", ""),
    ("/fhir/.well-known/smart-configuration", "GET", ""),
    ("/fhir/_history", "GET", "r"),
    ("/fhir", "POST", "of each entry"),
]
ELSEWHERE = "/fhir/{rest:path}"
ADDRESSES = ("/fhir", "/fhir/{type}", "/fhir/{type}/{id}", "/fhir/{type}/{id}/_history",
             "/fhir/{type}/{id}/_history/1", "/fhir/{type}/{id}/$everything", "/fhir/_search",
             "/fhir/_history", "/fhir/{type}/_history", "/fhir/{type}/_search",
             "/fhir/{type}/$validate", "/fhir/Patient/{id}/{type}")  # fmt: skip

each_type = pytest.mark.parametrize("name", TYPES)
each_write = pytest.mark.parametrize(("route", "method", "letters"), WRITES)
each_route = pytest.mark.parametrize(("route", "method", "letter"), OFFERED)
each_list = pytest.mark.parametrize(("route", "method", "letter"), LISTS)
each_asked = pytest.mark.parametrize(("route", "method", "letter"), [*OFFERED, *LISTS])


def ask(caller: Caller, method: str, path: str) -> tuple[int, object]:
    answer = caller(method, path, headers=FORM if method == "POST" else {})
    body = answer.json() if answer.content else None
    return answer.status_code, body


def is_refused_unknown(answer: Any) -> None:
    """Nobody is told of more than which methods the address has, which is in the description."""
    if answer.status_code == NOT_OFFERED:
        assert answer.request.method not in answer.headers["allow"].split(", "), answer.request
        return
    assert answer.status_code == 401, answer.request
    assert answer.headers["www-authenticate"].startswith("Bearer")


@each_type
@pytest.mark.parametrize("address", ADDRESSES)
def test_nobody_is_answered_without_a_token(two: World, name: str, address: str):
    for method in METHODS:
        is_refused_unknown(two.service.http.request(method, two.path(address, name)))


@pytest.mark.parametrize("why", BAD)
def test_nobody_is_answered_with_a_token_that_is_not_good(two: World, why: str):
    caller = two.nobody(why)
    for address in ADDRESSES:
        for method in METHODS:
            is_refused_unknown(caller(method, two.path(address, "Patient")))
    for name in TYPES:
        for route, method, _ in [*OFFERED, *LISTS, *WRITES]:
            is_refused_unknown(caller(method, two.path(route, name)))


@each_type
@each_asked
def test_its_scope_lets_a_caller_in(two: World, name: str, route: str, method: str, letter: str):
    caller = two.caller(f"system/{name}.{letter}")
    status, body = ask(caller, method, two.path(route, name))
    assert status == 200
    if isinstance(body, dict) and body["resourceType"] == "Bundle":
        assert body.get("entry") or body["total"] >= 1


@each_type
@each_asked
def test_another_letter_does_not(two: World, name: str, route: str, method: str, letter: str):
    caller = two.caller(f"system/{name}.{'s' if letter == 'r' else 'r'}")
    assert ask(caller, method, two.path(route, name))[0] == 403


@each_type
@each_asked
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


def excluded(two: World, name: str, letters: str) -> Caller:
    """A caller whose scope has a parameter that no resource fulfils."""
    return two.caller(f"system/{name}.{letters}{NOTHING}")


@each_type
@each_route
def test_what_a_granular_scope_excludes_is_as_if_it_were_not(
    two: World, name: str, route: str, method: str, letter: str
):
    caller, path = excluded(two, name, letter), two.path(route, name)
    found = ask(caller, method, path)
    if letter == "r":
        assert found == ask(caller, method, path.replace(two.ids["A", name], NOBODY))
        assert found[0] == 404
    else:
        assert found[0] == 200
        assert isinstance(found[1], dict)
        assert found[1].get("entry", []) == []
        assert found[1].get("total", 0) == 0


@each_type
@each_route
def test_what_a_granular_scope_has_is_answered(
    two: World, name: str, route: str, method: str, letter: str
):
    caller = two.caller(f"system/{name}.rs?_id={two.ids['A', name]}")
    status, body = ask(caller, method, two.path(route, name))
    assert status == 200, letter
    if isinstance(body, dict) and body["resourceType"] == "Bundle":
        assert body.get("entry") or body["total"] == 1


@each_type
@each_list
def test_a_list_leaves_out_what_is_not_the_callers(
    two: World, name: str, route: str, method: str, letter: str
):
    path = two.path(route, name)
    status, body = ask(excluded(two, name, letter), method, path)
    assert (status, body.get("entry", [])) == (200, [])
    one = two.ids["A", name]
    status, body = ask(two.caller(f"system/{name}.rs?_id={one}"), method, path)
    assert {each["resource"]["id"] for each in body["entry"]} == {one}
    if name in PRIVATE:
        status, body = ask(two.everything["B"], method, path)
        assert one not in {each.get("resource", {}).get("id") for each in body["entry"]}
    if name in PEOPLE:
        low = "NORMAL" if name not in VERY_RESTRICTED else "RESTRICTED"
        low_caller = two.caller("system/*.rs", ceiling=Confidentiality[low])
        status, body = ask(low_caller, method, path)
        assert (status, body.get("entry", [])) == (200, [])


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_a_compartment_takes_both_scopes_and_has_what_is_the_callers(two: World, name: str):
    for route, method, _ in COMPARTMENT:
        path = route.format(type=name, patient=two.ids["A", "Patient"])
        theirs = route.format(type=name, patient=two.ids["B", "Patient"])
        both = two.caller(f"system/{name}.s system/Patient.r")
        assert ask(both, method, path)[0] == 200
        assert ask(two.caller(f"system/{name}.r system/Patient.r"), method, path)[0] == 403
        if name != "Patient":
            assert ask(two.caller(f"system/{name}.s"), method, path)[0] == 403
            assert ask(two.caller("system/Patient.rs"), method, path)[0] == 403
        assert ask(both, method, theirs) == ask(
            both, method, route.format(type=name, patient=NOBODY)
        )
        assert ask(both, method, theirs)[0] == 404
        hidden = two.caller(f"system/*.s system/Patient.r{NOTHING}", ceiling=LOW)
        assert ask(hidden, method, path)[0] == 404
        patient = f"system/Patient.r?_id={two.ids['A', 'Patient']}"
        some = two.caller(f"system/{name}.s{NOTHING} {patient}")
        status, body = ask(some, method, path)
        assert status == 200
        assert body.get("entry", []) == [] or name == "Patient"


def test_the_history_of_everything_has_the_types_that_are_granted(two: World):
    assert ask(two.caller("system/*.s"), "GET", "/fhir/_history")[0] == 403
    for name in TYPES:
        status, body = ask(two.caller(f"system/{name}.r"), "GET", "/fhir/_history")
        kinds = {each["resource"]["resourceType"] for each in body["entry"]}
        assert (status, kinds) == (200, {name})
        status, body = ask(excluded(two, name, "r"), "GET", "/fhir/_history")
        assert (status, body.get("entry", [])) == (200, [])


@each_type
def test_a_bundle_is_judged_entry_by_entry(two: World, name: str):
    request = {"method": "GET", "url": f"{name}/{two.ids['A', name]}"}
    bundle = {"resourceType": "Bundle", "type": "batch", "entry": [{"request": request}]}
    for caller, expected in (
        (two.caller(f"system/{name}.r"), "200"),
        (two.caller(f"system/{name}.s"), "403"),
        (two.everything["B"], "404" if name in PRIVATE else "200"),
        (excluded(two, name, "r"), "404"),
    ):
        answer = caller("POST", "/fhir", json=bundle, headers=SENT)
        assert answer.status_code == 200
        assert answer.json()["entry"][0]["response"]["status"][:3] == expected
    for why in BAD:
        is_refused_unknown(two.nobody(why)("POST", "/fhir", json=bundle, headers=SENT))


def test_every_route_of_fhir_has_a_row(two: World):
    """A new route, or a new method of one, is given its expectation before it is served."""
    router = fhir.routes(two.service.context)
    asked = [*OFFERED, *LISTS, *WRITES, *COMPARTMENT, *OTHERS, *operations_matrix.ROWS]
    covered = {(where(router, row[0], row[1]), row[1]) for row in asked}
    served = {(path, method) for path, table in fhir.TABLE.items() for method in table}
    served |= {(route.path, "GET") for route in router if route.path not in fhir.TABLE}
    served -= {(path, "GET") for path in AUDITED}
    assert served - covered == {(ELSEWHERE, method) for method in fhir.METHODS}


def where(router: list[Route], route: str, method: str) -> str:
    """The route of the service that answers a row."""
    path = route.partition("?")[0].format(type="Patient", id="x", patient="x")
    scope = {"type": "http", "method": method, "path": path, "root_path": "", "headers": []}
    return next(each.path for each in router if each.matches(scope)[0] is Match.FULL)


def test_what_is_for_everybody_is_answered_without_a_token(two: World):
    for route, _, letters in OTHERS:
        answer = two.service.http.get(route)
        assert answer.status_code == (401 if letters else 200), route


def test_what_is_nowhere_is_no_secret_and_takes_a_token(two: World):
    for path in ("/fhir/Patient/x/y/z", "/fhir/Patient/x/_history/1/2", "/fhir/a/b/c/d/e"):
        for method in METHODS:
            is_refused_unknown(two.service.http.request(method, path))
            assert two.everything["A"](method, path).status_code == 404


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
    refused = NOT_OFFERED if "?" in route and (name, method) == UNDELETED else 403
    for letter in letters:
        rest = "".join(one for one in "cruds" if one != letter)
        assert write(two.caller(f"system/{name}.{rest}"), method, path, body)[0] == refused
    other = "Goal" if name != "Goal" else "Condition"
    assert write(two.caller(f"system/{other}.cruds"), method, path, body)[0] == refused


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


@pytest.mark.parametrize("name", [one for one in WRITABLE if one in PRIVATE])
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_what_a_granular_scope_excludes_is_not_written(two: World, name: str, method: str):
    path, body = two.path("/fhir/{type}/{id}", name), body_for(two, "A", name, method)
    mine, caller = two.ids["A", name], excluded(two, name, "cuds")
    nothing = {**body, "id": NOBODY} if isinstance(body, dict) else body
    hidden = write(caller, method, path, body)
    assert hidden == write(caller, method, path.replace(mine, NOBODY), nothing)
    assert hidden[0] == 404
    found = write(caller, method, f"/fhir/{name}?_id={mine}", body)
    expected = {"PUT": 403, "PATCH": 404, "DELETE": 204}[method]
    assert found[0] == (NOT_OFFERED if (name, method) == UNDELETED else expected)
    assert two.everything["A"].get(path).status_code == 200


@pytest.mark.parametrize("name", OF_CLIENTS)
def test_what_is_made_is_within_the_granular_scope(two: World, name: str):
    (body,) = (one for one in sent.about(two.ids["A", "Patient"]) if one["resourceType"] == name)
    label = f"{sent.LABEL['system']}|"
    for code, expected in (("R", 201), ("V", 403)):
        caller = two.caller(f"system/{name}.c?_security={label}{code}")
        assert write(caller, "POST", f"/fhir/{name}", body)[0] == expected


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
