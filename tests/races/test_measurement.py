"""Answers, sessions, plans, holds and the clock at once: what is due is what the rows say.

`make nightly` runs 100 rounds on each kind of database.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from service.commands import (
    ChangeEnrollment,
    MeasurementPlan,
    RecordResponse,
    UpdateGroup,
    UpdateSession,
)
from service.fhir.refresh import refresh_due
from service.models.enrollments import EnrollmentStatus
from service.models.groups import SessionStatus
from tests import world
from tests.fresh import wrong_documents
from tests.races.conftest import Arena
from tests.races.test_last_seat import asked

ROUNDS = 100 if os.environ.get("ALONGSIDE_NIGHTLY") else 4
PEOPLE = 3
DAY = timedelta(days=1)
SESSIONS = MeasurementPlan(instrument="phq-9", every_sessions=1)
WEEKS = MeasurementPlan(instrument="phq-9", every_weeks=1)


def commands(arena: Arena, number: int) -> list[Any]:
    """What befalls a group of three: none of it names the locks that the others take."""
    database = arena.database
    group = world.group(database, measurement=(SESSIONS,))
    people = [world.patient(database) for _ in range(PEOPLE)]
    members = [world.enroll(database, each, group) for each in people]
    held = [world.session(database, group, world.now() - days * DAY) for days in (20, 10)]
    plan = WEEKS if number % 2 else SESSIONS
    at = world.now() - 5 * DAY
    answers = world.phq9()
    return [
        *(UpdateSession(session_id=each.id, status=SessionStatus.HELD) for each in held),
        *(
            RecordResponse(patient_id=each.id, instrument="phq-9", answers=answers, authored=at)
            for each in people
        ),
        UpdateGroup(group_id=group.id, measurement=(plan,)),
        UpdateGroup(group_id=group.id, part2=True),
        ChangeEnrollment(
            enrollment_id=members[0].id, status=EnrollmentStatus.FINISHED, reason="moved"
        ),
    ]


@pytest.mark.parametrize("number", range(ROUNDS))
def test_what_is_due_is_right_whoever_was_first(arena: Arena, number: int) -> None:
    database = arena.database
    todo = commands(arena, number)
    with ThreadPoolExecutor(len(todo) + 1) as pool:
        done = [pool.submit(asked, database, each) for each in todo]
        settled = pool.submit(refresh_due, database, database.clock)
        for each in (*done, settled):
            each.result()
    refresh_due(database, database.clock)
    assert refresh_due(database, database.clock) == 0
    assert wrong_documents(database) == []
