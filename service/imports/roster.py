"""Who is in which group, and who was."""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import col, select

from service.commands import ChangeEnrollment, Enroll, RecordPastEnrollment
from service.errors import InvalidError, RequiredError
from service.imports.cells import day_or_moment, one_of
from service.imports.finding import PERSON, group, person
from service.imports.rows import Done, Outcome, Work
from service.imports.tables import Column, Kind, Values
from service.models.enrollments import Enrollment, EnrollmentStatus

_PROPOSED, WAITLISTED, OFFERED, ACTIVE, ON_HOLD, FINISHED = EnrollmentStatus


def put(work: Work, values: Values) -> Done:
    """Enrol, move on or finish; one that is over when it is first told of takes no seat."""
    who, where = person(work.session, values), group(work.session, values["group"])
    status = _status(values)
    known = _known(_mine(work, who, where), status, values)
    if known is not None:
        return Done(_move(work, known, status, values))
    if status is FINISHED:
        _record_past(work, who, where, values)
        return Done(Outcome.ADDED)
    begins = ACTIVE if status is ON_HOLD else status
    command = Enroll(patient_id=who, group_id=where, status=begins, start=values["start"])
    row = work.run(command)
    if status is ON_HOLD:
        held = ChangeEnrollment(enrollment_id=row.id, status=ON_HOLD, reason=values["reason"])
        work.run(held)
    return Done(Outcome.ADDED)


def _status(values: Values) -> EnrollmentStatus:
    """Return the status that is meant: with an end, the enrolment has finished."""
    over = values["end"] is not None
    status: EnrollmentStatus = values["status"] or (FINISHED if over else ACTIVE)
    if over and status is not FINISHED:
        raise InvalidError("an enrolment that has an end is finished", element="status")
    if status is FINISHED and not over:
        raise RequiredError("an enrolment that is finished has an end", element="end")
    return status


def _mine(work: Work, who: UUID, where: UUID) -> Sequence[Enrollment]:
    """Return the person's enrolments in the group; a guest's visit is none that a file tells of."""
    mine = select(Enrollment).where(
        Enrollment.patient_id == who, Enrollment.group_id == where, col(Enrollment.guest).is_(False)
    )
    return work.session.exec(mine.order_by(col(Enrollment.id))).all()


def _known(
    rows: Sequence[Enrollment], status: EnrollmentStatus, values: Values
) -> Enrollment | None:
    """Return the enrolment that began at `start`, or the one that waits to begin.

    Where the row does not say when, the one that has not finished, or that finished as it says.
    """
    start, end = values["start"], values["end"]
    if start is None:
        ended = (row for row in rows if status is FINISHED and row.end == end)
        return next((row for row in rows if row.status is not FINISHED), next(ended, None))
    began = next((row for row in rows if row.start == start), None)
    if began is not None or status is FINISHED:
        return began
    return next((row for row in rows if row.status not in {ACTIVE, ON_HOLD, FINISHED}), None)


def _move(work: Work, row: Enrollment, status: EnrollmentStatus, values: Values) -> Outcome:
    if (row.status, row.end) == (status, values["end"]):
        return Outcome.KNOWN
    if status is WAITLISTED and row.status is OFFERED:  # who has been offered a seat since
        return Outcome.KNOWN
    if row.status is FINISHED:
        raise InvalidError("it is recorded as finished at another time", element="end")
    command = ChangeEnrollment(
        enrollment_id=row.id,
        status=status,
        at=values["start"] if status is ACTIVE and row.status is not ON_HOLD else values["end"],
        reason=values["reason"],
    )
    return work.change(row, command)


def _record_past(work: Work, who: UUID, where: UUID, values: Values) -> None:
    for name in ("start", "reason"):
        if values[name] is None:
            raise RequiredError("an enrolment that is finished has one", element=name)
    command = RecordPastEnrollment(
        patient_id=who,
        group_id=where,
        start=values["start"],
        end=values["end"],
        reason=values["reason"],
    )
    work.run(command)


ROSTER = Kind(
    "roster",
    (
        *PERSON,
        Column("group", example="circle-1", required=True),
        Column("status", one_of(EnrollmentStatus), "active"),
        Column("start", day_or_moment, "2026-01-15T18:00:00+01:00"),
        Column("end", day_or_moment),
        Column("reason"),
    ),
    put,
    {"group_id": "group", "at": "end"},
)
