"""Break-the-glass: one patient, one person with one client, for some minutes (ADR 0046)."""

from datetime import datetime

from sqlmodel import Session, col, select

from service.clock import microseconds
from service.commands import BreakGlass, EndGlass, GiveNotice, ReviewGlass
from service.errors import BusinessRuleError
from service.models.glass import BrokenGlass
from service.patients import current
from service.rows import check_version, get, require_text

BY_PERSON = "the person"
# What the read path asks, for a caller with a person behind it only.
OPEN = (
    "SELECT patient_id, purpose, connection_id FROM broken_glass"
    " WHERE person = ? AND closes_at > ? AND client = ?"
)


def break_glass(session: Session, command: BreakGlass, now: datetime) -> BrokenGlass:
    """Begin it; a second time is a row of its own, with its own reason and end."""
    current(session, command.patient_id)
    until = now + command.lasts
    row = BrokenGlass(
        patient_id=command.patient_id,
        connection_id=command.connection_id,
        client_id=command.client_id,
        client=command.client,
        person=command.person,
        purpose=command.purpose,
        reason=command.reason,
        begun_at=now,
        until=until,
        closes_at=microseconds(until),
        notice_due=command.notice,
        created_at=now,
    )
    session.add(row)
    return row


def end_glass(session: Session, command: EndGlass, now: datetime) -> int:
    """End each that is open; return how many there were."""
    current(session, command.patient_id)
    found = session.exec(
        select(BrokenGlass).where(
            BrokenGlass.patient_id == command.patient_id,
            BrokenGlass.person == command.person,
            BrokenGlass.client == command.client,
            col(BrokenGlass.closes_at) > microseconds(now),
        )
    ).all()
    for row in found:
        _end(row, now, BY_PERSON)
    return len(found)


def _end(row: BrokenGlass, now: datetime, by: str) -> None:
    row.ended_at, row.ended_by, row.closes_at = now, by, microseconds(now)


def review_glass(session: Session, command: ReviewGlass, now: datetime) -> BrokenGlass:
    """Record what the privacy officer found, once."""
    row = get(session, BrokenGlass, command.glass_id)
    check_version(row, command.if_match)
    require_text(command.reviewed_by, "reviewed_by")
    if row.verdict is not None:
        raise BusinessRuleError("it was reviewed already")
    row.verdict, row.reviewed_at, row.reviewed_by = command.verdict, now, command.reviewed_by
    if command.end and row.closes_at > microseconds(now):
        _end(row, now, command.reviewed_by)
    return row


def give_notice(session: Session, command: GiveNotice, now: datetime) -> BrokenGlass:
    """Note that the patient was told, once."""
    row = get(session, BrokenGlass, command.glass_id)
    check_version(row, command.if_match)
    require_text(command.given_by, "given_by")
    if row.notice_given_at is not None:
        raise BusinessRuleError("the notice was given already")
    row.notice_due, row.notice_given_at, row.notice_given_by = False, now, command.given_by
    return row
