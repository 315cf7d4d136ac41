"""Restrictions: a person's data is kept, and nothing about them goes to a hospital (ADR 0039)."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from service.commands import LiftRestriction, RestrictProcessing
from service.driver import columns
from service.errors import BusinessRuleError, DuplicateError, InvalidError, RestrictedError
from service.models.subjects import Erasure, Restriction
from service.patients import current
from service.rows import check_version, get, require_offset, require_text

BY_CLOCK = "its end"
RULE = "processing about this person is restricted: the privacy officer can lift that"


def restrict_processing(
    session: Session, command: RestrictProcessing, now: datetime
) -> Restriction:
    """Restrict what is done with a person's data from now on.

    Raises:
        DuplicateError: it is restricted already.
    """
    current(session, command.patient_id)
    for name in ("reason", "restricted_by"):
        require_text(getattr(command, name), name)
    until = None if command.until is None else require_offset(command.until, "until")
    if until is not None and until <= now:
        raise InvalidError("must lie in the future", element="until")
    if restricted(session, [command.patient_id], now):
        raise DuplicateError("processing about this person is restricted already: lift that first")
    row = Restriction(
        patient_id=command.patient_id,
        reason=command.reason,
        until=until,
        restricted_at=now,
        restricted_by=command.restricted_by,
        created_at=now,
    )
    session.add(row)
    return row


def lift_restriction(session: Session, command: LiftRestriction, now: datetime) -> Restriction:
    """Let the person's consents and links count again."""
    row = get(session, Restriction, command.restriction_id)
    check_version(row, command.if_match)
    require_text(command.lifted_by, "lifted_by")
    if not is_in_force(row, now):
        raise BusinessRuleError("the restriction has ended already")
    erased = select(Erasure.id).where(Erasure.patient_id == row.patient_id)
    if session.exec(erased).first() is not None:
        raise BusinessRuleError("what is kept of data that was erased stays restricted")
    row.lifted_at, row.lifted_by = now, command.lifted_by
    return row


def is_in_force(row: Restriction, now: datetime) -> bool:
    return row.lifted_at is None and _lasts(row.until, now)


def was_in_force(row: Restriction, at: datetime) -> bool:
    """Tell whether it held at a moment that may be past, whatever became of it since."""
    return row.restricted_at <= at and _lasts(row.lifted_at, at) and _lasts(row.until, at)


def _lasts(until: datetime | None, now: datetime) -> bool:
    return until is None or now < until


def end_by_clock(row: Restriction, now: datetime) -> bool:
    """Lift a restriction whose end has come; tell whether this was one."""
    if row.lifted_at is not None or row.until is None or row.until > now:
        return False
    row.lifted_at, row.lifted_by = row.until, BY_CLOCK
    return True


def restricted(
    session: Session, patients: Iterable[UUID], now: datetime
) -> dict[UUID, datetime | None]:
    """Return which of these people are restricted now, and until when."""
    return {
        row["patient_id"]: row["until"]
        for row in columns(session, Restriction, patients, "patient_id")
        if row["lifted_at"] is None and _lasts(row["until"], now)
    }


def unlifted() -> SelectOfScalar[UUID]:
    """Select the people of whom a restriction was not lifted; who ends by the clock is, too."""
    return select(Restriction.patient_id).where(col(Restriction.lifted_at).is_(None))


def require_unrestricted(
    session: Session, patient_id: UUID, now: datetime, element: str | None = None
) -> None:
    """Raise RestrictedError where nothing new may be recorded about the person."""
    if restricted(session, [patient_id], now):
        raise RestrictedError(RULE, element=element)
