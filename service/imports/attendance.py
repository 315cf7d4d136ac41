"""Who came to which session; a session that is not known yet is added."""

from uuid import UUID

from sqlmodel import select

from service.commands import CreateSession, Mark, RecordAttendance
from service.errors import BusinessRuleError, RequiredError
from service.imports.cells import moment, one_of
from service.imports.finding import PERSON, group, person
from service.imports.rows import Done, Outcome, Work
from service.imports.tables import Column, Kind, Values
from service.models.enrollments import Attendance, AttendanceMark
from service.models.groups import Session


def put(work: Work, values: Values) -> Done:
    """Record a mark; one that is there and says otherwise is corrected."""
    who, where = person(work.session, values), group(work.session, values["group"])
    held = _session(work, where, values)
    mine = select(Attendance.mark, Attendance.arrived_at).where(
        Attendance.session_id == held, Attendance.patient_id == who
    )
    before = work.session.exec(mine).first()
    if before is not None and tuple(before) == (values["mark"], values["arrived_at"]):
        return Done(Outcome.KNOWN)
    mark = Mark(patient_id=who, mark=values["mark"], arrived_at=values["arrived_at"])
    work.run(RecordAttendance(session_id=held, marks=(mark,), recorded_by=work.by))
    return Done(Outcome.ADDED if before is None else Outcome.CHANGED)


def _session(work: Work, where: UUID, values: Values) -> UUID:
    """Return the session of this group that begins then."""
    start, end = values["session_start"], values["session_end"]
    at = select(Session).where(Session.group_id == where, Session.start == start)
    known = work.session.exec(at).first()
    if known is not None:
        if end is not None and end != known.end:
            rule = "the session that is known ends at another time"
            raise BusinessRuleError(rule, element="session_end")
        return known.id
    if end is None:
        rule = "the group has no session then; with its end it is added"
        raise RequiredError(rule, element="session_end")
    added: Session = work.run(CreateSession(group_id=where, start=start, end=end))
    return added.id


ATTENDANCE = Kind(
    "attendance",
    (
        *PERSON,
        Column("group", example="circle-1", required=True),
        Column("session_start", moment, "2026-01-20T18:00:00+01:00", required=True),
        Column("session_end", moment, "2026-01-20T19:30:00+01:00"),
        Column("mark", one_of(AttendanceMark), "present", required=True),
        Column("arrived_at", moment),
    ),
    put,
    {
        "group_id": "group",
        "start": "session_start",
        "end": "session_end",
        "marks[0].patient_id": "patient_id",
        "marks[0].arrived_at": "arrived_at",
        "": "session_start",
    },
)
