"""A unit of work that nobody else writes beside: long, in pieces, and still all or nothing."""

from collections.abc import Callable
from threading import Event as Signal
from threading import Thread

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from service import database as database_module
from service.database import Database
from service.errors import BusyError, ProjectionError
from service.guard import savepoint
from service.models.connections import Connection
from service.models.patients import Patient
from tests.fresh import wrong_documents


def count(database: Database, table: str) -> int:
    with database.engine.connect() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar() or 0)


def person(name: str) -> Patient:
    return Patient(family=name, given="Given")


def names(database: Database) -> list[str]:
    return database.read(lambda session: sorted(session.exec(select(Patient.family))))


def in_pieces(session: Session, settle: Callable[[], None]) -> None:
    for number in range(6):
        session.add(person(f"P{number}"))
        if number % 2:
            settle()
            assert not list(session)


def test_what_is_done_in_pieces_is_committed_once_with_its_documents(database: Database) -> None:
    database.unit_of_work_alone(in_pieces)
    assert len(names(database)) == count(database, "documents") == 6
    assert not wrong_documents(database)
    with database.engine.connect() as connection:
        moments = connection.execute(text("SELECT DISTINCT last_updated FROM documents")).all()
    assert len(moments) == 1


def test_what_fails_after_a_piece_leaves_nothing(database: Database) -> None:
    def work(session: Session, settle: Callable[[], None]) -> None:
        in_pieces(session, settle)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        database.unit_of_work_alone(work)
    assert (names(database), count(database, "documents"), count(database, "events")) == ([], 0, 0)


def test_what_is_not_to_be_kept_is_undone_and_makes_no_documents(database: Database) -> None:
    def work(session: Session, settle: Callable[[], None]) -> int:
        in_pieces(session, settle)
        made = session.connection().execute(text("SELECT count(*) FROM documents")).scalar()
        assert made == 0
        return len(session.exec(select(Patient.id)).all())

    assert database.unit_of_work_alone(work, keep=False) == 6
    assert names(database) == []


def test_it_may_take_longer_than_a_change_may(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "WRITE_SECONDS", -1.0)
    database.unit_of_work_alone(in_pieces)
    assert len(names(database)) == 6


def held(hold: Callable[[Signal, Signal], None]) -> tuple[Thread, Signal]:
    """Start what holds the database, and return when it does."""
    holding, free = Signal(), Signal()
    holder = Thread(target=hold, args=(holding, free))
    holder.start()
    assert holding.wait(10)
    return holder, free


def test_others_are_told_to_come_back_and_go_on_reading(
    postgres_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "ATTEMPTS", 2)
    monkeypatch.setattr(database_module, "LOCK_WAIT", "100ms")

    def hold(holding: Signal, free: Signal) -> None:
        def work(session: Session, settle: Callable[[], None]) -> None:
            in_pieces(session, settle)
            holding.set()
            free.wait(20)

        postgres_database.unit_of_work_alone(work)

    holder, free = held(hold)
    try:
        with pytest.raises(BusyError):
            postgres_database.unit_of_work(lambda session: session.add(person("Other")))
        assert names(postgres_database) == []
    finally:
        free.set()
        holder.join()
    postgres_database.unit_of_work(lambda session: session.add(person("Other")))
    assert len(names(postgres_database)) == 7


def test_it_waits_for_what_has_begun_and_gives_up_in_time(
    postgres_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "ALONE_WAIT", "100ms")

    def hold(holding: Signal, free: Signal) -> None:
        def work(session: Session) -> None:
            session.add(person("First"))
            holding.set()
            free.wait(20)

        postgres_database.unit_of_work(work)

    holder, free = held(hold)
    try:
        with pytest.raises(BusyError):
            postgres_database.unit_of_work_alone(in_pieces)
        postgres_database.unit_of_work(lambda session: session.add(person("Beside it")))
    finally:
        free.set()
        holder.join()
    postgres_database.unit_of_work_alone(in_pieces)
    assert len(names(postgres_database)) == 8


def test_another_fault_of_the_database_is_no_reason_to_come_back(database: Database) -> None:
    def work(session: Session, _settle: Callable[[], None]) -> None:
        session.execute(text("SELECT * FROM nothing_of_this_name"))

    with pytest.raises(Exception, match="nothing_of_this_name"):
        database.unit_of_work_alone(work)


def test_what_a_savepoint_undid_was_never_there(database: Database) -> None:
    def connection(number: int) -> Connection:
        return Connection(name="A", number=number, mrn_system="urn:mrn")

    def fail(session: Session) -> None:
        with savepoint(session):
            session.add(person("Undone"))
            session.flush()
            session.add(connection(3))
            session.flush()

    def work(session: Session, settle: Callable[[], None]) -> None:
        session.add(person("Before"))
        session.add(connection(2))
        with pytest.raises(IntegrityError):
            fail(session)
        with pytest.raises(ProjectionError):
            session.execute(text("DELETE FROM patients"))
        with savepoint(session):
            session.add(person("Kept"))
        settle()

    database.unit_of_work_alone(work)
    assert names(database) == ["Before", "Kept"]
    assert count(database, "documents") == 2
    assert not wrong_documents(database)
