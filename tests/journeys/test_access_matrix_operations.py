"""Every operation on every type: who is let in, who is refused, and how.

https://hl7.org/fhir/R4/operations.html
"""

from collections.abc import Callable
from typing import Any

import pytest

from service.fhir.operations.operation import OPERATIONS, Operation
from service.models.connections import Confidentiality
from tests.journeys.matrix import BAD, NOBODY, NOTHING, PEOPLE, PRIVATE, TYPES, World
from tests.journeys.operations_matrix import CALLS, Asked

each_call = pytest.mark.parametrize("call", CALLS, ids=lambda c: f"{c.method} {c.route}")
at_instance = pytest.mark.parametrize(
    "call",
    [each for each in CALLS if each.at_instance],
    ids=lambda c: f"{c.method} {c.route}",
)


def ask(two: World, caller: Callable[..., Any], call: Asked, document_id: str = "") -> Any:
    route = call.route
    if "{url}" in route:
        path = f"/fhir/{call.type}/{two.ids['A', call.type]}"
        route = route.replace("{url}", two.everything["A"].get(path).json()["url"])
    one = document_id or two.ids["A", call.type]
    path = route.format(id=one, patient=two.ids["A", "Patient"])
    headers = {"Content-Type": "application/fhir+json"} if call.body else {}
    return caller(call.method, path, json=call.body, headers=headers)


def test_every_operation_has_a_row_at_every_level():
    rows = {(each.key, each.type, each.at_instance) for each in CALLS}
    for operation in (each for each in OPERATIONS if not each.changes):  # of people: below
        for name in filter(operation.on, TYPES):
            for offered, level in ((operation.at_type, False), (operation.at_instance, True)):
                assert not offered or (operation.key, name, level) in rows


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if each.changes],
                         ids=lambda each: each.key)  # fmt: skip
def test_what_is_for_people_is_closed_to_every_program(two: World, operation: Operation):
    path = f"/fhir/Patient/{two.ids['A', 'Patient']}/${operation.name}"
    for caller in (*map(two.nobody, BAD), two.service.http.request):
        assert caller("POST", path).status_code == 401
    for scope in ("system/*.cruds", "system/Patient.r"):
        assert two.caller(scope)("POST", path).status_code == 403
    assert two.programme("system/*.cruds")("POST", path).status_code == 403


@each_call
def test_an_operation_takes_a_token_that_is_good(two: World, call: Asked):
    for caller in (*map(two.nobody, BAD), two.service.http.request):
        assert ask(two, caller, call).status_code == 401


@each_call
def test_an_operation_takes_one_of_its_letters_on_its_type(two: World, call: Asked):
    for letter in "cruds":
        allowed = letter in call.letters
        status = ask(two, two.caller(f"system/{call.type}.{letter}"), call).status_code
        assert (status != 403) if allowed else (status == 403), letter
    other = "Patient" if call.type != "Patient" else "Observation"
    assert ask(two, two.caller(f"system/{other}.cruds"), call).status_code == 403
    exact = ask(two, two.caller(f"system/{call.type}.{call.letters}"), call)
    assert exact.status_code == 200, exact.text


@at_instance
def test_an_operation_on_what_is_not_the_callers_is_as_on_nothing(two: World, call: Asked):
    caller = two.caller(f"system/{call.type}.{call.letters}")
    unknown = ask(two, caller, call, NOBODY)
    assert unknown.status_code == 404
    excluded = ask(two, two.caller(f"system/{call.type}.{call.letters}{NOTHING}"), call)
    assert (excluded.status_code, excluded.json()) == (404, unknown.json())
    if call.type in PRIVATE:
        foreign = ask(two, caller, call, two.ids["B", call.type])
        assert (foreign.status_code, foreign.json()) == (404, unknown.json())
    if call.type in PEOPLE:
        low = two.caller(f"system/{call.type}.{call.letters}", ceiling=Confidentiality.NORMAL)
        assert ask(two, low, call).json() == unknown.json()
    one = two.ids["A", call.type]
    some = two.caller(f"system/{call.type}.{call.letters}?_id={one}")
    assert ask(two, some, call).status_code == 200


@pytest.mark.parametrize("call", [each for each in CALLS if not each.at_instance],
                         ids=lambda c: f"{c.method} {c.route}")  # fmt: skip
def test_an_operation_on_a_type_finds_what_a_granular_scope_has(two: World, call: Asked):
    answer = ask(two, two.caller(f"system/{call.type}.{call.letters}{NOTHING}"), call)
    if "{url}" in call.route:
        assert answer.status_code == 403  # what is asked by its address is no resource
    else:
        assert answer.status_code == 200
        assert answer.json().get("entry", []) == []
