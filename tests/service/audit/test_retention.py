"""Whole months are deleted with a sealed cut; what is deleted otherwise is found."""

import asyncio
from datetime import UTC, datetime
from itertools import count

import pytest
from sqlalchemy import text

from service.audit import AuditWriter, open_audit, prepare
from service.audit.partitions import Month, ensure, id_at, missing, partitions
from service.audit.retention import first_kept, has_older, prune
from service.audit.verification import verify
from service.engine import create_engine
from tests.service.audit.test_writers import entry, url  # noqa: F401 - a fixture

NOW = datetime(2027, 3, 14, tzinfo=UTC)
NUMBERS = count(1)


def rows(writer: AuditWriter, *months: int) -> None:
    """Two rows in each of these months of 2027; 0 is December before."""

    async def work() -> None:
        for number in months:
            month = Month(2027, 1).plus(number - 1)
            for second in (1, 2):
                at = month.begins.replace(day=5, second=second)
                prefix = id_at(at)[:12]
                await writer.write(
                    entry(number)._replace(request_id=f"{prefix}{next(NUMBERS):020x}", at=number)
                )

    asyncio.run(work())


@pytest.fixture
def engine(url: str):  # noqa: F811
    prepare(url, lambda: datetime(2026, 12, 1, tzinfo=UTC))
    opened = create_engine(url)
    yield opened
    opened.dispose()


def written(url: str, *months: int) -> None:  # noqa: F811
    writer = open_audit(url)
    rows(writer, *months)
    writer.close()


def test_the_rest_is_whole_after_months_were_deleted(url, engine):  # noqa: F811
    written(url, 0, 1, 2, 3)
    written(url, 0, 1)  # a writer of which nothing stays
    pruned = prune(engine, first_kept(NOW, 1), NOW)
    assert (str(pruned.before), pruned.rows, pruned.cuts) == ("2027-02", 6 + 2, 2)
    found = verify(url)
    assert (found.problems, found.rows, found.cuts) == ([], 4, 2)
    written(url, 3)
    again = prune(engine, first_kept(NOW, 0), NOW)
    assert again.rows == 2
    assert verify(url).problems == []
    assert not has_older(engine, first_kept(NOW, 0))
    assert prune(engine, first_kept(NOW, 0), NOW).rows == 0


def test_rows_that_were_not_committed_in_the_order_of_their_ids(url, engine):  # noqa: F811
    written(url, 1, 2, 1 + 12, 3, 0, 4)
    prune(engine, Month(2027, 3), NOW)
    found = verify(url)
    assert found.problems == []
    assert found.rows == 6


@pytest.mark.parametrize("where", ["request_id < '{}'", "request_id >= '{}'"])
def test_rows_deleted_without_a_cut_are_found(url, engine, where):  # noqa: F811
    written(url, 1, 2, 3)
    with engine.begin() as connection:
        condition = where.format(Month(2027, 2).first_id)
        connection.execute(text(f"DELETE FROM audit_entries WHERE {condition}"))
    assert verify(url).problems


def test_a_row_deleted_beside_a_cut_is_found(url, engine):  # noqa: F811
    written(url, 1, 2, 3)
    prune(engine, Month(2027, 2), NOW)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM audit_entries WHERE seq = 3"))
    assert any("row 3" in each for each in verify(url).problems)


def test_a_cut_that_was_changed_is_found(url, engine):  # noqa: F811
    written(url, 1, 2, 3)
    prune(engine, Month(2027, 2), NOW)
    with engine.begin() as connection:
        connection.execute(text("UPDATE audit_seals SET seq = 3 WHERE writer LIKE '-%'"))
    assert verify(url).problems


@pytest.mark.postgres
def test_months_have_their_partitions_before_they_begin(postgres_url):
    engine = create_engine(postgres_url)
    with engine.begin() as connection:
        assert len(missing(connection, NOW)) == 4
        assert [str(each) for each in ensure(connection, NOW)] == [
            "2027-03", "2027-04", "2027-05", "2027-06",
        ]  # fmt: skip
        assert missing(connection, NOW) == ensure(connection, NOW) == []
        assert "audit_entries_2027_03" in partitions(connection)
    engine.dispose()


@pytest.mark.postgres
def test_rows_that_came_before_their_partition_move_into_it(postgres_url):
    written(postgres_url, 3)
    engine = create_engine(postgres_url)
    counted = "SELECT count(*) FROM {}"
    with engine.begin() as connection:
        others = counted.format("audit_entries_others")
        assert connection.execute(text(others)).scalar_one() == 2
        ensure(connection, NOW)
        assert connection.execute(text(others)).scalar_one() == 0
        there = counted.format("audit_entries_2027_03")
        assert connection.execute(text(there)).scalar_one() == 2
    engine.dispose()
    assert verify(postgres_url).problems == []


@pytest.mark.postgres
def test_a_month_that_is_over_is_dropped_as_a_partition(postgres_url):
    engine = create_engine(postgres_url)
    with engine.begin() as connection:
        ensure(connection, NOW)
    written(postgres_url, 3, 4)
    prune(engine, Month(2027, 4), datetime(2027, 5, 1, tzinfo=UTC))
    with engine.begin() as connection:
        assert "audit_entries_2027_03" not in partitions(connection)
    engine.dispose()
    assert verify(postgres_url).problems == []
