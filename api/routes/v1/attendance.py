"""Attendance of a session: all its marks in one transaction, corrections keep what was there.

https://www.rfc-editor.org/rfc/rfc9110
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field
from sqlmodel import Session as DbSession
from sqlmodel import col, func, select

from api.routes.v1.calls import Call, Reading, Writing, answer, show_list
from api.routes.v1.paging import Paged, rows_after
from api.routes.v1.preconditions import SeenVersion
from api.routes.v1.schema import Body, Moment, Page, Schema, Text
from service.attendance import attendance_of, attendance_version
from service.commands import Mark, RecordAttendance
from service.errors import InvalidElementsError, NotFoundError, Problem
from service.models.enrollments import Attendance, AttendanceChange, AttendanceMark, Enrollment
from service.models.groups import Session
from service.rows import get

router = APIRouter(tags=["attendance"])

PERSON = ["0199b7c2-6b02-7e11-a2d4-9c3f5e7a1b20"]
ARRIVED = ["2026-01-06T18:20:00-05:00"]
ARRIVED_OUT = ["2026-01-06T23:20:00Z"]
BY = "On whose behalf; the client's name when left out"
VERSION = "Raised by every new mark and every correction of the session; also the ETag"


class MarkIn(Body):
    patient_id: UUID = Field(description="Who", examples=PERSON)
    mark: AttendanceMark = Field(description="How they attended", examples=["late"])
    arrived_at: Moment | None = Field(
        default=None, description="With the mark `late` only", examples=ARRIVED
    )


class AttendanceIn(Body):
    marks: list[MarkIn] = Field(
        max_length=1000,
        description="A mark that is there already is corrected; people left out stay as they are",
        examples=[[MarkIn.example()]],
    )
    recorded_by: Text | None = Field(default=None, description=BY, examples=["Ngozi Okafor"])


class OneMarkIn(Body):
    mark: AttendanceMark = Field(description="How they attended", examples=["late"])
    arrived_at: Moment | None = Field(
        default=None, description="With the mark `late` only", examples=ARRIVED
    )
    recorded_by: Text | None = Field(default=None, description=BY, examples=["Ngozi Okafor"])


class MarkOut(Schema):
    patient_id: UUID = Field(description="Who", examples=PERSON)
    enrollment_id: UUID = Field(
        description="As member by which enrolment",
        examples=["0199b7c2-8a10-7d01-9b2c-3c4d5e6f7081"],
    )
    mark: AttendanceMark = Field(description="How they attended", examples=["late"])
    arrived_at: datetime | None = Field(description="When they came", examples=ARRIVED_OUT)
    recorded_by: str = Field(description="Who said so", examples=["Ngozi Okafor"])
    guest: bool = Field(
        default=False, description="Came to this session without being a member", examples=[False]
    )
    corrections: int = Field(
        default=0, description="How often it was corrected; the history has each", examples=[0]
    )


class OneMarkOut(MarkOut):
    session_id: UUID = Field(
        description="Of which session", examples=["0199b7c2-9c1f-7a53-9d3e-5b8f0c2a4e61"]
    )
    version: int = Field(description=VERSION, examples=[1])


class AttendanceOut(Schema):
    session_id: UUID = Field(
        description="Of which session", examples=["0199b7c2-9c1f-7a53-9d3e-5b8f0c2a4e61"]
    )
    version: int = Field(description=VERSION, examples=[1])
    marks: list[MarkOut] = Field(
        description="All marks, in the order they were first recorded",
        examples=[[MarkOut.example()]],
    )


class ReplacedMark(Schema):
    mark: AttendanceMark = Field(description="What was recorded", examples=["late"])
    arrived_at: datetime | None = Field(description="When they came", examples=ARRIVED_OUT)
    recorded_by: str = Field(description="Who said so", examples=["Ngozi Okafor"])
    replaced_at: datetime = Field(
        description="When it was corrected", examples=["2026-01-07T09:00:00Z"]
    )
    replaced_by: str = Field(description="Who corrected it", examples=["programme"])


class AttendanceHistory(Page):
    items: list[ReplacedMark]


@router.get("/sessions/{session_id}/attendance", response_model=AttendanceOut)
def read_attendance(call: Reading, session_id: UUID) -> Response:
    return _show(call, session_id)


@router.put("/sessions/{session_id}/attendance", response_model=AttendanceOut)
def record_attendance(
    call: Writing, seen: SeenVersion, session_id: UUID, body: AttendanceIn
) -> Response:
    """Record or correct the marks of a session in one transaction: all of them, or none."""
    call.about(mark.patient_id for mark in body.marks)
    marks = tuple(Mark(**mark.values()) for mark in body.marks)
    by = call.by(body.recorded_by)
    call.execute(
        RecordAttendance(session_id=session_id, marks=marks, recorded_by=by, if_match=seen)
    )
    return _show(call, session_id)


@router.put("/sessions/{session_id}/attendance/{patient_id}", response_model=OneMarkOut)
def record_mark(
    call: Writing, seen: SeenVersion, session_id: UUID, patient_id: UUID, body: OneMarkIn
) -> Response:
    """Record or correct one person's mark; versions are those of the session's attendance."""
    mark = Mark(patient_id=patient_id, mark=body.mark, arrived_at=body.arrived_at)
    by = call.by(body.recorded_by)
    command = RecordAttendance(session_id=session_id, marks=(mark,), recorded_by=by, if_match=seen)
    with refused_as_one():
        call.execute(command)
    return show_mark(call, session_id, patient_id)


@router.get(
    "/sessions/{session_id}/attendance/{patient_id}/history", response_model=AttendanceHistory
)
def read_mark_history(call: Reading, page: Paged, session_id: UUID, patient_id: UUID) -> Response:
    """What a person's mark said before each correction, oldest first."""

    def work(session: DbSession) -> tuple[list[ReplacedMark], str | None]:
        row = _mark(session, session_id, patient_id)
        found = select(AttendanceChange).where(AttendanceChange.attendance_id == row.id)
        changes, cursor = rows_after(session, found, AttendanceChange, page)
        return [ReplacedMark.model_validate(change) for change in changes], cursor

    return show_list(call, AttendanceHistory, call.read(work))


def show_mark(call: Call, session_id: UUID, patient_id: UUID) -> Response:
    """Return one mark with the version of the whole session's attendance."""
    whole = call.read(lambda session: _attendance(session, session_id))
    (one,) = (each for each in whole.marks if each.patient_id == patient_id)
    found = {**dict(one), "session_id": session_id, "version": whole.version}
    return answer(call, OneMarkOut.model_validate(found), whole.version)


@contextmanager
def refused_as_one() -> Iterator[None]:
    """Name the fields of a refusal as the request has them, which holds one mark and no list."""
    try:
        yield
    except InvalidElementsError as error:
        problems = (
            Problem(each.element.removeprefix("marks[0]."), each.rule, each.code)
            for each in error.problems
        )
        raise InvalidElementsError(tuple(problems)) from None


def _show(call: Call, session_id: UUID) -> Response:
    found = call.read(lambda session: _attendance(session, session_id))
    call.about(mark.patient_id for mark in found.marks)
    return answer(call, found, found.version)


def _attendance(session: DbSession, session_id: UUID) -> AttendanceOut:
    get(session, Session, session_id)
    rows = attendance_of(session, session_id)
    counts, guests = _corrections(session, rows), _guests(session, rows)
    marks = [
        {
            **row.model_dump(),
            "guest": row.enrollment_id in guests,
            "corrections": counts.get(row.id, 0),
        }
        for row in rows
    ]
    found = {"session_id": session_id, "version": attendance_version(rows), "marks": marks}
    return AttendanceOut.model_validate(found)


def _corrections(session: DbSession, rows: Sequence[Attendance]) -> dict[UUID, int]:
    of = col(AttendanceChange.attendance_id)
    statement = select(of, func.count()).where(of.in_([row.id for row in rows])).group_by(of)
    return {attendance_id: count for attendance_id, count in session.exec(statement)}  # noqa: C416


def _guests(session: DbSession, rows: Sequence[Attendance]) -> set[UUID]:
    ids = [row.enrollment_id for row in rows]
    statement = select(Enrollment.id).where(col(Enrollment.id).in_(ids), col(Enrollment.guest))
    return set(session.exec(statement))


def _mark(session: DbSession, session_id: UUID, patient_id: UUID) -> Attendance:
    get(session, Session, session_id)
    found = session.exec(
        select(Attendance).where(
            Attendance.session_id == session_id, Attendance.patient_id == patient_id
        )
    ).first()
    if found is None:
        raise NotFoundError("the session has no mark of this person")
    return found
