"""Chains and seals: what was changed, taken out or put in is found, and nothing else."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from service.audit import AuditWriter, open_audit
from service.audit.verification import Verified, verify
from service.engine import create_engine
from service.errors import BusyError
from tests.service.audit.test_writers import entry, url  # noqa: F401 - a fixture

AT = datetime(2026, 11, 27, tzinfo=UTC)


@pytest.fixture
def writer(url: str) -> Iterator[AuditWriter]:  # noqa: F811
    opened = open_audit(url, lambda: AT)
    yield opened
    opened.close()


def write(writer: AuditWriter, *numbers: int) -> None:
    async def work() -> None:
        await asyncio.gather(*(writer.write(entry(number)) for number in numbers))

    asyncio.run(work())


def change(url: str, statement: str, **values: object) -> None:  # noqa: F811
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(statement), values)
    engine.dispose()


def test_nothing_is_found_where_nothing_was_done(url, writer):  # noqa: F811
    write(writer, *range(20))
    writer.seal()
    write(writer, *range(20, 30))
    other = open_audit(url)
    write(other, 40, 41)
    other.close()
    writer.write_now(entry(50))
    found = verify(url)
    assert found.problems == []
    assert (found.rows, found.unchained) == (33, 0)
    assert found.seals >= 3
    assert found.writers >= 2


def test_an_empty_audit_is_whole(url):  # noqa: F811
    open_audit(url).close()
    assert verify(url) == Verified()


COLUMNS = {
    "at": 99, "client": "another", "audience": 9, "address": "198.51.100.7", "method": "POST",
    "path": "/fhir/Group", "query": None, "status": 403, "patients": None, "caller_id": "x",
}  # fmt: skip


@pytest.mark.parametrize("column", COLUMNS)
def test_a_changed_row_is_found(url, writer, column):  # noqa: F811
    write(writer, 1, 2, 3)
    where = {"value": COLUMNS[column], "id": entry(2).request_id}
    change(url, f"UPDATE audit_entries SET {column} = :value WHERE request_id = :id", **where)
    (problem,) = verify(url).problems
    assert entry(2).request_id in problem
    assert "was changed" in problem


def test_one_flipped_bit_of_a_hash_is_found(url, writer):  # noqa: F811
    write(writer, 1, 2, 3)
    writer.seal()
    engine = create_engine(url)
    with engine.connect() as connection:
        kept = connection.execute(text("SELECT hash FROM audit_entries WHERE seq = 2")).scalar_one()
    engine.dispose()
    flipped = bytes([bytes(kept)[0] ^ 1]) + bytes(kept)[1:]
    change(url, "UPDATE audit_entries SET hash = :hash WHERE seq = 2", hash=flipped)
    assert len(verify(url).problems) == 2  # its own row, and the one after it


@pytest.mark.parametrize("seq", [1, 2])
def test_a_row_taken_out_is_found(url, writer, seq):  # noqa: F811
    write(writer, 1, 2, 3)
    change(url, "DELETE FROM audit_entries WHERE seq = :seq", seq=seq)
    assert any(f"row {seq}" in each and "missing" in each for each in verify(url).problems)


def test_rows_cut_off_the_end_are_missed_by_their_seal(url, writer):  # noqa: F811
    write(writer, 1, 2, 3)
    writer.seal()
    change(url, "DELETE FROM audit_entries WHERE seq = 3")
    (problem,) = verify(url).problems
    assert problem.startswith("row 3 of writer")
    assert "gone or changed" in problem


def test_a_whole_writer_taken_out_is_missed_by_its_seals(url, writer):  # noqa: F811
    write(writer, 1, 2)
    writer.seal()
    change(url, "DELETE FROM audit_entries")
    assert len(verify(url).problems) == 1


def test_a_row_put_in_is_found(url, writer):  # noqa: F811
    write(writer, 1, 2)
    change(
        url,
        "INSERT INTO audit_entries (request_id, at, method, path, status, writer, seq, hash)"
        " SELECT 'made-up', at, method, path, status, writer, 3, hash FROM audit_entries"
        " WHERE seq = 2",
    )
    (problem,) = verify(url).problems
    assert "made-up" in problem


def test_a_row_put_in_beside_the_chains_is_found(url, writer):  # noqa: F811
    write(writer, 1)
    change(
        url,
        "INSERT INTO audit_entries (request_id, at, method, path, status)"
        " SELECT 'made-up', at + 1, method, path, status FROM audit_entries",
    )
    (problem,) = verify(url).problems
    assert "made-up" in problem


def test_a_chain_put_in_is_missed_by_every_seal(url):  # noqa: F811
    other = open_audit(url, lambda: AT)
    write(other, 1, 2)
    assert (verify(url).unsealed, verify(url).problems) == (2, [])  # it may have been killed
    change(url, "UPDATE audit_entries SET at = at + 3600000000 WHERE seq = 2")
    assert [each for each in verify(url).problems if "no seal" in each]
    other.close()


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM audit_seals WHERE number = 1",
        "UPDATE audit_seals SET at = 5 WHERE number = 1",
    ],
)
def test_a_seal_taken_out_or_changed_is_found(url, writer, statement):  # noqa: F811
    for number in range(3):
        write(writer, number)
        writer.seal()
    change(url, statement)
    assert any(each.startswith("seal ") for each in verify(url).problems)


def test_rows_from_before_there_were_chains_are_counted(url, writer):  # noqa: F811
    write(writer, 1)
    change(
        url,
        "INSERT INTO audit_entries (request_id, at, method, path, status)"
        " VALUES ('old', 0, 'GET', '/fhir', 200)",
    )
    found = verify(url)
    assert (found.unchained, found.problems) == (1, [])


def test_after_a_row_that_could_not_be_written_the_chain_is_whole(url, writer):  # noqa: F811
    async def work() -> None:
        await writer.write(entry(1))
        with pytest.raises(BusyError):
            await writer.write(entry(1))
        await writer.write(entry(2))

    asyncio.run(work())
    writer.seal()
    found = verify(url)
    assert (found.rows, found.problems) == (2, [])


def test_sealing_again_without_new_rows_does_nothing(url, writer):  # noqa: F811
    write(writer, 1)
    for _ in range(3):
        writer.seal()
    assert verify(url).seals == 1
