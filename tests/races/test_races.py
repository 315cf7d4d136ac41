"""Two calls at the same moment leave every document right and lose no call (DESIGN section 2)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlmodel import col, select

from service.commands import (
    CorrectResponse,
    Enroll,
    Mark,
    RecordAttendance,
    RecordResponse,
    UndoLink,
    UpdateSession,
    WithdrawConsent,
)
from service.fhir.sources import Sources
from service.handlers import execute
from service.models.connections import Connection
from service.models.consents import Category, Consent
from service.models.enrollments import AttendanceMark
from service.models.groups import Session, SupportGroup
from service.models.patients import Patient
from tests import world
from tests.races.conftest import Arena

PRESENT, ABSENT, LATE, EXCUSED = (
    AttendanceMark.PRESENT,
    AttendanceMark.ABSENT,
    AttendanceMark.LATE,
    AttendanceMark.EXCUSED,
)


@dataclass
class Scene:
    """One hospital, one group that meets now, two members."""

    arena: Arena
    connection: Connection
    group: SupportGroup
    session: Session
    people: list[Patient]

    def sources(self) -> Sources:
        """Everything that is about these people and their group."""
        sources = Sources()
        people, group = {p.id for p in self.people}, {self.group.id}
        sources.add("patient", people)
        sources.add("group", group)
        sources.add("roster", group)
        sources.visits.update((self.session.id, one) for one in people)
        return sources

    def run(self, command: Any) -> Callable[[], Any]:
        return lambda: execute(self.arena.database, command)

    def marks(self, *pairs: tuple[int, AttendanceMark]) -> RecordAttendance:
        marks = tuple(Mark(patient_id=self.people[n].id, mark=mark) for n, mark in pairs)
        return RecordAttendance(session_id=self.session.id, marks=marks, recorded_by="tester")


@pytest.fixture
def connection(arena: Arena) -> Connection:
    return world.hospital(arena.database)


def scene(arena: Arena, connection: Connection, *, enrolled: bool = True) -> Scene:
    database = arena.database
    group = world.group(database, capacity=2)
    session = world.session(database, group)
    people = [world.linked(database, connection) for _ in range(2)]
    if enrolled:
        for person in people:
            world.enroll(database, person, group)
    return Scene(arena, connection, group, session, people)


def no_error(results: list[Any]) -> None:
    assert not [one for one in results if isinstance(one, Exception)], results


def once_each(versions: dict[str, list[int]], kind: str, *, documents: int) -> None:
    """`documents` of this type got exactly one version each."""
    found = {name: seen for name, seen in versions.items() if name.startswith(f"{kind}/")}
    assert len(found) == documents, found
    assert all(len(seen) == 1 for seen in found.values()), found


def test_two_enrolments_into_one_group(arena: Arena, connection: Connection) -> None:
    for _ in range(arena.rounds):
        here = scene(arena, connection, enrolled=False)
        since = arena.last_event()
        start = world.now() - timedelta(days=1)
        no_error(
            arena.release(
                *(
                    here.run(Enroll(patient_id=p.id, group_id=here.group.id, start=start))
                    for p in here.people
                )
            )
        )
        versions = arena.versions(since)
        once_each(versions, "EpisodeOfCare", documents=4)
        once_each(versions, "Appointment", documents=4)
        rosters = [seen for name, seen in versions.items() if name.startswith("Group/")]
        assert rosters == [[1, 2], [1, 2]]
        arena.check(here.sources())
    arena.check()


def test_two_people_for_the_last_seat(arena: Arena) -> None:
    for _ in range(arena.rounds):
        late = [world.patient(arena.database) for _ in range(2)]
        full = world.group(arena.database, capacity=1)
        seats = [Enroll(patient_id=person.id, group_id=full.id) for person in late]
        results = arena.release(*(partial(execute, arena.database, seat) for seat in seats))
        assert sum(isinstance(one, Exception) for one in results) == 1, results
    arena.check()


def test_two_attendance_rows_of_one_session(arena: Arena, connection: Connection) -> None:
    for _ in range(arena.rounds):
        here = scene(arena, connection)
        since = arena.last_event()
        no_error(
            arena.release(
                here.run(here.marks((0, PRESENT))),
                here.run(here.marks((1, LATE))),
            )
        )
        once_each(arena.versions(since), "Encounter", documents=4)
        arena.check(here.sources())
    arena.check()


def test_two_responses_of_one_patient(arena: Arena, connection: Connection) -> None:
    for _ in range(arena.rounds):
        here = scene(arena, connection)
        since = arena.last_event()
        person = here.people[0]
        command = RecordResponse(
            patient_id=person.id, instrument="phq-9", answers=world.phq9(), authored=world.now()
        )
        no_error(arena.release(here.run(command), here.run(command)))
        once_each(arena.versions(since), "QuestionnaireResponse", documents=4)
    arena.check()


def test_rows_corrected_in_opposite_order(arena: Arena, connection: Connection) -> None:
    for _ in range(arena.rounds):
        here = scene(arena, connection)
        execute(arena.database, here.marks((0, PRESENT), (1, PRESENT)))
        since = arena.last_event()
        no_error(
            arena.release(
                here.run(here.marks((0, LATE), (1, LATE))),
                here.run(here.marks((1, ABSENT), (0, ABSENT))),
            )
        )
        seen = arena.versions(since)
        encounters = [v for name, v in seen.items() if name.startswith("Encounter/")]
        # Absent last: late (2), then gone (3). Absent first: gone (2), then back as late (3).
        assert encounters == [[2, 3]] * 4
        arena.check(here.sources())
    arena.check()


def test_responses_corrected_in_opposite_order(arena: Arena, connection: Connection) -> None:
    for _ in range(arena.rounds):
        here = scene(arena, connection)
        rows = [world.respond(arena.database, p).response for p in here.people]

        def correct(*order: int, rows: list[Any] = rows) -> Callable[[], Any]:
            def both() -> None:
                for number in order:
                    command = CorrectResponse(
                        response_id=rows[number].id,
                        answers=world.phq9(2 + order[0]),
                        corrected_by="tester",
                    )
                    execute(arena.database, command)

            return both

        no_error(arena.release(correct(0, 1), correct(1, 0)))
    arena.check()


def test_consent_withdrawn_while_attendance_is_recorded(
    arena: Arena, connection: Connection
) -> None:
    for _ in range(arena.rounds):
        here = scene(arena, connection)
        given = world.consent(arena.database, here.people[0], connection, [Category.ATTENDANCE])
        earlier = [
            c for c in _consents(arena, here.people[0]) if c.id != given[Category.ATTENDANCE].id
        ]
        for one in earlier:
            execute(arena.database, WithdrawConsent(consent_id=one.id, withdrawn_by="tester"))
        withdraw = WithdrawConsent(consent_id=given[Category.ATTENDANCE].id, withdrawn_by="tester")
        no_error(
            arena.release(here.run(withdraw), here.run(here.marks((0, PRESENT), (1, PRESENT))))
        )
        assert _served(arena, "Encounter", here.people[0], connection) == 0
        arena.check(here.sources())
    arena.check()


def test_a_link_removed_while_attendance_is_recorded(arena: Arena, connection: Connection) -> None:
    for _ in range(arena.rounds):
        here = scene(arena, connection, enrolled=False)
        person = world.patient(arena.database)
        tie = world.link(arena.database, person, connection)
        world.consent(arena.database, person, connection)
        here.people[0] = person
        for one in here.people:
            world.enroll(arena.database, one, here.group)
        undo = UndoLink(link_id=tie.id, undone_by="tester", reason="wrong person")
        no_error(arena.release(here.run(undo), here.run(here.marks((0, PRESENT), (1, PRESENT)))))
        for kind in ("Encounter", "Appointment", "EpisodeOfCare", "Patient"):
            assert _served(arena, kind, person, connection) == 0
        arena.check(here.sources())
    arena.check()


def test_a_session_moved_while_attendance_is_recorded(arena: Arena, connection: Connection) -> None:
    for _ in range(arena.rounds):
        here = scene(arena, connection)
        since = arena.last_event()
        start = here.session.start + timedelta(minutes=5)
        move = UpdateSession(
            session_id=here.session.id, start=start, end=start + timedelta(hours=1)
        )
        no_error(arena.release(here.run(move), here.run(here.marks((0, PRESENT), (1, PRESENT)))))
        seen = arena.versions(since)
        appointments = [v for name, v in seen.items() if name.startswith("Appointment/")]
        assert appointments == [[2, 3]] * 4
        encounters = [v for name, v in seen.items() if name.startswith("Encounter/")]
        assert all(v in ([1], [1, 2]) for v in encounters)
        assert len(encounters) == 4
        arena.check(here.sources())
    arena.check()


def test_consent_withdrawn_while_the_patient_enrols_elsewhere(
    arena: Arena, connection: Connection
) -> None:
    for _ in range(arena.rounds):
        here = scene(arena, connection)
        person, elsewhere = here.people[0], world.group(arena.database)
        world.session(arena.database, elsewhere, world.now() + timedelta(days=1))
        withdrawals = [
            WithdrawConsent(consent_id=one.id, withdrawn_by="tester")
            for one in _consents(arena, person)
            if one.category in {Category.ENROLLMENT, Category.ATTENDANCE}
        ]
        execute(arena.database, withdrawals[1])
        enrol = Enroll(patient_id=person.id, group_id=elsewhere.id)
        no_error(arena.release(here.run(withdrawals[0]), here.run(enrol)))
        for kind in ("EpisodeOfCare", "Appointment"):
            assert _served(arena, kind, person, connection) == 0
        sources = here.sources()
        sources.add("roster", {elsewhere.id})
        arena.check(sources)
    arena.check()


def _consents(arena: Arena, person: Patient) -> list[Any]:
    query = select(Consent).where(Consent.patient_id == person.id).order_by(col(Consent.id))
    return arena.database.read(lambda session: list(session.exec(query)))


def _served(arena: Arena, kind: str, person: Patient, connection: Connection) -> int:
    with arena.database.engine.connect() as open_connection:
        return int(
            open_connection.exec_driver_sql(
                f"SELECT count(*) FROM documents WHERE type = '{kind}' AND NOT deleted"
                f" AND audience = {connection.number} AND patient_key = '{person.id.hex}'"
            ).scalar()
            or 0
        )
