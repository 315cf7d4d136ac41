"""Whatever is sent to `/v1`: the right status, a message that names the element, nothing kept."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests import world
from tests.api.v1.programme import Api, everything, open_api, rules
from tests.api.v1.test_access import ALL

WRITES = [each for each in ALL if each[2] is not None]
NAMES = [f"{method} {path}" for method, path, _ in WRITES]
every_write = pytest.mark.parametrize(("method", "path", "body"), WRITES, ids=NAMES)
DAY = re.compile(r"\d{4}-\d\d-\d\d")
DEEP = b"[" * 100_000 + b"]" * 100_000
UNREADABLE = {
    "broken off": b'{"family": ',
    "no JSON": b"family=Rivera",
    "not UTF-8": b'{"family": "\xff\xfe"}',
    "too deep": b'{"family": ' + DEEP + b"}",
    "a number of 5,000 digits": b'{"family": ' + b"1" * 5000 + b"}",
}
NO_OBJECTS = [b"null", b"[]", b'"text"', b"7", b"true"]
WRONG = ([], {}, [[]], True, -1, 1.5, 10**400, "\x00", "\ud800", "", "x" * 6000, "NaN")
IMPOSSIBLE = ("2026-02-30", "2026-13-01", "0000-01-01", "99999-01-01", "yesterday", "-1", 20260105)
BIG = 20_000_000


@pytest.fixture(scope="module")
def shared(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    folder = tmp_path_factory.mktemp("hostile")
    file = folder / "alongside.db"
    file.write_bytes(sqlite_template.read_bytes())
    with open_api(f"sqlite:///{file}", folder) as opened:
        yield opened


def send(api: Api, method: str, path: str, content: Any, kind: str = "application/json") -> Any:
    address = re.sub(r"\{\w+\}", lambda _: str(uuid4()), path)
    return api.call(method, address, content=content, headers={"Content-Type": kind})


def as_json(body: Any) -> bytes:
    return json.dumps(body).encode()


@every_write
def test_a_body_that_is_no_json_is_named(shared, method, path, body):  # noqa: ARG001
    for name, content in UNREADABLE.items():
        answer = send(shared, method, path, content)
        assert answer.status_code == 400, name
        assert list(rules(answer)) == ["body"], name
    for content in NO_OBJECTS:
        answer = send(shared, method, path, content)
        if answer.status_code == 404 and content == b"null":
            continue  # a body that may be left out
        assert (answer.status_code, list(rules(answer))) == (422, ["body"]), content


@every_write
def test_a_body_of_another_type_is_refused_for_that(shared, method, path, body):
    for kind in ("text/plain", "application/xml", "application/x-www-form-urlencoded", ""):
        answer = send(shared, method, path, as_json(body), kind)
        assert (answer.status_code, list(rules(answer))) == (415, ["body"]), kind


@every_write
def test_twenty_megabytes_are_too_long_whether_declared_or_not(shared, method, path, body):  # noqa: ARG001
    declared = send(shared, method, path, b'{"family": "' + b"a" * BIG + b'"}')
    chunked = send(shared, method, path, (b"a" * 1_000_000 for _ in range(BIG // 1_000_000)))
    for answer in (declared, chunked):
        assert answer.status_code == 413
        assert rules(answer) == {"body": "may have 1000000 bytes"}


@every_write
def test_a_field_of_the_wrong_type_is_named_or_taken(shared, method, path, body):
    for name in body:
        for value in WRONG:
            answer = send(shared, method, path, as_json(body | {name: value}))
            assert answer.status_code < 500, (name, value)
            if answer.status_code in {400, 422}:
                named = rules(answer)
                assert named, (name, value)
                if answer.status_code == 422 and "" not in named:
                    assert any(each.split(".")[0].split("[")[0] == name for each in named), named


@every_write
def test_an_impossible_date_is_named(shared, method, path, body):
    for name in (each for each, value in body.items() if DAY.match(str(value))):
        for value in IMPOSSIBLE:
            answer = send(shared, method, path, as_json(body | {name: value}))
            assert answer.status_code == 422, (name, value)
            assert name in rules(answer), (name, value)


@every_write
def test_a_field_that_nobody_knows_is_named(shared, method, path, body):
    answer = send(shared, method, path, as_json(body | {"surprise": 1}))
    assert answer.status_code == 422
    assert rules(answer) == {"surprise": "Extra inputs are not permitted"}


def test_scores_out_of_range_are_named(sqlite_api):
    person = world.patient(sqlite_api.database)
    address, item = f"/v1/patients/{person.id}/responses", world.PHQ9[3]
    body = {"instrument": "phq-9", "authored": "2026-01-05T12:00:00Z"}
    for score in (-1, 4, 99, 2**63, 10**400, "LA0-0", 1.5, None, [], True):
        answers = world.phq9(1) | {item: score}
        answer = sqlite_api.post(
            address,
            content=as_json({**body, "answers": answers}),
            headers={"Content-Type": "application/json"},
        )
        assert answer.status_code in {400, 422}, score
        assert list(rules(answer)) == [f"answers['{item}']"], score
    assert everything(sqlite_api, address) == []


def test_an_id_of_nothing_is_named_where_it_stands_in_the_body(sqlite_api):
    person = world.patient(sqlite_api.database)
    group, nothing = world.group(sqlite_api.database), str(uuid4())
    link = {"connection_id": nothing, "ehr_patient_id": "e1", "mrn": "M1"}
    bodies = {
        f"/v1/patients/{person.id}/links": ("connection_id", link),
        f"/v1/patients/{person.id}/consents": (
            "connection_id", {"connection_id": nothing, "category": "scores"},
        ),
        f"/v1/groups/{group.id}/enrollments": ("patient_id", {"patient_id": nothing}),
    }  # fmt: skip
    for address, (element, body) in bodies.items():
        answer = sqlite_api.post(address, body)
        assert (answer.status_code, list(rules(answer))) == (400, [element]), address


def test_hostile_rows_stop_no_other_row(sqlite_api):
    good = {"family": "Rivera", "given": "Lucia"}
    hostile = [good | {"family": value} for value in WRONG] + [{"\ud800": 1}, {"": {}}]
    content = as_json({"rows": [*hostile, good]})
    answer = sqlite_api.call(
        "POST", "/v1/bulk/patients", content=content, headers={"Content-Type": "application/json"}
    )
    results = answer.json()["results"]
    assert [each["status"] for each in results[:-1] if each["status"] != 422] == [201]  # "NaN"
    assert results[-1]["status"] == 201
    assert len(everything(sqlite_api, "/v1/patients")) == 2
