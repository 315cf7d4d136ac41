"""Audit rows: committed before anyone is told, together where they come together."""

import asyncio
import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import text

from service.audit import AuditEntry, SqliteAudit, open_audit, prepare
from service.engine import create_engine
from service.errors import BusyError


def entry(number: int) -> AuditEntry:
    return AuditEntry(
        request_id=f"{number:032x}",
        at=number,
        client="hospital-a",
        audience=2,
        address="192.0.2.1",
        method="GET",
        path="/fhir/Patient",
        query="_count=2",
        status=200,
        patients='["00"]',
    )


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request, tmp_path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'a-audit.db'}"
    found: str = request.getfixturevalue("postgres_url")
    return found


@pytest.fixture
def writer(url):
    opened = open_audit(url)
    yield opened
    opened.close()


def rows(url: str) -> list[tuple[object, ...]]:
    engine = create_engine(url)
    with engine.connect() as connection:
        found = connection.execute(text("SELECT * FROM audit_entries ORDER BY at")).fetchall()
    engine.dispose()
    return [tuple(row)[: len(AuditEntry._fields)] for row in found]


def test_a_row_is_there_when_write_returns(url, writer):
    async def work():
        await writer.write(entry(1))
        return rows(url)

    assert asyncio.run(work()) == [tuple(entry(1))]


def test_rows_that_come_together_are_all_kept(url, writer):
    async def work():
        await asyncio.gather(*(writer.write(entry(number)) for number in range(100)))

    asyncio.run(work())
    assert rows(url) == [tuple(entry(number)) for number in range(100)]


def test_a_row_of_a_command_is_kept(url, writer):
    writer.write_now(entry(7))
    assert rows(url) == [tuple(entry(7))]


def test_event_loops_of_several_threads_share_a_writer(url, writer):
    def loop(first: int) -> None:
        async def work():
            for number in range(first, first + 20):
                await writer.write(entry(number))

        asyncio.run(work())

    threads = [threading.Thread(target=loop, args=(100 * n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(rows(url)) == 80


def test_a_row_that_cannot_be_written_is_an_error_and_the_next_one_is_written(url, writer):
    async def work():
        await writer.write(entry(1))
        with pytest.raises(BusyError):
            await writer.write(entry(1))
        await writer.write(entry(2))

    asyncio.run(work())
    with pytest.raises(BusyError):
        writer.write_now(entry(1))
    writer.write_now(entry(3))
    assert rows(url) == [tuple(entry(1)), tuple(entry(2)), tuple(entry(3))]


def test_of_rows_that_share_a_commit_none_is_kept_if_one_cannot_be(tmp_path):
    url = f"sqlite:///{tmp_path / 'e-audit.db'}"
    writer = open_audit(url)
    writer.write_now(entry(1))

    async def work():
        both = writer.write(entry(1)), writer.write(entry(2))
        return await asyncio.gather(*both, return_exceptions=True)

    assert [type(each) for each in asyncio.run(work())] == [BusyError, BusyError]
    writer.close()
    assert rows(url) == [tuple(entry(1))]


def test_a_caller_who_went_away_does_not_disturb_the_others(url, writer):
    async def work():
        gone = asyncio.ensure_future(writer.write(entry(1)))
        stays = asyncio.ensure_future(writer.write(entry(2)))
        await asyncio.sleep(0)
        gone.cancel()
        await stays

    asyncio.run(work())
    assert tuple(entry(2)) in rows(url)


def test_a_disk_that_refuses_is_a_busy_error(tmp_path):
    path = tmp_path / "b-audit.db"
    writer = SqliteAudit(str(path))
    writer.close()
    with pytest.raises(BusyError):
        asyncio.run(writer.write(entry(1)))


def test_preparing_twice_keeps_the_rows(tmp_path):
    url = f"sqlite:///{tmp_path / 'c-audit.db'}"
    prepare(url)
    writer = open_audit(url)
    writer.write_now(entry(1))
    writer.close()
    prepare(url)
    assert len(rows(url)) == 1


def test_the_sqlite_file_lets_readers_in_while_it_is_written(tmp_path):
    path = tmp_path / "d-audit.db"
    writer = SqliteAudit(str(path))
    with sqlite3.connect(path) as reader:
        assert reader.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    reader.close()
    writer.close()
    assert Path(path).exists()


@pytest.mark.postgres
def test_a_restarted_server_is_connected_to_again(postgres_url):
    writer = open_audit(postgres_url)
    writer.write_now(entry(1))
    engine = create_engine(postgres_url)
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = :name"
    with engine.connect() as connection:
        connection.execute(text(end), {"name": "alongside-audit"})
    engine.dispose()
    writer.write_now(entry(2))
    writer.close()
    assert len(rows(postgres_url)) == 2
