"""`alongside audit verify`, and the sealing that goes on while the service runs."""

import asyncio
import socket
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
        "1 rows of 1 writers and 1 seals were checked. Nothing was changed, taken out or put in.\n"
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


def test_rows_are_shown_opened_and_looking_leaves_a_row(installed):  # noqa: F811
    installed("connections", "add", "Harbor", "--mrn-system", "urn:mrn:harbor")
    code, said, _ = installed("audit", "show")
    assert code == 0
    assert said.endswith("200 Harbor CLI connections/add\n")
    assert "CLI audit/show" in installed("audit", "show")[1]
    assert installed("audit", "show", "--patient", "nobody")[0] == 2
    assert installed("audit", "show", "--since", "2999-01-01")[1] == ""


def test_months_are_pruned_as_the_option_says(installed, folder):  # noqa: F811
    installed("connections", "add", "Harbor", "--mrn-system", "urn:mrn:harbor")
    assert installed("audit", "prune")[0] == 1
    assert installed("audit", "prune", "--months", "1")[1] == "No row is older than that.\n"
    with sqlite3.connect(folder / "cli-audit.db") as connection:
        connection.execute("UPDATE audit_entries SET request_id = '0' || substr(request_id, 2)")
        connection.execute("UPDATE audit_entries SET request_id = '00' || substr(request_id, 3)")
    connection.close()
    assert "1 rows from before" in installed("audit", "prune", "--months", "1")[1]
    code, said, _ = installed("audit", "verify")
    assert (code, "1 runs of old rows" in said) == (0, True)


def test_an_export_needs_an_address_and_says_what_it_sent(installed, monkeypatch):  # noqa: F811
    installed("connections", "add", "Harbor", "--mrn-system", "urn:mrn:harbor")
    assert installed("audit", "export")[0] == 1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
        monkeypatch.setenv("ALONGSIDE_AUDIT_EXPORT", f"syslog://127.0.0.1:{port}")
        assert installed("audit", "export")[1] == "1 rows and seals were sent.\n"  # the seal
        assert b"audit.seal" in server.recv(4096)
