"""An answer is made anew where something was taken away before its first byte (ADR 0036).

Another process is another `Database` of the same records: it has a fence of its own.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlmodel import select

from service.commands import WithdrawConsent
from service.database import Database
from service.fence import raise_epochs
from service.handlers import execute
from service.models.consents import Category, Consent
from tests import world
from tests.api import clients
from tests.api.clients import Client
from tests.api.fhir_endpoint import BASE, Endpoint
from tests.conftest import open_database


class Meanwhile:
    """Does something each time that an audit row is about to be written."""

    def __init__(self, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
        self.does: Callable[[], Any] | None = None
        self.times = 0
        audit = endpoint.context.audit
        write = audit.write

        async def written(entry: Any) -> Any:
            if self.does is not None:
                self.times += 1
                self.does()
            return await write(entry)

        monkeypatch.setattr(audit, "write", written)

    def once(self, work: Callable[[], Any]) -> None:
        def do() -> None:
            self.does = None
            work()

        self.does = do


@pytest.fixture
def meanwhile(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    return Meanwhile(endpoint, monkeypatch)


@pytest.fixture
def another(database_url: str) -> Iterator[Database]:
    opened = open_database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def hospital(endpoint: Endpoint) -> Client:
    """A client of a hospital with one patient, who has a score there."""
    client = clients.hospital(endpoint)
    assert client.connection is not None
    world.respond(
        endpoint.context.database, world.linked(endpoint.context.database, client.connection)
    )
    return client


def withdraw(database: Database, *categories: Category) -> None:
    wanted = select(Consent).where(Consent.withdrawn_at.is_(None))  # type: ignore[union-attr]
    for row in database.read(lambda session: session.exec(wanted).all()):
        if row.category in categories:
            execute(database, WithdrawConsent(consent_id=row.id, withdrawn_by="tester"))


def rows(endpoint: Endpoint) -> list[tuple[str, int]]:
    sql = "SELECT path, status FROM audit_entries ORDER BY request_id"
    return endpoint.audit.execute(sql).fetchall()


def test_a_score_that_another_process_took_away_is_not_answered(
    endpoint: Endpoint, hospital: Client, meanwhile: Meanwhile, another: Database
) -> None:
    (score,) = hospital.ids("Observation?code=44261-6")
    meanwhile.once(lambda: withdraw(another, Category.SCORES))
    answer = hospital.get(f"Observation/{score}")
    assert answer.status_code == 404
    path = "/fhir/Observation/{id}"
    assert rows(endpoint)[-2:] == [(path, 200), (path, 404)]  # one too many, never one too few
    status, about = endpoint.audited()[2:]
    assert (status, about is not None) == (404, True)  # whom the decision is about


@pytest.mark.parametrize(
    "path",
    ["Observation?code=44261-6", "Observation/_history?_count=50", "{patient}/$everything",
     "{patient}/Observation"],
)  # fmt: skip
def test_pages_are_made_anew(
    hospital: Client, meanwhile: Meanwhile, another: Database, path: str
) -> None:
    (patient,) = hospital.ids("Patient")
    (score,) = hospital.ids("Observation?code=44261-6")
    path = path.format(patient=f"Patient/{patient}")
    assert score in hospital.get(path).text
    meanwhile.once(lambda: withdraw(another, Category.SCORES))
    answer = hospital.get(path)
    assert answer.status_code == 200
    assert score not in answer.text


def test_a_search_by_post_and_a_batch_keep_their_bodies(
    hospital: Client, meanwhile: Meanwhile, another: Database
) -> None:
    (score,) = hospital.ids("Observation?code=44261-6")
    meanwhile.once(lambda: withdraw(another, Category.ENROLLMENT))
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = hospital("POST", "Observation/_search", b"code=44261-6", **form)
    assert score in answer.text
    (patient,) = hospital.ids("Patient")
    entries = [
        {"request": {"method": "GET", "url": f"Observation/{score}"}},
        {
            "request": {"method": "POST", "url": "Observation"},
            "resource": clients.observation(patient),
        },
    ]
    before = len(hospital.ids("Observation"))
    meanwhile.once(lambda: withdraw(another, Category.SCORES))
    bundle = {"resourceType": "Bundle", "type": "batch", "entry": entries}
    answer = hospital("POST", BASE, bundle, Prefer="return=representation")
    found = [each["response"]["status"][:3] for each in answer.json()["entry"]]
    assert found == ["404", "201"]
    assert not any("resource" in each for each in answer.json()["entry"])
    assert len(hospital.ids("Observation")) == before  # one came, the score went


def test_a_write_is_not_carried_out_again(
    hospital: Client, meanwhile: Meanwhile, another: Database
) -> None:
    (patient,) = hospital.ids("Patient")
    before = len(hospital.ids("Observation"))
    meanwhile.once(lambda: withdraw(another, Category.SCORES))
    answer = hospital.post(clients.observation(patient))
    assert answer.status_code == 201
    assert answer.json()["id"] in answer.headers["location"]
    assert len(hospital.ids("Observation")) == before


def test_who_meets_nothing_but_changes_is_told_to_come_back(
    endpoint: Endpoint, hospital: Client, meanwhile: Meanwhile, another: Database
) -> None:
    number = endpoint.context.database.read(
        lambda session: session.get_one(type(hospital.connection), hospital.connection.id).number
    )
    meanwhile.does = lambda: another.unit_of_work(lambda session: raise_epochs(session, [number]))
    answer = hospital.get("Observation")
    clients.refused(answer, 503, "transient")
    assert answer.headers["retry-after"] == "1"
    assert endpoint.audited()[2:] == (503, None)


@pytest.mark.usefixtures("hospital")
def test_what_is_taken_from_one_hospital_is_of_no_concern_to_another(
    endpoint: Endpoint, meanwhile: Meanwhile, another: Database
) -> None:
    stranger = clients.hospital(endpoint, "Elsewhere")
    stranger.get("Observation")
    before = len(rows(endpoint))
    meanwhile.once(lambda: withdraw(another, Category.SCORES))
    assert stranger.get("Observation").status_code == 200
    assert endpoint.get("Observation").status_code == 200  # the programme's own
    assert len(rows(endpoint)) == before + 2
