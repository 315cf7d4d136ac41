"""`kill -9` in the middle of an import leaves nothing or everything; with --partial, whole chunks.

The real command, on both databases; a rerun completes what was killed.
"""

import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import text

from service.audit import prepare
from service.database import Database
from service.imports.groups import GROUPS
from service.imports.running import CHUNK, Mode
from service.imports.tables import Table
from service.settings import Settings
from tests.conftest import open_database
from tests.fresh import wrong_documents
from tests.service.imports.files import count, group_row, imported, table

NIGHTLY = bool(os.environ.get("ALONGSIDE_NIGHTLY"))
SIZE = 5 * CHUNK
# Seconds since its first audit row.
DELAYS = [number / 8 for number in range(24)] if NIGHTLY else [0.0, 0.6]
TABLES = ("support_groups", "import_keys", "documents WHERE type = 'HealthcareService'")
BEGUN = "SELECT count(*) FROM audit_entries WHERE status = 202"
OTHERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND application_name = 'alongside-write' AND state <> 'idle' AND pid <> pg_backend_pid()"
)


def has_begun(session):
    return session.execute(text(BEGUN)).scalar()


def others(session):
    return session.execute(text(OTHERS)).scalar()


class Installation:
    """A database with the file that is imported into it, again and again."""

    def __init__(self, url, folder):
        settings = Settings(database_url=url)
        prepare(settings.audit_url)
        self.database, self.audit = open_database(url), Database(settings.audit_url)
        self.file = folder / "groups.csv"
        table(self.file, GROUPS, (group_row(number) for number in range(SIZE)))
        self.environment = {**os.environ, "ALONGSIDE_DATABASE_URL": url}
        self.environment.pop("DATABASE_URL", None)

    def start(self, *options):
        program = str(Path(sys.executable).with_name("alongside"))
        command = [program, "import", "groups", str(self.file), *options]
        return subprocess.Popen(
            command, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def kill(self, delay, *options):
        """Start an import, kill it some time after it has begun; return whether it was running."""
        begun = self.audit.read(has_begun)
        with self.start(*options) as process:
            while self.audit.read(has_begun) == begun and process.poll() is None:
                time.sleep(0.05)
            with suppress(subprocess.TimeoutExpired):
                process.wait(delay)
            process.kill()
        self.settle()
        return process.returncode < 0

    def finish(self, mode):
        return imported(self.database, Table(self.file, GROUPS, ","), mode).counts

    def settle(self):
        """Wait until PostgreSQL has noticed that its client is gone."""
        while not self.database.sqlite and self.database.read(others):
            time.sleep(0.02)

    def kept(self):
        """How many groups there are, each with its key and its document."""
        counts = {count(self.database, name) for name in TABLES}
        assert not wrong_documents(self.database)
        (number,) = counts
        return number


@pytest.fixture
def installation(database_url, tmp_path):
    made = Installation(database_url, tmp_path)
    yield made
    made.database.close()
    made.audit.close()


def test_what_is_killed_leaves_nothing_or_everything(installation):
    killed = 0
    for delay in DELAYS:
        running = installation.kill(delay)
        killed += running
        kept = installation.kept()
        assert kept in {0, SIZE}
        if kept:
            break
    assert killed
    added, changed, known, rejected = installation.finish(Mode.WHOLE)
    assert (added + known, changed, rejected) == (SIZE, 0, 0)
    assert installation.kept() == SIZE


def test_with_partial_whole_chunks_stay_and_a_rerun_completes(installation):
    before = 0
    for delay in DELAYS if NIGHTLY else DELAYS[1:]:
        installation.kill(delay, "--partial")
        kept = installation.kept()
        assert kept % CHUNK == 0
        assert kept >= before
        before = kept
    assert installation.finish(Mode.PARTIAL) == (SIZE - before, 0, before, 0)
    assert installation.kept() == SIZE
