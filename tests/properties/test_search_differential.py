"""Random searches in random worlds find what a naive reading of R4 finds, on both databases.

https://hl7.org/fhir/R4/search.html
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from fhir_mappings.registry import build_registry
from service.access import Access, Scopes
from service.clock import microseconds
from service.database import Database
from service.fhir.identity import storage_id
from service.fhir.search import Bounds, audiences, count_statement, page_statement
from service.fhir.search_drivers import driven_within
from service.fhir.search_parameters import read_query
from service.fhir.search_plan import Plan, Rules
from service.fhir.statements import rows_of
from tests.conftest import new_database, open_database
from tests.properties.search_oracle import Known, World
from tests.properties.search_questions import Questions
from tests.properties.search_world import BASE, Doc, audience, hospital, world, write

NIGHTLY = bool(os.environ.get("ALONGSIDE_NIGHTLY"))
CASES, WORLDS = (100_000, 100) if NIGHTLY else (2_000, 10)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SET = frozenset({("http://a", "x"), ("http://b", "y"), ("", "male")})
REGISTRY = replace(build_registry(), value_sets={"http://sets/1": SET})
# Everything but one type, which no chain may then enter, and Group, which takes a role.
HIDDEN = {"Location", "Group"}
SCOPES = Scopes(" ".join(f"system/{name}.rs" for name in REGISTRY.by_type if name != "Location"))
READ = (
    "SELECT id, coalesce(chosen_id, id), type, content, deleted, confidentiality, purposes,"
    " subject FROM"
)
CEILING = 1


@dataclass
class Served:
    """One world as it is stored and as it must be found; what is public, others have too."""

    rules: Rules
    mine: set[str]
    oracle: World
    questions: Questions


def access_of(seed: int) -> Access:
    return Access(
        client_id=UUID(int=1),
        client="a",
        audience=100 + 2 * seed,
        connection_id=hospital(100 + 2 * seed),
        ceiling=CEILING,
        roster_role=False,
        scopes=SCOPES,
    )


def rules_of(seed: int) -> Rules:
    access, mine = access_of(seed), audience(100 + 2 * seed)
    return Rules(
        base=BASE,
        now=microseconds(NOW),
        page_size=20,
        page_limit=200,
        types=REGISTRY.by_type,
        value_sets=REGISTRY.value_sets,
        access=access,
        where=lambda name: audiences(REGISTRY, name, access),
        locate=lambda name, shown: storage_id(mine, name, shown),
    )


class Store:
    """Worlds in one database, each written when it is first searched."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.worlds: dict[int, Served] = {}

    def served(self, seed: int) -> Served:
        if seed not in self.worlds:
            self.worlds[seed] = self.written(seed)
        return self.worlds[seed]

    def written(self, seed: int) -> Served:
        docs = world(seed)
        self.database.unit_of_work(lambda session: write(session, docs, REGISTRY, seed))
        return self.seen(seed, docs)

    def seen(self, seed: int, docs: list[Doc]) -> Served:
        """What a caller must find in the world as it is stored now."""
        rows = self.database.read(
            lambda session: rows_of(session, f"{READ} documents WHERE audience >= 0", ())
        )
        oracle = naive(seed, docs, rows)
        mine = {doc.stored for doc in docs}
        return Served(rules_of(seed), mine, oracle, Questions(oracle, HIDDEN))

    def found(self, name: str, pairs: list[tuple[str, str]], served: Served) -> list[set[str]]:
        """What is found beginning with what is few, in order, and counted."""
        plan = read_query(REGISTRY.by_type[name], pairs, served.rules, strict=True)
        plan = plan._replace(size=1_000)

        def work(session: Any) -> list[set[str]]:
            few = driven_within(session, plan)
            each = [few, plan._replace(drivers=(), driver=None)]
            found = [self.page(session, one, served) for one in each]
            where, bounds = served.rules.where(name), Bounds(served.rules.access.limits)
            ((count,),) = rows_of(session, *count_statement(few, where, bounds))
            assert count == len(found[0]) == len(found[1])
            return [each & served.mine for each in found]

        return self.database.read(work)

    def page(self, session: Any, plan: Plan, served: Served) -> set[str]:
        where = served.rules.where(plan.kind.name)
        rows = rows_of(session, *page_statement(plan, where, Bounds(served.rules.access.limits)))
        assert len({row[0] for row in rows}) == len(rows)
        return {row[0] for row in rows}


def naive(seed: int, docs: list[Doc], rows: list[Any]) -> World:
    access = access_of(seed)
    shown = {doc.stored: doc.shown for doc in docs}
    known, number = [], {doc.stored: doc.audience.number for doc in docs}
    for stored, name, kind, content, deleted, rank, purposes, subject in rows:
        may = number.get(stored) in {access.audience, 0} and rank <= CEILING
        may = may and bool(purposes & access.purpose)
        if may and not deleted:
            resource = orjson.loads(bytes(content))
            known.append(Known(stored, name, kind, resource, shown.get(subject)))
    sets = {"http://sets/1": set(SET)}
    return World(known, BASE, set(REGISTRY.by_type) - HIDDEN, sets, NOW)


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
)
def store(request: Any, tmp_path_factory: Any) -> Iterator[Store]:
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("differential")
        database = open_database(new_database(request.param, request, folder, stack))
        stack.callback(database.close)
        yield Store(database)


def test_searches_find_what_a_naive_reading_finds(store: Store):
    matched = []

    @settings(
        max_examples=CASES,
        deadline=None,
        derandomize=not NIGHTLY,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(seed=st.integers(0, WORLDS - 1), data=st.data())
    def search(seed: int, data: st.DataObject) -> None:
        served = store.served(seed)
        name, pairs = data.draw(served.questions.search())
        expected = served.oracle.find(name, pairs)
        matched.append(len(expected))
        for found in store.found(name, pairs, served):
            assert found == expected, (name, pairs)

    search()
    assert sum(map(bool, matched)) > CASES // 4  # most questions are not idle
