"""Concerns: for whom they are, how far they come, and what they never say."""

from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlmodel import select

from service.commands import AcknowledgeConcern, CloseConcern, RaiseConcern
from service.concerns import count, overdue
from service.errors import AlongsideError, BusinessRuleError, NotFoundError, VersionError
from service.handlers import execute
from service.identifiers import new_id
from service.models.concerns import Concern, ConcernKind, ConcernState, ConcernStatement, Severity
from service.models.groups import GroupStatus, SupportGroup
from service.rows import get
from service.settings import Oversight
from service.standing import oversight_of
from tests import staff, world
from tests.conftest import open_database
from tests.fresh import wrong_documents
from tests.staff import BEGIN, Clock, documents

HOURS = timedelta(hours=8)


@contextmanager
def opened(url):
    clock = Clock()
    database = open_database(url, clock, Oversight(acknowledge_within=HOURS))
    try:
        yield database, clock
    finally:
        database.close()


def concern(database, group, **more):
    values = {"kind": ConcernKind.OTHER, "severity": Severity.LOW, "raised_by": "tester", **more}
    return execute(database, RaiseConcern(group_id=group.id, **values))


def acknowledge(database, row, **more):
    return execute(database, AcknowledgeConcern(concern_id=row.id, by="Sam", **more))


def close(database, row, **more):
    return execute(database, CloseConcern(concern_id=row.id, by="Sam", **more))


def status(database, group):
    return database.read(lambda session: get(session, SupportGroup, group.id).status)


def late(database):
    return database.read(
        lambda session: count(session, overdue(oversight_of(session), database.clock()))
    )


def test_a_concern_is_for_the_supervisor_else_for_the_groups_contact(database_url):
    with opened(database_url) as (database, _):
        person, supervisor = world.facilitator(database), world.facilitator(database)
        group = staff.led(database, person)
        first = concern(database, group)
        assert (first.supervisor_id, first.contact) == (None, "on-call 555-0100")
        staff.supervise(database, person)
        assert concern(database, group).contact == "Dr. Lee, 555-0101"
        staff.supervise(database, person, supervisor_id=supervisor.id)
        third = concern(database, group)
        assert (third.supervisor_id, third.contact) == (supervisor.id, None)
        unled = world.group(database, escalation_contact=None, instruments=())
        nobody = concern(database, unled)
        assert (nobody.supervisor_id, nobody.contact) == (None, None)


def test_the_notice_is_apart_from_what_was_said(database_url):
    with opened(database_url) as (database, _):
        hospital, group = world.hospital(database), world.group(database)
        world.enroll(database, world.linked(database, hospital), group, start=BEGIN)
        before = documents(database)
        row = concern(database, group, statement="Somebody was hurt")
        assert "hurt" not in row.model_dump_json()
        kept = database.read(lambda session: session.exec(select(ConcernStatement)).one())
        assert (kept.concern_id, kept.raised_by) == (row.id, "tester")
        assert kept.statement == "Somebody was hurt"
        close(database, row)
        assert documents(database) == before


def test_a_concern_is_about_a_session_of_the_group(sqlite_url):
    with opened(sqlite_url) as (database, _):
        group, other = world.group(database), world.group(database)
        held, foreign = world.session(database, group), world.session(database, other)
        assert concern(database, group, session_id=held.id).session_id == held.id
        for wrong in (foreign.id, new_id()):
            with pytest.raises(AlongsideError) as caught:
                concern(database, group, session_id=wrong)
            assert caught.value.element == "session_id"
        with pytest.raises(AlongsideError) as caught:
            concern(database, group, raised_by=" ")
        assert caught.value.element == "raised_by"
        with pytest.raises(NotFoundError):
            execute(
                database,
                RaiseConcern(
                    group_id=new_id(), kind=ConcernKind.OTHER, severity=Severity.LOW, raised_by="t"
                ),
            )


def test_a_concern_is_overdue_until_somebody_takes_it_up(database_url):
    with opened(database_url) as (database, clock):
        row = concern(database, world.group(database))
        concern(database, world.group(database))
        seen = []
        for _ in range(3):
            seen.append(late(database))
            clock.now += HOURS / 2
        assert seen == [0, 0, 2]
        taken = acknowledge(database, row, if_match=1)
        assert (taken.state, taken.acknowledged_by) == (ConcernState.ACKNOWLEDGED, "Sam")
        assert taken.acknowledged_at == clock.now
        assert late(database) == 1
        with pytest.raises(VersionError):
            close(database, row, if_match=1)


def test_a_concern_is_taken_up_once_and_closed_once(sqlite_url):
    with opened(sqlite_url) as (database, clock):
        row = concern(database, world.group(database))
        acknowledge(database, row)
        clock.wait(1)
        assert acknowledge(database, row).acknowledged_at == BEGIN
        closed = close(database, row)
        assert (closed.state, closed.closed_at, closed.closed_by) == (
            ConcernState.CLOSED, clock.now, "Sam",
        )  # fmt: skip
        for again in (acknowledge, close):
            with pytest.raises(BusinessRuleError, match="closed already"):
                again(database, row)
        at_once = close(database, concern(database, world.group(database)))
        assert at_once.acknowledged_at == at_once.closed_at == clock.now
        with pytest.raises(AlongsideError) as caught:
            execute(database, CloseConcern(concern_id=row.id, by=" "))
        assert caught.value.message
        with pytest.raises(NotFoundError):
            execute(database, CloseConcern(concern_id=new_id(), by="Sam"))


@pytest.mark.parametrize("act", [acknowledge, close])
def test_the_group_goes_on_hold_in_the_same_transaction(database_url, act):
    with opened(database_url) as (database, _):
        group = world.group(database)
        row = concern(database, group)
        assert status(database, group) is GroupStatus.ACTIVE
        act(database, row, hold_group=True)
        assert status(database, group) is GroupStatus.ON_HOLD
        assert not wrong_documents(database)
        with pytest.raises(BusinessRuleError, match="on-hold"):
            world.enroll(database, world.patient(database), group)
        again = concern(database, group)
        assert act(database, again, hold_group=True).acknowledged_by == "Sam"


def test_where_the_group_cannot_be_held_nothing_happens(database_url):
    with opened(database_url) as (database, _):
        group = world.group(database, status=GroupStatus.DRAFT)
        row = concern(database, group)
        for act in (acknowledge, close):
            with pytest.raises(BusinessRuleError) as caught:
                act(database, row, hold_group=True)
            assert caught.value.element == "hold_group"
        kept = database.read(lambda session: get(session, Concern, row.id))
        assert (kept.state, kept.row_version) == (ConcernState.OPEN, 1)
        assert status(database, group) is GroupStatus.DRAFT
