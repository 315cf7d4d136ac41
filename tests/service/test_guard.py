"""A write to a projected table by any path round the unit of work is refused."""

import sqlite3
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import insert, text, update
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, col, delete

from service.database import Database
from service.errors import ProjectionError
from service.guard import insert as insert_row
from service.models.base import projected_tables
from service.models.connections import AccessToken
from service.models.patients import Patient
from tests import world
from tests.fresh import wrong_documents

ROW = {"family": "A", "given": "B", "gender": "unknown", "extensions": []}
STATEMENTS = (
    update(Patient).values(family="X"),
    update(Patient.__table__).values(family="X"),  # type: ignore[attr-defined]
    delete(Patient).where(col(Patient.family) == "A"),
    insert(Patient).values(**ROW),
    text("UPDATE patients SET family = 'X'"),
    text("INSERT INTO patients (id) VALUES ('x')"),
    text("WITH gone AS (SELECT 1) DELETE FROM patients"),
)


def test_every_table_that_documents_are_made_from_is_guarded() -> None:
    assert projected_tables() == {
        "alerts", "attendances", "connections", "consents", "enrollment_status_changes",
        "enrollments", "facilitators", "facilities", "instruments", "links", "patients", "places",
        "programme", "responses", "restrictions", "sent_patients", "sessions", "support_groups",
    }  # fmt: skip


def test_a_flush_outside_a_unit_of_work_is_refused(database: Database) -> None:
    with Session(database.engine) as session:
        session.add(Patient(**ROW))
        with pytest.raises(ProjectionError):
            session.flush()


def test_a_change_of_a_row_that_was_read_is_refused(database: Database) -> None:
    person = world.patient(database)
    with Session(database.engine) as session:
        row = session.get(Patient, person.id)
        assert row
        row.family = "X"
        with pytest.raises(ProjectionError):
            session.commit()
    assert database.read(lambda session: session.get(Patient, person.id)).family == person.family  # type: ignore[union-attr]


@pytest.mark.parametrize("number", range(len(STATEMENTS)))
def test_a_statement_outside_a_unit_of_work_is_refused(database: Database, number: int) -> None:
    with Session(database.engine) as session, pytest.raises(ProjectionError):
        session.execute(STATEMENTS[number])
    with database.engine.connect() as connection, pytest.raises(ProjectionError):
        connection.execute(STATEMENTS[number])


@pytest.mark.parametrize("number", range(len(STATEMENTS)))
def test_a_statement_inside_a_unit_of_work_is_refused(database: Database, number: int) -> None:
    """A flush tells what was touched; a statement of its own would pass the projection by."""
    with pytest.raises(ProjectionError):
        database.unit_of_work(lambda session: session.execute(STATEMENTS[number]))


def test_bulk_methods_are_refused(database: Database) -> None:
    for work in (
        lambda session: session.bulk_save_objects([Patient(**ROW)]),
        lambda session: session.bulk_insert_mappings(Patient, [ROW]),
        lambda session: session.execute(insert(Patient), [ROW]),
    ):
        with pytest.raises(ProjectionError):
            database.unit_of_work(work)
        with Session(database.engine) as session, pytest.raises(ProjectionError):
            work(session)


def test_the_driver_below_is_refused(database: Database) -> None:
    world.patient(database)
    raw = database.engine.raw_connection()
    cursor = raw.cursor()
    with pytest.raises((sqlite3.IntegrityError, psycopg.errors.InsufficientPrivilege)):
        cursor.execute("UPDATE patients SET family = 'X'")
    raw.rollback()
    raw.close()


def test_another_program_is_refused_on_sqlite(sqlite_database: Database) -> None:
    other = sqlite3.connect(sqlite_database.engine.url.database or "")
    with pytest.raises(sqlite3.OperationalError, match="alongside_unit_of_work"):
        other.execute("DELETE FROM patients")
    other.close()


def test_another_program_is_refused_on_postgresql(
    postgres_database: Database, postgres_url: str
) -> None:
    assert postgres_database
    with psycopg.connect(postgres_url) as other:
        for statement in ("DELETE FROM patients", "TRUNCATE patients CASCADE"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                other.execute(statement)
            other.rollback()


def test_the_refusal_ends_with_the_unit_of_work(database: Database) -> None:
    world.patient(database)
    with (
        database.engine.connect() as connection,
        pytest.raises((ProjectionError, DBAPIError)),
    ):
        connection.exec_driver_sql("UPDATE patients SET family = 'X'")


def test_a_row_inserted_at_once_has_its_documents(database: Database) -> None:
    row = Patient(family="A", given="B")
    database.unit_of_work(lambda session: insert_row(session, row))
    assert not wrong_documents(database)
    kept = database.read(lambda session: session.get(Patient, row.id))
    assert kept is not None
    assert (kept.family, kept.extensions, kept.created_at) == ("A", [], row.created_at)


def test_a_row_inserted_outside_a_unit_of_work_is_refused(database: Database) -> None:
    with Session(database.engine) as session, pytest.raises(ProjectionError):
        insert_row(session, Patient(family="A", given="B"))


def test_what_only_reads_cannot_change_a_row(database: Database) -> None:
    def work(session: Session) -> None:
        session.add(AccessToken(token_hash="x", client_id=uuid4(), scope="", issued_at=0,
                                expires_at=0))  # fmt: skip
        session.flush()

    with pytest.raises(ProjectionError):
        database.read(work)
