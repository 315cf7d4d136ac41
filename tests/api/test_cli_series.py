"""`alongside series plan`: every series is planned further, and one that fails stops no other."""

import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from api import cli, cli_series
from service.audit import prepare
from service.commands import EndSeries, PlanSeries, UpdateGroup
from service.errors import BusyError
from service.handlers import execute
from service.models.groups import GroupStatus
from tests import world
from tests.conftest import open_database
from tests.series import series, sessions


@pytest.fixture
def database(sqlite_url, tmp_path, monkeypatch):
    monkeypatch.setenv("ALONGSIDE_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("ALONGSIDE_AUDIT_DATABASE_URL", f"sqlite:///{tmp_path / 'audit.db'}")
    prepare(f"sqlite:///{tmp_path / 'audit.db'}")
    opened = open_database(sqlite_url)
    yield opened
    opened.close()


@pytest.fixture
def planned(monkeypatch, capsys):
    """Run the command and return its exit code and what it printed."""

    def call():
        monkeypatch.setattr(sys, "argv", ["alongside", "series", "plan"])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return int(ended.value.code or 0), capsys.readouterr().out

    return call


def begun(database, **more):
    """A series that begins in a week, planned two weeks ahead unless said otherwise."""
    start = (datetime.now(UTC) + timedelta(days=7)).replace(tzinfo=None, second=0, microsecond=0)
    values = {"rrule": "FREQ=WEEKLY", "start": start, "weeks": 2, **more}
    return series(database, world.group(database), **values)


def test_every_series_that_goes_on_is_planned_up_to_the_horizon(database, planned, tmp_path):
    rows = [begun(database), begun(database)]
    # In UTC, as the command counts days, so that it ends on the day that it is there too.
    over, closed = begun(database, time_zone="UTC"), begun(database)
    execute(database, EndSeries(series_id=over.id, reason="x"))
    execute(database, UpdateGroup(group_id=closed.group_id, status=GroupStatus.CLOSED))
    code, out = planned()
    assert (code, out) == (0, "20 sessions planned in 3 series.\n")
    assert [len(sessions(database, row)) for row in rows] == [11, 11]
    assert len(sessions(database, closed)) == 1
    assert planned()[1] == "0 sessions planned in 3 series.\n"
    with closing(sqlite3.connect(tmp_path / "audit.db")) as connection:
        rows = connection.execute("SELECT method, path, status FROM audit_entries").fetchall()
    assert rows[-1] == ("CLI", "series/plan", 200)


def test_a_long_past_is_planned_in_several_units(database, planned):
    start = (datetime.now(UTC) - timedelta(days=150)).replace(tzinfo=None, second=0, microsecond=0)
    row = begun(database, rrule="FREQ=DAILY", start=start, weeks=1)
    assert len(sessions(database, row)) == 100
    assert planned()[0] == 0
    assert len(sessions(database, row)) > 230


def test_a_series_that_cannot_be_planned_is_told_and_stops_no_other(database, planned, monkeypatch):
    bad, good = begun(database), begun(database)

    def refuse(used, command):
        if command == PlanSeries(series_id=bad.id, weeks=12):
            raise BusyError("not now")
        return execute(used, command)

    monkeypatch.setattr(cli_series, "execute", refuse)
    code, out = planned()
    assert (code, out) == (1, f"10 sessions planned in 2 series.\nseries {bad.id}: not now\n")
    assert len(sessions(database, good)) == 11


def test_the_setting_says_how_far(database, planned, monkeypatch):
    row = begun(database)
    monkeypatch.setenv("ALONGSIDE_SERIES_WEEKS", "30")
    planned()
    assert len(sessions(database, row)) == 29
