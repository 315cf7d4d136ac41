"""Two records of one person: the source known to one hospital, the target to another."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from service.commands import ChangeEnrollment, MergePatients, UnmergePatients
from service.database import Database
from service.handlers import execute
from service.models.connections import Connection
from service.models.enrollments import AttendanceMark, Enrollment, EnrollmentStatus
from service.models.groups import Session, SupportGroup
from service.models.merges import Merge
from service.models.patients import Patient
from tests import world

PROGRAMME = 1
SAME = {"family": "Rivera", "given": "Lucia"}


@dataclass
class Scene:
    database: Database
    a: Connection
    b: Connection
    source: Patient
    target: Patient
    groups: list[SupportGroup]
    sessions: list[Session]
    enrollments: list[Enrollment]

    def run(self, command: Any) -> Any:
        return execute(self.database, command)

    def merge(self, source: Patient | None = None, target: Patient | None = None) -> Merge:
        return merge(self.database, source or self.source, target or self.target)

    def undo(self, row: Merge) -> Merge:
        return undo(self.database, row)


def merge(database: Database, source: Patient, target: Patient, **more: Any) -> Merge:
    command = MergePatients(
        source_id=source.id, target_id=target.id, merged_by="tester", reason="one person", **more
    )
    row: Merge = execute(database, command)
    return row


def undo(database: Database, row: Merge) -> Merge:
    command = UnmergePatients(merge_id=row.id, undone_by="tester", reason="two people")
    undone: Merge = execute(database, command)
    return undone


def finish(database: Database, row: Enrollment) -> None:
    command = ChangeEnrollment(
        enrollment_id=row.id, status=EnrollmentStatus.FINISHED, reason="moved"
    )
    execute(database, command)


def facts(
    database: Database, person: Patient, of: SupportGroup, held: Session, score: int
) -> Enrollment:
    """An enrolment, attendance and a response that raises an alert."""
    row = world.enroll(database, person, of)
    world.attend(database, held, person, mark=AttendanceMark.LATE)
    world.respond(database, person, world.phq9(score, item9=1), group_id=of.id)
    return row


def scene(database: Database) -> Scene:
    """Each record has facts of its own; each hospital may have everything of its record."""
    a, b = world.hospital(database, "A"), world.hospital(database, "B")
    source, target = (world.patient(database, **SAME) for _ in range(2))
    for person, hospital in ((source, a), (target, b)):
        world.link(database, person, hospital)
        world.consent(database, person, hospital)
    groups = [world.group(database) for _ in range(2)]
    sessions = [world.session(database, each) for each in groups]
    world.session(database, groups[0], world.now() + timedelta(days=2))
    enrollments = [
        facts(database, person, of, held, score)
        for score, (person, of, held) in enumerate(
            zip((source, target), groups, sessions, strict=True), 1
        )
    ]
    return Scene(database, a, b, source, target, groups, sessions, enrollments)
