"""Patients of the demo merged and parted again, as if nothing had been."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import combinations, islice
from pathlib import Path

import pytest
from sqlmodel import col, select

from service.database import Database
from service.errors import UnmergeableError
from service.models.merges import Merge
from service.models.patients import Patient
from tests.conftest import open_database
from tests.fresh import wrong_documents
from tests.service.merging.scene import merge, undo
from tests.stored import current

PAIRS = 4


@pytest.fixture
def demo(loaded: Database, tmp_path: Path) -> Iterator[Database]:
    """A copy of the demo that this test may change."""
    file = tmp_path / "demo.db"
    with (
        closing(sqlite3.connect(loaded.engine.url.database)) as origin,
        closing(sqlite3.connect(file)) as copy,
    ):
        origin.backup(copy)
    database = open_database(f"sqlite:///{file}")
    yield database
    database.close()


def merged(demo: Database) -> Iterator[Merge]:
    """Merge pairs of patients whom nothing keeps apart, none of them twice."""
    query = select(Patient).order_by(col(Patient.id))
    people, used = demo.read(lambda session: list(session.exec(query))), set()
    for source, target in combinations(people, 2):
        if used.isdisjoint({source.id, target.id}):
            try:
                row = merge(demo, source, target)
            except UnmergeableError:
                continue
            used |= {source.id, target.id}
            yield row


def test_the_demo_is_as_it_was_when_merges_are_undone(demo: Database) -> None:
    before = current(demo)
    done = list(islice(merged(demo), PAIRS))
    assert len(done) == PAIRS
    assert wrong_documents(demo) == []
    assert current(demo) != before
    for row in done:
        undo(demo, row)
    assert current(demo) == before
