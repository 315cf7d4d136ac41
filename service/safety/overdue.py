"""Alerts that nobody took up or resolved in time, or of which nobody is left to be told."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_
from sqlmodel import Session, col, func, or_, select

from service.models.screening import Alert, AlertState
from service.safety.transitions import UNANSWERED


def is_overdue(now: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Return the two conditions: not acknowledged in time, not resolved in time."""
    unanswered = col(Alert.state).in_(UNANSWERED)
    unresolved = col(Alert.state) != AlertState.RESOLVED
    return (
        and_(unanswered, col(Alert.due_at) <= now),
        and_(unresolved, col(Alert.close_by) <= now),
    )


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """How many alerts are not resolved, and of these overdue, or without anybody to be told."""

    unresolved: int
    overdue: int
    unreached: int


def waiting(session: Session, now: datetime) -> Waiting:
    unresolved = col(Alert.state) != AlertState.RESOLVED
    unanswered = col(Alert.state).in_(UNANSWERED)

    def count(*where: ColumnElement[bool]) -> int:
        return session.exec(select(func.count()).select_from(Alert).where(*where)).one()

    return Waiting(
        unresolved=count(unresolved),
        overdue=count(or_(*is_overdue(now))),
        unreached=count(unanswered, col(Alert.nobody_left_at).is_not(None)),
    )
