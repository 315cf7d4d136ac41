"""An older database finds its documents again after `alongside migrate`."""

import pytest
from sqlmodel import Session

from fhir_mappings.registry import build_registry
from service.database import Database
from service.fhir.index_tables import INDEX_TABLES
from service.fhir.reindex import reindex
from service.fhir.search_index import REVISION
from tests import world

REGISTRY = build_registry()
BASE = "http://here/fhir"
NUMBERED = "SELECT id, version, indexed, date_low, date_high FROM documents ORDER BY id"


def rows(database: Database, sql: str) -> list[tuple[object, ...]]:
    def work(session: Session) -> list[tuple[object, ...]]:
        return sorted(tuple(row) for row in session.connection().exec_driver_sql(sql))

    return database.read(work)


def index_rows(database: Database) -> list[list[tuple[object, ...]]]:
    return [rows(database, f"SELECT * FROM document_{table}") for table in INDEX_TABLES]


def forget(database: Database) -> None:
    """Leave what 0004 leaves of an older database: other tokens, and nothing else."""

    def work(session: Session) -> None:
        connection = session.connection()
        for table in INDEX_TABLES:
            connection.exec_driver_sql(f"DELETE FROM document_{table}")
        connection.exec_driver_sql(
            "INSERT INTO document_tokens (document, param, system, code, audience, type)"
            " SELECT number, 'old', '', 'x', audience, type FROM documents WHERE audience >= 0"
        )
        connection.exec_driver_sql("UPDATE documents SET indexed = 0, date_low = 1, date_high = 1")

    database.unit_of_work(work)


@pytest.fixture
def filled(database: Database) -> Database:
    hospital = world.hospital(database)
    group = world.group(database)
    for _ in range(3):
        person = world.linked(database, hospital)
        world.enroll(database, person, group)
        world.respond(database, person)
    return database


def test_index_rows_are_made_anew_and_no_version_comes_to_be(filled, monkeypatch):
    monkeypatch.setattr("service.fhir.reindex.BATCH", 7)
    before, index = rows(filled, NUMBERED), index_rows(filled)
    forget(filled)
    told: list[tuple[int, int]] = []
    done = reindex(filled, REGISTRY, base=BASE, progress=lambda *step: told.append(step))
    assert done == len(before)
    assert index_rows(filled) == index
    assert rows(filled, NUMBERED) == before
    assert told[0] == (7, done)
    assert told[-1] == (done, done)
    assert reindex(filled, REGISTRY, base=BASE) == 0


def test_what_was_stopped_goes_on(filled, monkeypatch):
    monkeypatch.setattr("service.fhir.reindex.BATCH", 5)
    index = index_rows(filled)
    forget(filled)

    def stop(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reindex(filled, REGISTRY, base=BASE, progress=stop)
    indexed = [row[2] for row in rows(filled, NUMBERED)]
    assert indexed.count(REVISION) == 5
    assert reindex(filled, REGISTRY, base=BASE) == len(indexed) - 5
    assert index_rows(filled) == index
