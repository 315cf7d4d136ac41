"""Support groups: what they are for, and when they may run."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session

from service.commands import CreateGroup, UpdateGroup, changes
from service.errors import BusinessRuleError, InvalidError, RequiredError, ValueSetError
from service.instruments import load_instruments
from service.models.groups import Facilitator, GroupStatus, Place, Sensitivity, SupportGroup
from service.progress.plans import check_plans, plans_of
from service.rows import apply, check_version, get, require_text
from service.safety import require_on_call
from service.series import require_joinable
from service.standing import require_led

LONGEST_OFFER_HOURS = 8_760
TEXTS = ("public_name", "neutral_name", "purpose", "topic", "language")


def create_group(session: Session, command: CreateGroup, now: datetime) -> SupportGroup:
    """Add a group; one about substance use counts as Part 2 unless the operator says otherwise."""
    values = {**vars(command), **_columns(vars(command))}
    if command.part2 is None:
        values["part2"] = command.sensitivity is Sensitivity.SUBSTANCE_USE
    row = SupportGroup(**values)
    _check(session, row)
    _check_leader(session, row.facilitator_id)
    require_on_call(session, row, now)
    session.add(row)
    return row


def update_group(session: Session, command: UpdateGroup, now: datetime) -> SupportGroup:
    """Change a group."""
    row = get(session, SupportGroup, command.group_id)
    check_version(row, command.if_match)
    given = changes(command)
    if given.get("status") is GroupStatus.DRAFT is not row.status:
        raise BusinessRuleError("a group does not become a draft again", element="status")
    given |= _columns(given)
    leader, before = row.facilitator_id, (row.status, row.instruments)
    apply(row, {k: v for k, v in given.items() if k not in {"group_id", "if_match"}})
    with session.no_autoflush:
        _check(session, row)
        if row.facilitator_id != leader:
            _check_leader(session, row.facilitator_id)
        if (row.status, row.instruments) != before:
            require_on_call(session, row, now)
    return row


def _columns(given: dict[str, Any]) -> dict[str, object]:
    """Return how lists are stored, of those that are given."""
    found: dict[str, object] = {}
    if "instruments" in given:
        found["instruments"] = " ".join(given["instruments"])
    if "measurement" in given:
        found["measurement"] = [plan.stored for plan in given["measurement"]]
    return found


def _check(session: Session, row: SupportGroup) -> None:
    for name in TEXTS:
        require_text(getattr(row, name), name)
    if row.capacity < 1:
        raise InvalidError("must be at least 1", element="capacity")
    if row.offer_hours is not None and not 1 <= row.offer_hours <= LONGEST_OFFER_HOURS:
        raise InvalidError(f"must be 1 to {LONGEST_OFFER_HOURS}", element="offer_hours")
    if row.place_id:
        get(session, Place, row.place_id, "place_id")
    _check_safety(row)
    check_plans(plans_of(row.measurement), row.instruments.split())


def _check_leader(session: Session, facilitator_id: UUID | None) -> None:
    """Refuse to give a group to somebody who leads none any more."""
    if facilitator_id and not get(session, Facilitator, facilitator_id, "facilitator_id").active:
        raise BusinessRuleError("the facilitator is not active", element="facilitator_id")


def _check_safety(row: SupportGroup) -> None:
    """Refuse a group that could raise an alert which reaches nobody."""
    known = load_instruments()
    names = row.instruments.split()
    for name in names:
        if name not in known:
            raise ValueSetError(f"known are {', '.join(sorted(known))}", element="instruments")
    safety = any(known[name].safety for name in names)
    contact = (row.escalation_contact or "").strip()
    if row.status is GroupStatus.ACTIVE and safety and not contact:
        raise RequiredError(
            "a group whose questionnaires have safety items needs one before it is active",
            element="escalation_contact",
        )


def require_open(session: Session, row: SupportGroup, now: datetime) -> None:
    """Raise BusinessRuleError unless people may be enrolled."""
    if row.status is not GroupStatus.ACTIVE:
        raise BusinessRuleError(f"the group is {row.status.value}; only an active group enrols")
    require_joinable(session, row.id, now)
    require_led(session, row, now)
