"""Single occurrences of a series: cancelled, moved, or added beside the rule.

https://www.rfc-editor.org/rfc/rfc5545#section-3.8.5.1
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import NoReturn

from sqlmodel import Session as DbSession
from sqlmodel import select

from service.commands import AddExtraSession, ExceptOccurrence, UpdateSession
from service.errors import BusinessRuleError, DuplicateError, InvalidError
from service.models.groups import Place, Recurrence, Session, SessionStatus
from service.models.series import Series
from service.planning import Arrangement, arrangement_of, revive, session_at, sessions_of
from service.recurrence import moment
from service.rows import get
from service.series import LONGEST_MINUTES, require_plannable
from service.sessions import update_session

REACH = timedelta(days=2 * 366)


def except_occurrence(session: DbSession, command: ExceptOccurrence, now: datetime) -> Session:
    """Cancel or move one occurrence; one that is not planned yet is planned for it."""
    if (command.reason is None) == (command.moved_to is None):
        raise InvalidError("give `reason` to cancel it, or `moved_to`", element="reason")
    row = get(session, Series, command.series_id)
    meant = arrangement_of(row)
    found = _planned(session, row, command.occurrence)
    if found is None:
        found = _plan_one(session, row, meant, command.occurrence, now)
    if command.moved_to is None:
        change = UpdateSession(
            session_id=found.id, status=SessionStatus.CANCELLED, cancel_reason=command.reason
        )
    elif found.status is SessionStatus.CANCELLED:
        raise BusinessRuleError("it is cancelled: take that back first", element="occurrence")
    else:
        _check_reach(meant, command.moved_to, now, "moved_to")
        start = moment(command.moved_to, meant.where)
        change = UpdateSession(
            session_id=found.id, start=start, end=start + (found.end - found.start)
        )
    return update_session(session, change, now)


def add_extra_session(session: DbSession, command: AddExtraSession, now: datetime) -> Session:
    """Add a session beside the rule; one that had fallen away at that time comes back."""
    row = get(session, Series, command.series_id)
    require_plannable(session, row.group_id)
    meant = _asked(session, arrangement_of(row), command)
    if row.ended_from is not None and command.start.date() >= row.ended_from:
        raise BusinessRuleError("the series has ended by then", element="start")
    _check_reach(meant, command.start, now, "start")
    at = moment(command.start, meant.where)
    for each in sessions_of(session, row):
        if each.occurrence is not None and moment(each.occurrence, meant.where) == at:
            if each.recurrence is not Recurrence.DROPPED:
                _refuse_second()
            revive(each, meant, Recurrence.EXTRA, now)
            return each
    if meant.has(command.start):
        _refuse_second()
    found = session_at(row, meant, command.start, Recurrence.EXTRA)
    session.add(found)
    return found


def _refuse_second() -> NoReturn:
    raise DuplicateError("the series has a session then", element="start")


def _asked(session: DbSession, meant: Arrangement, command: AddExtraSession) -> Arrangement:
    """Return the series' arrangement with what is asked for the extra session alone."""
    minutes = meant.minutes if command.minutes is None else command.minutes
    if not 1 <= minutes <= LONGEST_MINUTES:
        raise InvalidError(f"must be from 1 to {LONGEST_MINUTES}", element="minutes")
    if command.place_id is not None:
        get(session, Place, command.place_id, "place_id")
    return replace(meant, minutes=minutes, place_id=command.place_id or meant.place_id)


def _planned(session: DbSession, row: Series, wall: datetime) -> Session | None:
    found = select(Session).where(
        Session.series_id == row.id,
        Session.occurrence == wall,
        Session.recurrence != Recurrence.DROPPED,
    )
    return session.exec(found).first()


def _plan_one(
    session: DbSession, row: Series, meant: Arrangement, wall: datetime, now: datetime
) -> Session:
    require_plannable(session, row.group_id)
    _check_reach(meant, wall, now, "occurrence")
    if not meant.has(wall):
        raise InvalidError("is no occurrence of the series", element="occurrence")
    found = session_at(row, meant, wall)
    session.add(found)
    session.flush()
    return found


def _check_reach(meant: Arrangement, wall: datetime, now: datetime, element: str) -> None:
    if not now - REACH <= moment(wall, meant.where) <= now + REACH:
        raise InvalidError("must lie within two years of today", element=element)
