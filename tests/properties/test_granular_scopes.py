"""A granular scope gives what the plain scope gives, filtered by its parameters; in random worlds.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
"""

import asyncio
import os
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from service.access import Access, Scopes
from service.errors import NotFoundError, ValueSetError
from service.fhir.endpoint import Endpoint
from service.fhir.interactions.history_instance import history_instance
from service.fhir.interactions.history_type import history_type
from service.fhir.interactions.read import read
from service.fhir.interactions.search_type import search_type
from service.fhir.interactions.vread import vread
from service.fhir.statements import rows_of
from service.fhir.store_reader import open_reader
from service.scopes import SYSTEM, Query, Scope
from service.smart.scopes import require_grantable
from tests.conftest import new_database, open_database
from tests.properties.granular_world import Past, granted, is_granted, pasts, rewrite
from tests.properties.search_oracle import World
from tests.properties.search_questions import Questions
from tests.properties.search_world import BASE, KEY, world
from tests.properties.test_search_differential import (
    HIDDEN,
    NOW,
    REGISTRY,
    Served,
    Store,
    access_of,
)

NIGHTLY = bool(os.environ.get("ALONGSIDE_NIGHTLY"))
CASES, WORLDS = (3_000, 20) if NIGHTLY else (120, 4)
TYPES = ("Observation", "Observation", "Condition", "Patient", "Encounter", "Task", "Provenance")
OLDER = "SELECT id, version, content FROM document_versions WHERE deleted = (1 = 0)"
FEW = st.sampled_from([1, 1, 1, 2])


@dataclass
class Case:
    """One caller with a granular scope of one type, and plain ones of the others."""

    kind: str
    queries: list[Query]
    access: Access
    plain: Access
    served: Served
    past: list[Past]

    def grants(self, doc: Any) -> bool:
        return is_granted(self.served.oracle, doc, self.kind, self.queries)


class Worlds(Store):
    """Worlds with a past, and the interactions that ask them."""

    def __init__(self, database: Any, url: str, runner: asyncio.Runner) -> None:
        super().__init__(database)
        self.runner = runner
        self.past: dict[int, list[Past]] = {}
        self.endpoint = Endpoint(
            base=BASE,
            registry=REGISTRY,
            reader=open_reader(url),
            database=database,
            clock=lambda: NOW,
            key=KEY,
            page_limit=1_000,
        )

    def written(self, seed: int) -> Served:
        super().written(seed)
        docs = world(seed)
        self.database.unit_of_work(lambda session: rewrite(session, docs, REGISTRY, seed))
        served = self.seen(seed, docs)
        rows = self.database.read(lambda session: rows_of(session, OLDER, ()))
        texts = [(stored, version, zlib.decompress(packed)) for stored, version, packed in rows]
        self.past[seed] = pasts(served.oracle, texts)
        return served

    def run(self, interaction: Any) -> Any:
        return self.runner.run(interaction)

    def answered(self, interaction: Any) -> dict[str, Any] | None:
        """The body of an answer, None where there is no such thing."""
        try:
            found: dict[str, Any] = orjson.loads(self.run(interaction).body)
        except NotFoundError:
            return None
        return found


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
)
def worlds(request: Any, tmp_path_factory: Any) -> Iterator[Worlds]:
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("granular")
        url = new_database(request.param, request, folder, stack)
        database = open_database(url)
        stack.callback(database.close)
        runner = stack.enter_context(asyncio.Runner())
        found = Worlds(database, url, runner)
        stack.callback(lambda: runner.run(found.endpoint.reader.close()))
        yield found


@st.composite
def cases(draw: Any, worlds: Worlds, kinds: tuple[str, ...] = TYPES) -> Case:
    seed = draw(st.integers(0, WORLDS - 1))
    served, kind = worlds.served(seed), draw(st.sampled_from(kinds))
    queries = [
        frozenset(served.questions.plain(draw, kind) for _ in range(draw(FEW)))
        for _ in range(draw(st.integers(1, 2)))
    ]
    granular = [str(Scope(SYSTEM, kind, frozenset("rs"), query)) for query in queries]
    try:
        require_grantable(granular, REGISTRY)
    except ValueSetError:
        assume(False)
    others = [f"system/{name}.rs" for name in REGISTRY.by_type if name not in {kind, "Location"}]
    plain = access_of(seed)
    access = replace(plain, scopes=Scopes(" ".join([*granular, *others])))
    return Case(kind, queries, access, plain, served, worlds.past[seed])


@st.composite
def asked(draw: Any, questions: Questions, kind: str) -> tuple[str, list[tuple[str, str]]]:
    """A search; most are of the type that is granted in part, or go through it."""
    plain = questions.plain(draw, kind)
    through = [
        (source, f"{reference}:{kind}.{plain[0]}")
        for source in questions.types
        for reference, target in questions.chains(source)
        if target == kind and source not in HIDDEN
    ] + [
        (target, f"_has:{kind}:{reference}:{plain[0]}")
        for target in questions.types
        for other, reference in questions.reverse(target)
        if other == kind and target not in HIDDEN
    ]
    how = draw(st.sampled_from(["all", "any", "own", "through", "through"]))
    if how == "all":
        return kind, []
    if how == "any" or (how == "through" and not through):
        found = draw(questions.search())
        assume(found[0] not in HIDDEN)  # what is not granted at all is refused before
        return found
    if how == "own":
        return kind, [questions.criterion(draw, kind, 1)]
    name, parameter = draw(st.sampled_from(through))
    return name, [(parameter, plain[1])]


def check(worlds: Worlds, examine: Any, share: int = 1) -> None:
    @settings(
        max_examples=CASES // share,
        deadline=None,
        derandomize=not NIGHTLY,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases(worlds), data=st.data())
    def run(case: Case, data: st.DataObject) -> None:
        examine(case, data)

    run()


def test_a_search_finds_what_it_would_if_there_were_nothing_else(worlds: Worlds):
    """In a world without what is not granted, chains and reverse chains lead nowhere else."""
    told = []

    def examine(case: Case, data: st.DataObject) -> None:
        left: World = granted(case.served.oracle, case.kind, case.queries)
        name, pairs = data.draw(asked(case.served.questions, case.kind))
        served = replace(case.served, rules=worlds.endpoint.rules(case.access))
        expected = left.find(name, pairs)
        told.append((len(expected), len(case.served.oracle.find(name, pairs))))
        for found in worlds.found(name, pairs, served):
            assert found == expected, (case.queries, name, pairs)

    check(worlds, examine)
    assert sum(bool(some) for some, _ in told) > len(told) // 10  # many questions are not idle
    assert sum(some < every for some, every in told) > len(told) // 40  # and are narrowed


def test_what_is_read_is_what_the_scope_grants(worlds: Worlds):
    told = []

    def examine(case: Case, data: st.DataObject) -> None:
        docs = [doc for doc in case.served.oracle.docs if doc.type == case.kind]
        for doc in data.draw(st.lists(st.sampled_from(docs), min_size=1, max_size=3)):
            args = worlds.endpoint, case.access, case.kind, doc.shown
            is_there = case.grants(doc)
            told.append(is_there)
            found = worlds.answered(read(*args))
            assert (found is not None) == is_there, (case.queries, doc)
            older = [past for past in case.past if past.doc.stored == doc.stored]
            shown = [past.version for past in older if is_there and case.grants(past.doc)]
            for past in older:
                found = worlds.answered(vread(*args, str(past.version)))
                assert (found is not None) == (past.version in shown)
            history = worlds.answered(history_instance(*args, pairs=[("_count", "1")]))
            assert (history is not None) == is_there
            if history is not None:
                links = {one["relation"] for one in history["link"]}
                assert ("next" in links) == bool(shown)

    check(worlds, examine)
    assert {True, False} <= set(told)


def test_a_history_has_the_versions_that_match_of_what_matches(worlds: Worlds):
    def examine(case: Case, _data: st.DataObject) -> None:
        mine = {doc.shown: doc for doc in case.served.oracle.docs if doc.type == case.kind}
        expected = {
            (past.doc.shown, str(past.version))
            for past in case.past
            if past.doc.shown in mine
            and case.grants(mine[past.doc.shown])
            and case.grants(past.doc)
        }
        expected |= {
            (doc.shown, doc.resource["meta"]["versionId"])
            for doc in mine.values()
            if case.grants(doc)
        }
        asked = [("_count", "1000")]
        body = worlds.run(history_type(worlds.endpoint, case.access, case.kind, asked)).body
        entries = [each["resource"] for each in orjson.loads(body).get("entry", ())]
        found = {(each["id"], each["meta"]["versionId"]) for each in entries}
        assert {pair for pair in found if pair[0] in mine} == expected, case.queries

    check(worlds, examine, share=5)


def test_what_is_brought_along_is_what_the_scope_grants(worlds: Worlds):
    def examine(case: Case, data: st.DataObject) -> None:
        questions: Questions = case.served.questions
        ways = [
            (source, "_include", f"{source}:{name}")
            for source in questions.types
            for name in questions.references(source)
            if source not in {case.kind, *HIDDEN} and case.kind in questions.targets(source, name)
        ] + [
            (target, "_revinclude", f"{case.kind}:{name}")
            for name in questions.references(case.kind)
            for target in questions.targets(case.kind, name)
            if target not in {case.kind, *HIDDEN}
        ]
        assume(bool(ways))
        source, how, what = data.draw(st.sampled_from(ways))
        pairs = [("_count", "1000"), (how, what)]
        known = {(doc.type, doc.shown): doc for doc in case.served.oracle.docs}
        every, some = (
            {(one["resourceType"], one["id"]) for one in brought(worlds, access, source, pairs)}
            for access in (case.plain, case.access)
        )
        assert some & set(known) == {
            place for place in every & set(known) if case.grants(known[place])
        }, (case.queries, pairs)

    check(worlds, examine, share=2)


def brought(
    worlds: Worlds, access: Access, name: str, pairs: list[tuple[str, str]]
) -> list[dict[str, Any]]:
    body = worlds.run(search_type(worlds.endpoint, access, name, pairs)).body
    return [each["resource"] for each in orjson.loads(body).get("entry", ())]
