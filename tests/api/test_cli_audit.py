"""`alongside audit verify`, and the sealing that goes on while the service runs."""

import asyncio
import sqlite3

from api.sealing import sealing
from service.audit import SqliteAudit
from service.audit.verification import verify
from tests.api.test_cli import folder, installed, run  # noqa: F401 - fixtures
from tests.service.audit.test_writers import entry


def test_verify_says_that_nothing_was_changed(installed):  # noqa: F811
    installed("connections", "add", "Harbor", "--mrn-system", "urn:mrn:harbor")
    code, said, _ = installed("audit", "verify")
    assert code == 0
    assert said == (
        "1 rows of 1 writers and 1 seals were checked: nothing was changed, taken out or put in.\n"
    )
    assert installed("audit", "verify", "--quiet")[1] == ""


def test_verify_names_the_row_that_was_changed(installed, folder):  # noqa: F811
    installed("connections", "add", "Harbor", "--mrn-system", "urn:mrn:harbor")
    with sqlite3.connect(folder / "cli-audit.db") as connection:
        connection.execute("UPDATE audit_entries SET client = 'somebody'")
    connection.close()
    code, said, _ = installed("audit", "verify")
    assert code == 1
    assert said.startswith("WRONG  row 1 of writer ")
    assert "Keep a copy" in said


def test_rows_are_sealed_while_the_service_runs(tmp_path):
    writer = SqliteAudit(str(tmp_path / "sealed.db"))
    asyncio.run(for_a_while(writer, 0.01, writer.write(entry(1))))
    assert verify(f"sqlite:///{tmp_path / 'sealed.db'}").seals == 1
    writer.close()


async def for_a_while(writer, seconds: float, first) -> None:
    """Let it seal for a hundred times of its seconds, after `first`."""
    await first
    async with sealing(writer, seconds):
        await asyncio.sleep(seconds * 100)


def test_a_minute_that_fails_is_logged_and_the_next_one_comes(caplog):
    class Failing:
        asked = 0

        def seal(self) -> None:
            self.asked += 1
            raise OSError("no space left")

    writer = Failing()
    asyncio.run(for_a_while(writer, 0.005, asyncio.sleep(0)))
    assert writer.asked > 1
    assert "were not sealed" in caplog.text
