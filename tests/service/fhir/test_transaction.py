"""Transactions at the same moment: none waits in a circle, and each set is made once."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from service.clock import microseconds
from service.fhir.bundle_answers import EntryAnswer
from service.fhir.bundle_entries import read_bundle
from service.fhir.bundle_errors import EntriesError
from service.fhir.changes import Sender
from service.fhir.interactions.transaction import transaction
from service.models.connections import Connection
from service.smart.tokens import SELECT_ACCESS, access_of_row, bearer
from tests import world
from tests.api.bundles import MRN, PERSON, asking, bundle, entry, observation, person
from tests.api.fhir_endpoint import Endpoint, open_endpoint

ROUNDS = 10
THREADS = 8

Answers = list[EntryAnswer | None]


@pytest.fixture
def endpoint(database_url: str, tmp_path: Path) -> Iterator[Endpoint]:
    with open_endpoint(database_url, tmp_path) as opened:
        yield opened


@pytest.fixture
def sender(endpoint: Endpoint) -> Sender:
    hospital: Connection = world.hospital(endpoint.context.database, "A")
    context = endpoint.context
    token_hash = bearer(f"Bearer {endpoint.token(hospital)}")
    with context.database.engine.connect() as connection:
        is_sqlite = connection.dialect.name == "sqlite"
        sql = SELECT_ACCESS if is_sqlite else SELECT_ACCESS.replace("?", "%s")
        row = connection.exec_driver_sql(sql, (token_hash,)).fetchone()
    access = access_of_row(tuple(row) if row else None, microseconds(context.clock()))
    return Sender(context.endpoint, context.writing, access)


def send(sender: Sender, *entries: dict[str, Any]) -> Answers:
    body = json.dumps(bundle("transaction", *entries)).encode()
    return transaction(sender, read_bundle(body, sender.endpoint.base).entries)


def together(*calls: Callable[[], Answers]) -> list[Answers]:
    """Run the calls at the same moment."""
    gate = Barrier(len(calls))

    def run(call: Callable[[], Answers]) -> Answers:
        gate.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def made(answers: Answers) -> list[str]:
    """The addresses, as Type/id, of what was made or found."""
    return ["/".join((each.location or "").split("/")[-4:-2]) for each in answers if each]


def test_the_same_transaction_at_the_same_moment_makes_one_set(sender: Sender):
    for number in range(ROUNDS):
        key = f"r{number}"
        sent = [
            entry(person(key), PERSON, ifNoneExist=f"identifier={MRN}|{key}"),
            entry(
                observation(PERSON, identifier=[{"value": key}]), ifNoneExist=f"identifier={key}"
            ),
        ]
        found = together(*[lambda sent=sent: send(sender, *sent)] * THREADS)
        assert len({tuple(made(answers)) for answers in found}) == 1
        created = [[each.status for each in answers if each] for answers in found]
        assert sorted(created) == [[200, 200]] * (THREADS - 1) + [[201, 201]]


def test_transactions_in_opposite_order_do_not_wait_in_a_circle(sender: Sender):
    (patient,) = made(send(sender, entry(person())))
    first, second = made(send(sender, *[entry(observation(patient))] * 2))

    def update(written: str, other: str) -> dict[str, Any]:
        body = {**observation(patient, hasMember=[{"reference": other}])}
        return entry({**body, "id": written.partition("/")[2]}, method="PUT", url=written)

    one = [update(first, second), entry(observation(patient, focus=[{"reference": second}]))]
    two = [update(second, first), entry(observation(patient, focus=[{"reference": first}]))]
    both = [update(first, first), update(second, second)]
    for _ in range(ROUNDS):
        found = together(
            lambda: send(sender, *one),
            lambda: send(sender, *two),
            lambda: send(sender, *both),
            lambda: send(sender, *reversed(both)),
        )
        assert {each.status for answers in found for each in answers if each} <= {200, 201}


def test_ids_that_clients_choose_are_made_once(sender: Sender):
    (patient,) = made(send(sender, entry(person())))
    for number in range(ROUNDS):
        sent = [
            entry(
                {**observation(patient), "id": f"o-{number}-{each}"},
                method="PUT",
                url=f"Observation/o-{number}-{each}",
            )
            for each in range(3)
        ]
        found = together(
            lambda sent=sent: send(sender, *sent), lambda sent=sent: send(sender, *reversed(sent))
        )
        statuses = sorted([each.status for each in answers if each] for answers in found)
        assert statuses == [[200] * 3, [201] * 3]


def test_what_is_deleted_meanwhile_is_not_referred_to(sender: Sender):
    (patient,) = made(send(sender, entry(person())))
    for _ in range(ROUNDS):
        (target,) = made(send(sender, entry(observation(patient))))
        referring = observation(patient, focus=[{"reference": target}])

        def tried(*entries: dict[str, Any]) -> Answers:
            try:
                return send(sender, *entries)
            except EntriesError:
                return []

        deleted, referred = together(
            lambda target=target: tried(asking("DELETE", target)),
            lambda referring=referring: tried(entry(referring)),
        )
        assert bool(deleted) is not bool(referred)
