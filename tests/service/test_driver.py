"""Statements by the driver itself: their values, their errors, their transactions."""

from datetime import UTC
from uuid import UUID

import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlmodel import Session, select

from service.database import Database
from service.driver import columns, fetched
from service.guard import insert
from service.models.screening import Response
from tests import world


def test_rows_are_read_as_sqlalchemy_reads_them(database: Database) -> None:
    row = world.respond(database, world.patient(database)).response

    def work(session: Session) -> tuple[dict[str, object], Response]:
        (found,) = columns(session, Response, [row.id])
        return found, session.exec(select(Response)).one()

    found, expected = database.read(work)
    assert found == {name: getattr(expected, name) for name in Response.model_fields}
    assert isinstance(found["id"], UUID)
    assert expected.authored.tzinfo is UTC


def test_an_error_is_sqlalchemys_and_tells_no_value(database: Database) -> None:
    with pytest.raises(DBAPIError) as raised:
        database.read(
            lambda session: fetched(session, "SELECT nothing FROM x WHERE y = ?", ("Zz",))
        )
    assert "Zz" not in str(raised.value)


def test_a_second_row_with_the_same_key_is_an_integrity_error(database: Database) -> None:
    person = world.patient(database)
    with pytest.raises(IntegrityError) as raised:
        database.unit_of_work(lambda session: insert(session, person))
    assert person.family not in str(raised.value.statement)
    assert raised.value.params is None


def test_statements_stay_prepared_after_a_read(postgres_database: Database) -> None:
    def count(session: Session) -> int:
        fetched(session, "SELECT 1 FROM patients WHERE id = ?", (UUID(int=0).hex,))
        return len(fetched(session, "SELECT 1 FROM pg_prepared_statements"))

    for _ in range(3):
        postgres_database.read(count)
    assert postgres_database.read(count) > 0
