"""A POST with an `Idempotency-Key` is executed once, and answered as it was (ADR 0024)."""

import ast
import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute
from sqlmodel import Session, func, select

from api.pruning import prune, pruning
from api.routes import v1
from api.routes.v1.repeating import repeatable
from api.routes.v1.rows import Results
from service import maintenance
from service.errors import BusyError
from service.models.idempotency import KeptAnswer
from service.smart.clients import find_client
from service.smart.tokens import Grant, issue
from tests import world
from tests.api.v1.programme import EVERY_SCOPE, Api, everything, open_api, rules

PERSON = {"family": "Rivera", "given": "Lucia", "birth_date": "1988-04-17"}
KEY = {"Idempotency-Key": "5b6a2f0e-1f2d-4c3b-8a9d-0e1f2a3b4c5d"}
ANSWERED = ("etag", "location", "content-type", "cache-control", "content-length")
POSTS = [
    route
    for router in v1.ROUTERS
    for route in router.routes
    if isinstance(route, APIRoute) and "POST" in route.methods
]


class Hours:
    """A clock that the test sets forward."""

    def __init__(self) -> None:
        self.passed = timedelta()

    def __call__(self) -> Any:
        return world.now() + self.passed


@pytest.fixture
def hours() -> Hours:
    return Hours()


@pytest.fixture
def timed(database_url: str, tmp_path: Path, hours: Hours) -> Iterator[Api]:
    def work(session: Session) -> str:
        client = find_client(session, "programme")
        assert client is not None
        return issue(session, client, Grant(scope=EVERY_SCOPE, seconds=3 * 24 * 3600), hours())

    with open_api(database_url, tmp_path, hours) as opened:
        opened.token = opened.database.unit_of_work(work)
        yield opened


def kept(api: Api) -> int:
    return api.database.read(
        lambda session: session.exec(select(func.count(KeptAnswer.part))).one()
    )


def people(api: Api) -> int:
    return len(everything(api, "/v1/patients"))


def test_a_repeated_request_gets_the_answer_that_it_got(api):
    first = api.post("/v1/patients", PERSON, headers=KEY)
    assert first.status_code == 201
    assert "idempotency-replayed" not in first.headers
    api.patch(first.headers["location"], {"family": "Ortiz"})
    again = api.post("/v1/patients", PERSON, headers=KEY)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert [again.headers[name] for name in ANSWERED] == [first.headers[name] for name in ANSWERED]
    assert people(api) == 1


def test_the_order_of_fields_and_spaces_are_not_part_of_a_request(sqlite_api):
    first = sqlite_api.post("/v1/patients", PERSON, headers=KEY)
    body = b'{ "birth_date":"1988-04-17",  "given":"Luc\\u0069a","family" :"Rivera"}'
    headers = {**KEY, "Content-Type": "application/json"}
    again = sqlite_api.call("POST", "/v1/patients", content=body, headers=headers)
    assert again.content == first.content
    assert people(sqlite_api) == 1


def test_a_key_that_came_with_another_request_is_a_conflict(api):
    made = api.post("/v1/patients", PERSON, headers=KEY)
    others = [
        ("/v1/patients", PERSON | {"given": "Ana"}),
        ("/v1/bulk/patients", {"rows": [PERSON]}),
        ("/v1/places", {"name": "Library"}),
    ]
    for address, body in others:
        answer = api.post(address, body, headers=KEY)
        assert answer.status_code == 409, address
        assert "another request" in rules(answer)["Idempotency-Key"]
    assert api.post("/v1/patients", PERSON, headers=KEY).content == made.content
    assert people(api) == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "caf\u00e9", "a\tb"])
def test_a_key_that_is_none_is_named(sqlite_api, key):
    answer = sqlite_api.post(
        "/v1/patients", PERSON, headers={"Idempotency-Key": key.encode("latin-1")}
    )
    assert answer.status_code == 400
    assert list(rules(answer)) == ["Idempotency-Key"]
    assert people(sqlite_api) == 0


def test_two_keys_at_once_are_none(sqlite_api):
    headers = [*(("Idempotency-Key", each) for each in "ab")]
    headers.append(("Authorization", f"Bearer {sqlite_api.token}"))
    answer = sqlite_api.client.post("/v1/patients", json=PERSON, headers=headers)
    assert answer.status_code == 400


def test_a_key_belongs_to_its_client(api):
    other = api.new_token("other", EVERY_SCOPE)
    first = api.post("/v1/patients", PERSON, headers=KEY)
    theirs = api.post("/v1/patients", PERSON, headers=KEY, token=other)
    assert theirs.status_code == 201
    assert theirs.json()["id"] != first.json()["id"]


def test_a_refused_request_keeps_nothing_and_its_key_is_free(api):
    group = world.group(api.database, capacity=1)
    world.enroll(api.database, world.patient(api.database), group)
    address = f"/v1/groups/{group.id}/enrollments"
    person = {"patient_id": str(world.patient(api.database).id)}
    for body, status in (({}, 422), ({**person, "start": "0001"}, 422), (person, 422)):
        assert api.post(address, body, headers=KEY).status_code == status
    assert kept(api) == 0
    api.patch(f"/v1/groups/{group.id}", {"capacity": 2})
    assert api.post(address, person, headers=KEY).status_code == 201
    assert kept(api) == 1


def test_a_replay_is_authorised_and_audited_like_the_request(api):
    group, person = world.group(api.database), world.patient(api.database)
    address, body = f"/v1/groups/{group.id}/enrollments", {"patient_id": str(person.id)}
    api.post(address, body, headers=KEY)
    api.post(address, body, headers=KEY)
    assert api.audited()[-2:] == [[person.id.hex]] * 2
    assert api.post(address, body, headers=KEY, token="a" * 43).status_code == 401
    reader = api.new_token("reader", "v1.read")
    assert api.post(address, body, headers=KEY, token=reader).status_code == 403


def test_after_24_hours_a_key_is_unknown(timed, hours):
    first = timed.post("/v1/patients", PERSON, headers=KEY)
    hours.passed = timedelta(hours=23, minutes=59)
    assert timed.post("/v1/patients", PERSON, headers=KEY).content == first.content
    hours.passed = timedelta(hours=24)
    assert timed.post("/v1/patients", PERSON | {"given": "Ana"}, headers=KEY).status_code == 201
    assert kept(timed) == 1


def test_answers_are_deleted_after_24_hours_unless_the_service_is_closed(timed, hours):
    timed.post("/v1/bulk/patients", {"rows": [PERSON] * 3}, headers=KEY)
    hours.passed = timedelta(hours=23)
    prune(timed.context)
    assert kept(timed) == 4
    hours.passed = timedelta(hours=25)
    timed.database.unit_of_work(lambda session: maintenance.begin(session, 60, 0))
    prune(timed.context)
    assert kept(timed) == 4
    timed.database.unit_of_work(maintenance.end)
    prune(timed.context)
    assert kept(timed) == 0


def test_nothing_that_is_kept_can_be_read_without_the_key(api):
    api.post("/v1/patients", PERSON, headers=KEY)
    (row,) = api.database.read(lambda session: session.exec(select(KeptAnswer)).all())
    whole = repr(row.model_dump())
    for text in ("Rivera", "Lucia", "1988", KEY["Idempotency-Key"], "location", "etag"):
        assert text not in whole


def test_every_kind_of_answer_is_what_is_read_afterwards(api):
    """Within the unit of work a row could look otherwise than once it is committed."""
    hospital, person = world.hospital(api.database), world.patient(api.database)
    group, patient = world.group(api.database), f"/v1/patients/{person.id}"
    link = {"connection_id": str(hospital.id), "ehr_patient_id": "e1", "mrn": "M1"}
    consent = {
        "connection_id": str(hospital.id),
        "category": "scores",
        "start": "2026-01-05T12:00:00.123456+01:00",
    }
    answers = {**world.phq9(2), world.PHQ9[-1]: 1}
    response = {"instrument": "phq-9", "answers": answers, "authored": "2026-01-05T12:00:00Z"}
    bodies = {
        f"{patient}/links": link,
        f"{patient}/consents": consent,
        f"/v1/groups/{group.id}/enrollments": {"patient_id": str(person.id)},
        f"{patient}/responses": response,
    }
    for number, (address, body) in enumerate(bodies.items()):
        made = api.post(address, body, headers={"Idempotency-Key": f"key {number}"})
        assert made.status_code == 201, made.text
        read = api.get(made.headers["location"])
        assert made.json() == {"warnings": [], **read.json()} or made.content == read.content
        assert read.headers["etag"] == made.headers["etag"]
    assert read.json()["alert"]["crisis_text"]
    consent_id = api.get(f"{patient}/consents").json()["items"][0]["id"]
    withdrawn = api.post(f"/v1/consents/{consent_id}/withdraw", headers=KEY)
    assert api.get(f"/v1/consents/{consent_id}").content == withdrawn.content
    again = api.post(f"/v1/consents/{consent_id}/withdraw", headers=KEY)
    assert (again.status_code, again.content) == (200, withdrawn.content)


def test_a_secret_is_told_once_and_kept_nowhere(api):
    token = api.new_token("administrator", "v1.admin")
    new = {"name": "harbor-ehr", "scopes": ["v1.read"]}
    made, again = (api.post("/v1/clients", new, token=token, headers=KEY) for _ in range(2))
    assert made.status_code == 201
    assert (again.status_code, "told once" in again.json()["detail"]) == (409, True)
    assert made.json()["secret"] not in again.text
    rotate = f"/v1/clients/{made.json()['id']}/rotate"
    rotated = [api.post(rotate, token=token, headers=KEY).status_code for _ in range(2)]
    assert rotated == [409, 409]  # one key is for one request
    rotated = [
        api.post(rotate, token=token, headers={"Idempotency-Key": "another"}).status_code
        for _ in range(2)
    ]
    assert rotated == [200, 409]


def test_of_many_at_once_with_one_key_one_is_executed(api):
    group, person = world.group(api.database), world.patient(api.database)
    address, body = f"/v1/groups/{group.id}/enrollments", {"patient_id": str(person.id)}
    with ThreadPoolExecutor(8) as threads:
        asked = [threads.submit(api.post, address, body, headers=KEY) for _ in range(16)]
    answers = [each.result() for each in asked]
    assert {each.status_code for each in answers} == {201}
    assert len({each.content for each in answers}) == 1
    assert sum("idempotency-replayed" not in each.headers for each in answers) == 1
    assert len(everything(api, address)) == 1


@pytest.mark.parametrize("route", POSTS, ids=lambda route: route.name)
def test_every_post_can_be_repeated(route):
    """By its endpoint, or by its rows; a new one cannot be forgotten."""
    assert hasattr(route.endpoint, "__wrapped__") is (route.response_model is not Results)


@pytest.mark.parametrize(
    "path", sorted(Path(v1.__file__).parent.glob("*.py")), ids=lambda path: path.name
)
def test_no_route_begins_a_unit_of_work_of_its_own(path):
    """It would be committed apart from the answer: `call.unit_of_work` is not."""
    if path.name in {"calls.py", "repeating.py"}:
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and node.attr == "unit_of_work":
            assert ast.unparse(node.value) == "call"


def test_pruning_goes_on_after_it_has_failed(sqlite_api, monkeypatch):
    """Every process prunes when it starts, and again and again."""
    asked: list[Any] = []
    again = threading.Event()

    def failing_first(context: Any) -> None:
        asked.append(context)
        if len(asked) == 1:
            raise BusyError("others write")
        if len(asked) == 3:
            again.set()

    async def watched() -> bool:
        async with pruning(sqlite_api.context):
            return await asyncio.to_thread(again.wait, 30)

    monkeypatch.setattr("api.pruning.prune", failing_first)
    monkeypatch.setattr("api.pruning.PAUSE_SECONDS", 0.001)
    assert asyncio.run(watched())


@pytest.mark.parametrize("endpoint", [lambda body: body, lambda: None])
def test_what_takes_no_call_cannot_be_repeated(endpoint):
    with pytest.raises(TypeError, match="a plain function that takes a `call`"):
        repeatable(endpoint)
