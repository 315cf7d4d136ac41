"""Concerns: raised by anyone in the programme, told to the supervisor, closed by a person.

What the supervisor is told is the row itself: kind, group, session, severity and time. What was
said stays in a table of its own (ADR 0023).
"""

from datetime import datetime

from sqlmodel import Session as DbSession
from sqlmodel import col, func, select
from sqlmodel.sql.expression import SelectOfScalar

from service.commands import AcknowledgeConcern, CloseConcern, RaiseConcern
from service.errors import BusinessRuleError, InvalidError
from service.facilitators import supervision_of
from service.models.concerns import Concern, ConcernState, ConcernStatement
from service.models.groups import Facilitator, GroupStatus, Session, SupportGroup
from service.rows import check_version, get, require_text
from service.settings import Oversight


def raise_concern(session: DbSession, command: RaiseConcern, now: datetime) -> Concern:
    """Keep a concern, with whom it is for; one that is for nobody is kept all the same."""
    group = get(session, SupportGroup, command.group_id)
    require_text(command.raised_by, "raised_by")
    if command.session_id is not None:
        held = get(session, Session, command.session_id, "session_id")
        if held.group_id != group.id:
            raise InvalidError("must be a session of this group", element="session_id")
    row = Concern(
        group_id=group.id,
        session_id=command.session_id,
        kind=command.kind,
        severity=command.severity,
        raised_at=now,
    )
    _address(session, row, group)
    session.add(row)
    session.flush()  # the statement refers to it
    session.add(
        ConcernStatement(
            concern_id=row.id, raised_by=command.raised_by, statement=command.statement
        )
    )
    return row


def _address(session: DbSession, row: Concern, group: SupportGroup) -> None:
    """Set whom the concern is for: the facilitator's supervisor, else the group's contact."""
    person = session.get(Facilitator, group.facilitator_id) if group.facilitator_id else None
    arranged = supervision_of(session, person) if person else None
    if arranged is not None:
        row.supervisor_id, row.contact = arranged.supervisor_id, arranged.contact
    else:
        row.contact = group.escalation_contact


def acknowledge_concern(session: DbSession, command: AcknowledgeConcern, now: datetime) -> Concern:
    """Note that somebody has taken the concern up; it is no longer overdue."""
    row = get(session, Concern, command.concern_id)
    check_version(row, command.if_match)
    if row.state is ConcernState.CLOSED:
        raise BusinessRuleError("the concern is closed already")
    require_text(command.by, "by")
    if command.hold_group:
        _hold_group(session, row)
    if row.state is ConcernState.OPEN:
        row.state = ConcernState.ACKNOWLEDGED
        row.acknowledged_at, row.acknowledged_by = now, command.by
    return row


def close_concern(session: DbSession, command: CloseConcern, now: datetime) -> Concern:
    """Close a concern; whoever closes one that is open has acknowledged it with that."""
    row = acknowledge_concern(session, AcknowledgeConcern(**vars(command)), now)
    row.state = ConcernState.CLOSED
    row.closed_at, row.closed_by = now, command.by
    return row


def _hold_group(session: DbSession, row: Concern) -> None:
    """Put the group on hold in the same transaction; one that is on hold stays so."""
    group = get(session, SupportGroup, row.group_id)
    if group.status not in {GroupStatus.ACTIVE, GroupStatus.ON_HOLD}:
        rule = f"the group is {group.status.value}; only an active group is put on hold"
        raise BusinessRuleError(rule, element="hold_group")
    if group.status is GroupStatus.ACTIVE:
        group.status = GroupStatus.ON_HOLD


def overdue(oversight: Oversight, now: datetime) -> SelectOfScalar[Concern]:
    """Return the statement for the concerns that nobody acknowledged in time."""
    return select(Concern).where(
        Concern.state == ConcernState.OPEN,
        col(Concern.raised_at) <= now - oversight.acknowledge_within,
    )


def count(session: DbSession, statement: SelectOfScalar[Concern]) -> int:
    """Return how many concerns a statement finds."""
    return session.exec(select(func.count()).select_from(statement.subquery())).one()
