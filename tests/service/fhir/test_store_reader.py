import asyncio
import sqlite3

import psycopg
import pytest

from service.errors import BusyError
from service.fhir import store_reader
from service.fhir.store_reader import PostgresqlReader, SqliteReader, open_reader
from service.models.patients import Patient

SLOW = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
    " SELECT count(*) FROM n"
)


def test_rows_are_read_by_position(database_url: str):
    async def work():
        reader = open_reader(database_url)
        rows = [
            await reader.rows("SELECT id FROM documents WHERE id = ? AND version > ?", ("x", 1))
        ]
        rows.append(await reader.rows("SELECT count(*) FROM documents", ()))
        await reader.close()
        return rows

    assert asyncio.run(work()) == [[], [(0,)]]


def test_a_slow_statement_is_begun_again_in_a_thread(sqlite_url: str):
    async def work():
        reader = SqliteReader(sqlite_url)
        rows = await reader.rows(SLOW, (2_000_000,))
        quick = await reader.rows("SELECT 1", ())
        await reader.close()
        return rows, quick

    assert asyncio.run(work()) == ([(2_000_000,)], [(1,)])


def test_a_search_without_end_is_given_up(sqlite_url: str, monkeypatch):
    monkeypatch.setattr(store_reader, "THREAD_SECONDS", 0.05)

    async def work():
        reader = SqliteReader(sqlite_url)
        try:
            await reader.rows(SLOW, (10**12,))
        finally:
            await reader.close()

    with pytest.raises(BusyError):
        asyncio.run(work())


def test_the_reader_cannot_write(sqlite_url: str):
    async def work():
        reader = SqliteReader(sqlite_url)
        try:
            await reader.rows("DELETE FROM events", ())
        finally:
            await reader.close()

    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        asyncio.run(work())


def test_sqlite_needs_no_horizon(sqlite_url: str):
    assert asyncio.run(SqliteReader(sqlite_url).horizon()) is None


@pytest.mark.postgres
def test_a_connection_that_broke_is_replaced(postgres_url: str):
    async def work():
        reader = PostgresqlReader(postgres_url)
        ((one,),) = await reader.rows("SELECT pg_backend_pid()", ())
        with psycopg.connect(postgres_url, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", (one,))
        ((two,),) = await reader.rows("SELECT pg_backend_pid()", ())
        await reader.close()
        return one, two

    one, two = asyncio.run(work())
    assert one != two


@pytest.mark.postgres
def test_a_search_without_end_is_given_up_there_too(postgres_url: str, monkeypatch):
    monkeypatch.setattr(store_reader, "THREAD_SECONDS", 1)

    async def work():
        reader = PostgresqlReader(postgres_url)
        try:
            await reader.rows("SELECT pg_sleep(30)", ())
        finally:
            await reader.close()

    with pytest.raises(BusyError):
        asyncio.run(work())


@pytest.mark.postgres
def test_the_horizon_waits_for_a_writer_that_may_still_commit(postgres_url, postgres_database):
    async def horizon() -> int:
        reader = PostgresqlReader(postgres_url)
        found = await reader.horizon()
        assert await reader.horizon() == found  # for 50 ms
        await reader.close()
        return found

    seen = []

    def work(session) -> None:
        session.add(Patient(family="F", given="G"))
        session.flush()
        seen.append(asyncio.run(horizon()))
        seen.append(asyncio.run(horizon()))

    before = asyncio.run(horizon())
    postgres_database.unit_of_work(work)
    after = asyncio.run(horizon())
    assert before < seen[0] == seen[1] < after
