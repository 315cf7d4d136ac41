"""What became of the resources of one type, or of all."""

import time
from typing import Any

import pytest

from service.commands import WithdrawConsent
from service.fhir.store_reader import HORIZON_SECONDS
from service.handlers import execute
from service.models.consents import Category
from service.models.enrollments import AttendanceMark
from tests import world
from tests.api.fhir_endpoint import Endpoint
from tests.api.sent import Sender


@pytest.fixture
def sender(endpoint: Endpoint) -> Sender:
    hospital = world.hospital(endpoint.context.database)
    world.linked(endpoint.context.database, hospital)
    return Sender(endpoint, hospital, endpoint.patient_id(hospital))


def told(sender: Sender, path: str) -> list[tuple[str, str, str]]:
    """Every entry over all pages: its method, address and ETag."""
    time.sleep(HORIZON_SECONDS)  # PostgreSQL's horizon is remembered for so long
    found: list[tuple[str, str, str]] = []
    url: str | None = path
    while url:
        page: dict[str, Any] = sender.endpoint.get(url, sender.hospital).json()
        assert page["type"] == "history", page
        found += [
            (
                each["request"]["method"],
                "/".join(each["fullUrl"].split("/")[-2:]),
                each["response"]["etag"],
            )
            for each in page.get("entry", [])
        ]
        url = {each["relation"]: each["url"] for each in page["link"]}.get("next")
    return found


def test_the_history_of_a_type_has_every_version_newest_first(sender: Sender):
    first, second = sender.observation(), sender.observation()
    put = sender.endpoint.request
    path = f"Observation/{first['id']}"
    assert put("PUT", path, sender.hospital, json=first | {"status": "amended"}).status_code == 200
    other = f"Observation/{second['id']}"
    assert put("DELETE", other, sender.hospital).status_code in {200, 204}
    expected = [
        ("DELETE", other, 'W/"2"'),
        ("PUT", path, 'W/"2"'),
        ("POST", other, 'W/"1"'),
        ("POST", path, 'W/"1"'),
    ]
    assert told(sender, "Observation/_history") == expected
    assert told(sender, "Observation/_history?_count=1") == expected
    assert told(sender, "Observation/_history?_count=3&_sort=_lastUpdated") == expected[::-1]


def test_the_history_of_everything_can_begin_at_a_moment(sender: Sender):
    sender.observation()
    since = sender.observation()["meta"]["lastUpdated"]
    encounter = sender.encounter()
    found = told(sender, f"_history?_since={since}")
    assert ("POST", f"Encounter/{encounter['id']}", 'W/"1"') in found
    assert len(found) == 2
    everything = told(sender, "_history?_count=7")
    assert len(everything) == len(set(everything)) > 10
    assert told(sender, f"Observation/_history?_since={since}")[0][0] == "POST"


def test_a_history_holds_what_the_token_may_read(sender: Sender):
    sender.observation()
    token = sender.endpoint.token(sender.hospital, "system/Encounter.rs")
    page = sender.endpoint.get("_history", token=token).json()
    assert "entry" not in page
    assert sender.endpoint.get("Observation/_history", token=token).status_code == 403
    none = sender.endpoint.token(sender.hospital, "system/Encounter.s")
    assert sender.endpoint.get("_history", token=none).status_code == 403
    other = world.hospital(sender.endpoint.context.database, "B")
    foreign = sender.endpoint.get("Observation/_history", other).json()
    assert "entry" not in foreign


def test_what_consent_took_away_has_no_history(sender: Sender):
    database, hospital = sender.endpoint.context.database, sender.hospital
    person = world.patient(database)
    world.link(database, person, hospital)
    given = world.consent(database, person, hospital)
    circle = world.group(database)
    world.enroll(database, person, circle)
    held = world.session(database, circle)
    world.attend(database, held, person)
    world.attend(database, held, person, mark=AttendanceMark.ABSENT)
    assert told(sender, "Encounter/_history") == []  # who was absent has no Encounter
    world.attend(database, held, person)
    methods = [each[0] for each in told(sender, "Encounter/_history")]
    assert methods == ["PUT", "DELETE", "POST"]
    consent = given[Category.ATTENDANCE].id
    execute(database, WithdrawConsent(consent_id=consent, withdrawn_by="tester"))
    assert told(sender, "Encounter/_history") == []
    world.consent(database, person, hospital, [Category.ATTENDANCE])
    assert [each[2] for each in told(sender, "Encounter/_history")] == ['W/"5"']


def test_of_a_roster_only_the_current_version_is_told(sender: Sender):
    database, hospital = sender.endpoint.context.database, sender.hospital
    circle = world.group(database)
    for _ in range(3):
        world.enroll(database, world.linked(database, hospital), circle)
    (entry,) = told(sender, "Group/_history")
    assert entry[0] == "PUT"
    token = sender.endpoint.token(hospital, roster_role=False)
    assert sender.endpoint.get("Group/_history", token=token).status_code == 403
    page = sender.endpoint.get("_history?_count=200", token=token).json()
    assert not [each for each in page["entry"] if "/Group/" in each["fullUrl"]]


@pytest.mark.parametrize(
    "query", ["_at=2026", "_since=soon", "_sort=status", "_count=0", "_summary=count"]
)
def test_a_history_refuses_what_it_cannot_do(sender: Sender, query: str):
    for path in ("Observation/_history", "_history"):
        answer = sender.endpoint.get(f"{path}?{query}", sender.hospital)
        assert answer.status_code == 400
        assert answer.json()["resourceType"] == "OperationOutcome"
