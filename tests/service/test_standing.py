"""Whether who leads a group is in order, and what follows for new members."""

from contextlib import contextmanager
from datetime import timedelta

import pytest

from service.commands import ChangeEnrollment, UpdateCredential, UpdateFacilitator, UpdateGroup
from service.errors import BusinessRuleError
from service.groups import require_open
from service.handlers import execute
from service.models.enrollments import EnrollmentStatus
from service.models.groups import Facilitator, GroupStatus, SupportGroup
from service.rows import get
from service.settings import Oversight, Settings
from service.standing import LAPSE, REFUSED, standings, wanting, warnings_of
from tests import staff, world
from tests.conftest import open_database
from tests.staff import BEGIN, DAY, KIND, TODAY, Clock

PROPOSED, WAITLISTED, _, ACTIVE, ON_HOLD, FINISHED = EnrollmentStatus


@contextmanager
def opened(url, **oversight):
    clock = Clock()
    database = open_database(url, clock, Oversight(**oversight))
    try:
        yield database, clock
    finally:
        database.close()


def standing(database, person):
    def work(session):
        row = get(session, Facilitator, person.id)
        return standings(session, [row], database.clock())[person.id]

    return database.read(work)


def lapses(database, person):
    found = standing(database, person).lapses
    return [(each.kind.value, each.since, each.credential) for each in found]


def admits(database, group):
    """Whether the group takes new members now."""
    try:
        database.read(
            lambda session: require_open(
                session, get(session, SupportGroup, group.id), database.clock()
            )
        )
    except BusinessRuleError:
        return False
    return True


def warned(database, group):
    return database.read(
        lambda session: warnings_of(session, get(session, SupportGroup, group.id), database.clock())
    )


def test_a_credential_is_in_force_expiring_and_expired_by_the_clock(database_url):
    with opened(database_url, notice=timedelta(days=5)) as (database, clock):
        person = world.facilitator(database)
        staff.credential(database, person)
        seen = []
        for _ in range(13):
            (held,) = standing(database, person).credentials
            seen.append(held.state.value)
            clock.wait(1)
        assert seen == ["in-force"] * 5 + ["expiring"] * 6 + ["expired"] * 2
        assert lapses(database, person) == [("credential-expired", TODAY + 11 * DAY, KIND)]


def test_the_longest_credential_of_a_kind_counts(sqlite_url):
    with opened(sqlite_url) as (database, clock):
        person = world.facilitator(database)
        old = staff.credential(database, person)
        other = staff.credential(database, person, kind="First aid", expires=TODAY + DAY)
        staff.credential(database, person, kind=KIND.upper(), expires=TODAY + 30 * DAY)
        staff.credential(database, person, expires=TODAY)
        clock.wait(20)
        assert [each[2] for each in lapses(database, person)] == ["First aid"]
        execute(database, UpdateCredential(credential_id=other.id, counts=False))
        assert lapses(database, person) == []
        clock.wait(20)
        assert [each[2] for each in lapses(database, person)] == [KIND.upper()]
        execute(database, UpdateCredential(credential_id=old.id, expires=None))
        assert lapses(database, person) == []


def test_without_an_interval_only_a_day_that_was_set_can_be_overdue(database_url):
    with opened(database_url) as (database, clock):
        person = world.facilitator(database)
        clock.wait(1000)
        assert lapses(database, person) == []
        today = clock.now.date()
        staff.supervise(database, person, next_due=today)
        assert lapses(database, person) == []
        clock.wait(1)
        assert lapses(database, person) == [("supervision-overdue", today + DAY, None)]
        staff.supervised(database, person, clock.now.date())
        assert lapses(database, person) == []


def test_with_an_interval_everyone_who_is_active_is_due(database_url):
    with opened(database_url, supervision_interval=timedelta(days=28)) as (database, clock):
        person = world.facilitator(database)
        clock.now = person.created_at + 28 * DAY
        assert lapses(database, person) == []
        clock.wait(1)
        today = clock.now.date()
        assert lapses(database, person) == [("supervision-overdue", today, None)]
        staff.supervise(database, person)
        staff.supervised(database, person, today)
        assert standing(database, person).next_due == today + 28 * DAY
        staff.supervised(database, person, today, next_due=today + DAY)
        assert standing(database, person).next_due == today + DAY
        clock.wait(100)
        execute(database, UpdateFacilitator(facilitator_id=person.id, active=False))
        assert [each[0] for each in lapses(database, person)] == ["supervision-overdue"]
        staff.supervised(database, person, clock.now.date())
        clock.wait(100)
        assert lapses(database, person) == []


@pytest.mark.parametrize(
    ("on_lapse", "open_days", "warned_days"), [("off", 8, 0), ("warn", 8, 6), ("stop", 5, 6)]
)
def test_a_lapse_warns_and_after_the_grace_stops_by_setting(
    database_url, on_lapse, open_days, warned_days
):
    with opened(database_url, on_lapse=on_lapse, grace=timedelta(days=3)) as (database, clock):
        person = world.facilitator(database)
        staff.credential(database, person, expires=TODAY + DAY)
        group = staff.led(database, person)
        opens, warns = 0, 0
        for _ in range(8):
            opens += admits(database, group)
            warns += warned(database, group) == [LAPSE]
            clock.wait(1)
        assert (opens, warns) == (open_days, warned_days)


def test_overdue_supervision_stops_as_an_expired_credential_does(sqlite_url):
    with opened(sqlite_url, on_lapse="stop") as (database, clock):
        person = world.facilitator(database)
        group = staff.led(database, person)
        staff.supervise(database, person, next_due=TODAY)
        assert admits(database, group)
        clock.wait(1)
        assert not admits(database, group)
        staff.supervised(database, person, clock.now.date())
        assert admits(database, group)


def test_a_group_that_stops_refuses_every_way_in_and_keeps_its_members(database_url):
    with opened(database_url, on_lapse="stop") as (database, clock):
        person = world.facilitator(database)
        group = staff.led(database, person)
        people = [world.patient(database) for _ in range(4)]
        waiting = [
            world.enroll(database, each, group, status=status, start=BEGIN)
            for each, status in zip(people, (PROPOSED, WAITLISTED, ACTIVE), strict=False)
        ]
        held = ChangeEnrollment(enrollment_id=waiting[2].id, status=ON_HOLD, reason="Ill")
        execute(database, held)
        staff.credential(database, person, expires=TODAY)
        clock.wait(1)
        for status in (PROPOSED, WAITLISTED, ACTIVE):
            with pytest.raises(BusinessRuleError) as caught:
                world.enroll(database, people[3], group, status=status)
            assert caught.value.message == REFUSED
        for row in waiting[:2]:
            with pytest.raises(BusinessRuleError):
                execute(database, ChangeEnrollment(enrollment_id=row.id, status=ACTIVE))
        back = ChangeEnrollment(enrollment_id=waiting[2].id, status=ACTIVE)
        assert execute(database, back).status is ACTIVE
        staff.lead(database, group, world.facilitator(database))
        assert world.enroll(database, people[3], group).status is ACTIVE


def test_a_group_on_hold_takes_nobody_and_lets_nobody_in_who_waited(database_url):
    with opened(database_url) as (database, _):
        group, person = world.group(database), world.patient(database)
        waiting = world.enroll(database, person, group, status=WAITLISTED, start=BEGIN)
        execute(database, UpdateGroup(group_id=group.id, status=GroupStatus.ON_HOLD))
        accept = ChangeEnrollment(enrollment_id=waiting.id, status=ACTIVE)
        with pytest.raises(BusinessRuleError, match="on-hold; only an active group enrols"):
            execute(database, accept)
        for status in (PROPOSED, WAITLISTED, ACTIVE):
            with pytest.raises(BusinessRuleError, match="on-hold"):
                world.enroll(database, world.patient(database), group, status=status)
        execute(database, UpdateGroup(group_id=group.id, status=GroupStatus.ACTIVE))
        assert execute(database, accept).status is ACTIVE


def test_groups_that_want_something_are_counted(database_url):
    with opened(database_url, on_lapse="stop", grace=timedelta(days=2)) as (database, clock):
        person, sound = world.facilitator(database), world.facilitator(database)
        staff.credential(database, person, expires=TODAY)
        staff.led(database, person)
        staff.led(database, person, status=GroupStatus.DRAFT)
        staff.led(database, sound)
        world.group(database)
        seen = []
        for _ in range(4):
            seen.append(database.read(lambda session: wanting(session, clock())))
            clock.wait(1)
        assert seen == [(0, 0), (1, 0), (1, 0), (1, 1)]


def test_settings_say_what_the_operator_decided():
    settings = Settings(
        facilitator_lapse="stop",
        facilitator_lapse_grace_days=14,
        credential_notice_days=60,
        supervision_interval_days=28,
        concern_acknowledge_hours=4,
    )
    assert settings.oversight == Oversight(
        on_lapse="stop",
        grace=14 * DAY,
        notice=60 * DAY,
        supervision_interval=28 * DAY,
        acknowledge_within=timedelta(hours=4),
    )
    assert Settings().oversight == Oversight()
