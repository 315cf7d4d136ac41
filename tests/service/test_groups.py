"""Groups and their sessions: the rules of the domain, each with the element it names."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from service.commands import CreateGroup, CreateSession, UpdateGroup, UpdateSession
from service.database import Database
from service.errors import (
    AlongsideError,
    BusinessRuleError,
    InvalidError,
    NotFoundError,
    VersionError,
)
from service.handlers import execute
from service.identifiers import new_id
from service.models.groups import (
    Facilitation,
    GroupStatus,
    Modality,
    Sensitivity,
    SessionStatus,
    SupportGroup,
)
from tests import world

GROUP: dict[str, Any] = {
    "public_name": "Recovery",
    "neutral_name": "Circle",
    "purpose": "Support",
    "topic": "recovery",
    "facilitation": Facilitation.PEER,
    "modality": Modality.VIRTUAL,
    "capacity": 8,
}


def create(database: Database, **more: Any) -> SupportGroup:
    row: SupportGroup = execute(database, CreateGroup(**{**GROUP, **more}))
    return row


def test_a_substance_use_group_counts_as_part_2_unless_said_otherwise(
    sqlite_database: Database,
) -> None:
    use = Sensitivity.SUBSTANCE_USE
    assert create(sqlite_database, sensitivity=use).part2
    assert not create(sqlite_database, sensitivity=use, part2=False).part2
    assert not create(sqlite_database).part2


def test_a_group_with_safety_items_needs_an_escalation_contact_to_be_active(
    sqlite_database: Database,
) -> None:
    draft = create(sqlite_database)
    change = UpdateGroup(group_id=draft.id, status=GroupStatus.ACTIVE)
    for contact in (None, "", "  "):
        with pytest.raises(InvalidError) as caught:
            create(sqlite_database, status=GroupStatus.ACTIVE, escalation_contact=contact)
        assert caught.value.element == "escalation_contact"
    with pytest.raises(InvalidError):
        execute(sqlite_database, change)
    without = create(sqlite_database, status=GroupStatus.ACTIVE, instruments=("gad-7",))
    assert without.status is GroupStatus.ACTIVE


def test_an_active_group_cannot_lose_its_escalation_contact(sqlite_database: Database) -> None:
    group = world.group(sqlite_database)
    with pytest.raises(InvalidError):
        execute(sqlite_database, UpdateGroup(group_id=group.id, escalation_contact=None))


@pytest.mark.parametrize(
    ("element", "value"),
    [
        ("public_name", " "),
        ("neutral_name", ""),
        ("capacity", 0),
        ("instruments", ("phq-99",)),
        ("place_id", new_id()),
        ("facilitator_id", new_id()),
    ],
)
def test_what_is_wrong_is_named(sqlite_database: Database, element: str, value: object) -> None:
    with pytest.raises(InvalidError) as caught:
        create(sqlite_database, **{element: value})
    assert caught.value.element == element


def test_a_stale_version_is_refused(sqlite_database: Database) -> None:
    group = create(sqlite_database)
    first = UpdateGroup(group_id=group.id, capacity=9, if_match=1)
    assert execute(sqlite_database, first).row_version == 2
    with pytest.raises(VersionError):
        execute(sqlite_database, first)


def test_a_change_that_says_the_same_keeps_the_version(sqlite_database: Database) -> None:
    group = create(sqlite_database)
    assert execute(sqlite_database, UpdateGroup(group_id=group.id, capacity=8)).row_version == 1


def test_an_unknown_group_is_not_found(sqlite_database: Database) -> None:
    with pytest.raises(NotFoundError):
        execute(sqlite_database, UpdateGroup(group_id=new_id(), capacity=9))


def test_a_session_ends_after_it_starts(sqlite_database: Database) -> None:
    group, start = create(sqlite_database), world.now()
    with pytest.raises(InvalidError) as caught:
        execute(sqlite_database, CreateSession(group_id=group.id, start=start, end=start))
    assert caught.value.element == "end"


def test_a_session_needs_offsets(sqlite_database: Database) -> None:
    group = create(sqlite_database)
    naive = datetime(2026, 1, 1, 12)  # noqa: DTZ001 - that is the point
    with pytest.raises(InvalidError) as caught:
        execute(sqlite_database, CreateSession(group_id=group.id, start=naive, end=naive))
    assert caught.value.element == "start"


def test_a_closed_group_plans_no_session(sqlite_database: Database) -> None:
    group = create(sqlite_database, status=GroupStatus.CLOSED)
    with pytest.raises(BusinessRuleError):
        world.session(sqlite_database, group)


def test_a_cancellation_needs_a_reason_and_can_be_taken_back(sqlite_database: Database) -> None:
    held = world.session(sqlite_database, create(sqlite_database))
    cancel = UpdateSession(session_id=held.id, status=SessionStatus.CANCELLED)
    with pytest.raises(InvalidError) as caught:
        execute(sqlite_database, cancel)
    assert caught.value.element == "cancel_reason"
    reasoned = UpdateSession(
        session_id=held.id, status=SessionStatus.CANCELLED, cancel_reason="ill"
    )
    assert execute(sqlite_database, reasoned).cancel_reason == "ill"
    back = UpdateSession(session_id=held.id, status=SessionStatus.SCHEDULED)
    assert execute(sqlite_database, back).cancel_reason is None


def test_a_session_with_attendance_is_held_and_stays_so(sqlite_database: Database) -> None:
    group = world.group(sqlite_database)
    held, person = world.session(sqlite_database, group), world.patient(sqlite_database)
    world.enroll(sqlite_database, person, group)
    world.attend(sqlite_database, held, person)
    for status in (SessionStatus.CANCELLED, SessionStatus.SCHEDULED):
        with pytest.raises(AlongsideError) as caught:
            execute(
                sqlite_database,
                UpdateSession(session_id=held.id, status=status, cancel_reason="x"),
            )
        assert caught.value.element == "status"


def test_a_session_moves_with_its_attendance(sqlite_database: Database) -> None:
    group = world.group(sqlite_database)
    held, person = world.session(sqlite_database, group), world.patient(sqlite_database)
    world.enroll(sqlite_database, person, group)
    world.attend(sqlite_database, held, person)
    move = UpdateSession(
        session_id=held.id,
        start=held.start + timedelta(minutes=1),
        end=held.end + timedelta(minutes=1),
    )
    assert execute(sqlite_database, move).row_version > held.row_version
