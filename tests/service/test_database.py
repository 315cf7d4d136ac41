"""The unit of work: one commit, all or nothing, versions and events as promised."""

import sqlite3
from datetime import UTC, datetime, timedelta
from threading import Event as Signal
from threading import Thread

import pytest
from sqlalchemy import text
from sqlmodel import Session

from service import database as database_module
from service.database import Database
from service.errors import BusyError, OccupiedError
from service.models.aggregates import Aggregate
from service.models.patients import Patient
from tests import world
from tests.conftest import open_database
from tests.fresh import wrong_documents


def documents(database: Database, person: Patient) -> list[tuple[int, str, int]]:
    with database.engine.connect() as connection:
        rows = connection.execute(
            text("SELECT audience, type, version FROM documents WHERE patient_key = :key"),
            {"key": person.id.hex},
        )
        return sorted((row.audience, row.type, row.version) for row in rows)


def test_what_fails_leaves_nothing(database: Database) -> None:
    def work(session: Session) -> None:
        session.add(Patient(family="Half", given="Written"))
        session.flush()
        raise RuntimeError

    with pytest.raises(RuntimeError):
        database.unit_of_work(work)
    with database.engine.connect() as connection:
        for table in ("patients", "documents", "events"):
            count = connection.execute(text(f"SELECT count(*) FROM {table}")).scalar()
            assert count == 0, table


def test_a_row_and_its_document_come_together(database: Database) -> None:
    person = world.patient(database)
    assert documents(database, person) == [(1, "Patient", 1)]
    assert not wrong_documents(database)


def test_a_change_is_one_version_and_one_event(database: Database) -> None:
    person = world.patient(database)

    def rename(session: Session) -> None:
        row = session.get(Patient, person.id)
        assert row
        for name in ("B", "C", "D"):
            row.family = name
            session.flush()

    database.unit_of_work(rename)
    assert documents(database, person) == [(1, "Patient", 2)]
    with database.engine.connect() as connection:
        events = connection.execute(text("SELECT version, kind FROM events ORDER BY number"))
        assert [tuple(row) for row in events] == [(1, "create"), (2, "update")]


def test_a_change_that_says_the_same_is_no_version(database: Database) -> None:
    person = world.patient(database)

    def touch(session: Session) -> None:
        row = session.get(Patient, person.id)
        assert row
        row.family, old = "Other", row.family
        session.flush()
        row.family = old

    database.unit_of_work(touch)
    assert documents(database, person) == [(1, "Patient", 1)]


def test_last_updated_never_goes_back(sqlite_url: str) -> None:
    times = iter(datetime(2026, 1, 1, tzinfo=UTC) - timedelta(hours=n) for n in range(1000))
    database = open_database(sqlite_url, lambda: next(times))
    person = database.unit_of_work(_add)

    def rename(session: Session) -> None:
        row = session.get(Patient, person.id)
        assert row
        row.family += "x"

    stamps = []
    for _ in range(3):
        database.unit_of_work(rename)
        with database.engine.connect() as connection:
            stamps.append(connection.execute(text("SELECT last_updated FROM documents")).scalar())
    assert stamps == sorted(set(stamps))
    database.close()


def _add(session: Session) -> Patient:
    row = Patient(family="A", given="B")
    session.add(row)
    return row


def test_a_lock_that_is_not_to_be_had_is_busy(
    postgres_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody holds the aggregate for good: the call ends with a clear error."""
    monkeypatch.setattr(database_module, "ATTEMPTS", 2)
    monkeypatch.setattr(database_module, "LOCK_WAIT", "100ms")
    held, free = Signal(), Signal()
    aggregate = Aggregate("group", "x")

    def hold(_session: Session) -> None:
        held.set()
        free.wait(20)

    holder = Thread(target=postgres_database.unit_of_work, args=(hold, aggregate))
    holder.start()
    held.wait(10)
    try:
        with pytest.raises(BusyError):
            postgres_database.unit_of_work(_add, aggregate)
    finally:
        free.set()
        holder.join()


def test_a_change_that_takes_too_long_is_not_kept(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "WRITE_SECONDS", -1.0)
    with pytest.raises(BusyError):
        database.unit_of_work(_add)
    with database.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM patients")).scalar() == 0


def test_what_must_not_wait_is_refused_while_this_process_writes(sqlite_database: Database) -> None:
    def inner(session: Session) -> None:
        session.add(Patient(family="In", given="Between"))

    def outer(_session: Session) -> None:
        with sqlite_database.at_once(), pytest.raises(OccupiedError):
            sqlite_database.unit_of_work(inner)

    sqlite_database.unit_of_work(outer)


def test_what_must_not_wait_is_refused_while_another_program_writes(
    sqlite_database: Database,
) -> None:
    file = sqlite_database.engine.url.database
    assert file
    with sqlite3.connect(file, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with sqlite_database.at_once(), pytest.raises(OccupiedError):
            sqlite_database.unit_of_work(lambda session: session.execute(text("SELECT 1")))
        other.execute("ROLLBACK")
    other.close()
    with sqlite_database.at_once():
        assert sqlite_database.unit_of_work(lambda _: "done") == "done"


def test_what_is_written_at_once_has_its_documents(sqlite_database: Database) -> None:
    with sqlite_database.at_once():
        person = world.patient(sqlite_database)
    assert documents(sqlite_database, person) == [(1, "Patient", 1)]
    assert not wrong_documents(sqlite_database)


def test_a_unit_of_work_within_another_is_an_error_and_no_deadlock(database):
    def work(_session):
        database.unit_of_work(lambda _inner: None)

    with pytest.raises(RuntimeError, match="within another"):
        database.unit_of_work(work)
    assert database.unit_of_work(lambda _session: 7) == 7
