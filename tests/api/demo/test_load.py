"""The demo, loaded: once, to the end even after an interruption, and never into others' data."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from rich.console import Console
from sqlmodel import col, func, select

from api.demo.clients import CLIENTS
from api.demo.load import State, begun_on, load, state
from api.demo.plan import Plan
from api.demo.run import ALREADY, OTHERS, RESUMED, run
from api.demo.scenario import make_plan
from service.commands import CreateConnection
from service.handlers import execute
from service.models.connections import Client, Connection
from service.models.documents import Document
from service.models.enrollments import Attendance, Enrollment
from service.models.groups import Session, SupportGroup
from service.models.patients import Link, Patient
from service.models.screening import Alert, Response

PERSONS = 16
TABLES = (Attendance, Client, Connection, Enrollment, Link, Patient, Response, Session)


class PulledPlugError(Exception):
    """The process ended in the middle."""


@pytest.fixture(scope="module")
def small() -> Plan:
    return make_plan(datetime.now(UTC).date(), persons=PERSONS)


def counts(database):
    def work(session):
        return {t.__name__: session.exec(select(func.count(t.id))).one() for t in TABLES}

    return database.read(work)


def planned(plan):
    sessions = [one for group in plan.groups for one in group.sessions]
    return {
        "Attendance": sum(len(one.marks) for one in sessions),
        "Client": len(CLIENTS),
        "Connection": 2,
        "Enrollment": sum(len(group.enrollments) for group in plan.groups),
        "Link": sum(len(one.links) for one in plan.patients),
        "Patient": len(plan.patients),
        "Response": sum(len(one.responses) for one in plan.series),
        "Session": len(sessions),
    }


def documents(database):
    def work(session):
        statement = select(Document.type, Document.version).where(col(Document.deleted).is_(False))
        return Counter(session.exec(statement).all())

    return database.read(work)


def pull_the_plug(after):
    left = iter(range(after))

    def advance():
        if next(left, None) is None:
            raise PulledPlugError

    return advance


def test_everything_planned_is_loaded_with_its_documents(database, small):
    assert state(database) is State.EMPTY
    load(database, small)
    assert counts(database) == planned(small)
    assert state(database) is State.COMPLETE
    found = documents(database)
    assert {version for _, version in found} == {1}
    assert {"Patient", "Encounter", "Appointment", "EpisodeOfCare", "Observation", "Group"} <= {
        kind for kind, _ in found
    }


def test_each_unit_of_the_plan_moves_the_progress_bar_once(sqlite_database, small):
    moved = []
    load(sqlite_database, small, lambda: moved.append(1))
    assert len(moved) == small.units


@pytest.mark.parametrize("after", [1, 12, 23, 60, 125])
def test_an_interrupted_load_goes_on_where_it_stopped(sqlite_database, small, after):
    with pytest.raises(PulledPlugError):
        load(sqlite_database, small, pull_the_plug(after))
    assert state(sqlite_database) is State.PARTIAL
    load(sqlite_database, small)
    assert counts(sqlite_database) == planned(small)
    assert state(sqlite_database) is State.COMPLETE


def test_a_load_that_goes_on_the_next_day_keeps_its_first_day(sqlite_database, small):
    with pytest.raises(PulledPlugError):
        load(sqlite_database, small, pull_the_plug(60))
    began = begun_on(sqlite_database)
    assert began is not None
    sqlite_database.clock = lambda: datetime.now(UTC) + timedelta(days=1)
    load(sqlite_database, make_plan(began, persons=PERSONS))
    assert counts(sqlite_database) == planned(small)


def test_loading_again_changes_nothing(sqlite_database, small):
    load(sqlite_database, small)
    before = documents(sqlite_database)
    load(sqlite_database, small)
    assert documents(sqlite_database) == before


def test_alerts_carry_the_contact_of_the_group(loaded):
    alerts = loaded.read(lambda session: session.exec(select(Alert)).all())
    assert alerts
    assert all(alert.escalation_contact for alert in alerts)


def test_a_second_run_says_that_the_data_are_kept(sqlite_database, small):
    load(sqlite_database, small)
    before = counts(sqlite_database)
    assert ALREADY in said(sqlite_database)
    assert counts(sqlite_database) == before


def test_a_run_after_an_interruption_says_so_and_completes(sqlite_database, small, monkeypatch):
    with pytest.raises(PulledPlugError):
        load(sqlite_database, small, pull_the_plug(30))
    monkeypatch.setattr("api.demo.run.make_plan", lambda day: make_plan(day, persons=PERSONS))
    assert RESUMED in said(sqlite_database)
    assert state(sqlite_database) is State.COMPLETE


def test_the_demo_is_not_loaded_into_the_data_of_others(sqlite_database):
    execute(sqlite_database, CreateConnection(name="Our hospital", mrn_system="urn:oid:1.2.3"))
    assert OTHERS in said(sqlite_database)
    groups = select(func.count(SupportGroup.id))
    assert sqlite_database.read(lambda session: session.exec(groups).one()) == 0


def said(database):
    output = StringIO()
    run(database, "http://127.0.0.1:8123", Console(file=output, width=200))
    return output.getvalue()
