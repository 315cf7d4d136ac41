"""`alongside rebuild` over the whole demo, and killed half-way."""

import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from api.demo.load import load
from api.demo.scenario import make_plan
from service.engine import create_engine
from tests.conftest import open_database

OURS = "owner <> 'client' AND source NOT LIKE 'definition:%' AND deleted = false"
STATE = "SELECT id, version, content, revision FROM documents ORDER BY id"
# As a mapping of an earlier revision might have written them: one element that is no more.
OLDER = f"UPDATE documents SET revision = 0, content = {{older}} WHERE {OURS}"
APPENDED = {
    "sqlite": """CAST(substr(content, 1, length(content) - 1) || ',"x"\\:1}' AS BLOB)""",
    "postgresql": """substr(content, 1, length(content) - 1) || ',"x"\\:1}'::bytea""",
}
RERENDERED = "SELECT count(*) FROM events WHERE kind = 'rerendered'"
TWICE = (
    "SELECT count(*) FROM (SELECT id FROM events WHERE kind = 'rerendered' GROUP BY id"
    " HAVING count(*) > 1) t"
)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def demo_url(request, tmp_path):
    """A demo of this test's own, which it may change."""
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
        database = open_database(url)
        load(database, make_plan(datetime.now(UTC).date()))
        database.close()
        return url
    loaded = request.getfixturevalue("loaded")
    file = tmp_path / "demo.db"
    with (
        closing(sqlite3.connect(loaded.engine.url.database)) as origin,
        closing(sqlite3.connect(file)) as copy,
    ):
        origin.backup(copy)
    return f"sqlite:///{file}"


def asked(url, sql):
    engine = create_engine(url)
    with engine.connect() as connection:
        found = connection.execute(text(sql)).all()
    engine.dispose()
    return found


def make_older(url):
    engine = create_engine(url)
    with engine.begin() as connection:
        sql = OLDER.format(older=APPENDED[engine.dialect.name])
        changed = connection.execute(text(sql)).rowcount
    engine.dispose()
    return changed


def rebuilding(url, *arguments):
    command = [str(Path(sys.executable).with_name("alongside")), "rebuild", *arguments]
    environment = {**os.environ, "ALONGSIDE_DATABASE_URL": url}
    piped = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, env=environment, text=True, **piped)


def finished(url, *arguments):
    with rebuilding(url, *arguments) as running:
        said, complaint = running.communicate(timeout=300)
    assert running.returncode == 0, complaint
    return said


def test_the_whole_demo_keeps_every_version_and_a_killed_rebuild_is_finished(demo_url):
    before = asked(demo_url, STATE)
    assert "; 0 new versions." in finished(demo_url, "--all")
    assert asked(demo_url, STATE) == before

    older = make_older(demo_url)
    assert older > 4000
    with rebuilding(demo_url) as running:
        while not asked(demo_url, RERENDERED)[0][0]:
            assert running.poll() is None
            time.sleep(0.02)
        running.kill()
    done = asked(demo_url, RERENDERED)[0][0]
    assert 0 < done < older
    assert f"; {older - done} new versions." in finished(demo_url)
    assert asked(demo_url, RERENDERED)[0][0] == older
    assert asked(demo_url, TWICE) == [(0,)]
    rendered = {row.id: row for row in asked(demo_url, STATE)}
    once = [one for one in before if rendered[one.id].version == one.version + 1]
    assert len(once) == older
    assert finished(demo_url).startswith("0 sources")
