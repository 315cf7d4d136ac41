"""Whether somebody is on call at every hour of the week for a group whose forms can alert.

Outside hours without anybody on call, no questionnaire with safety items is used.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session, col, select

from service.errors import RequiredError
from service.instruments import load_instruments
from service.models.groups import GroupStatus, SupportGroup
from service.models.safety import Contact, ContactRole
from service.safety.evaluation import may_alert
from service.safety.policy import policy_of
from service.safety.routing import is_on_duty

ON_CALL = "safety_on_call"  # in a session's info: required, or named by the group is enough
REQUIRED = "required"
QUARTERS = 7 * 24 * 4  # of an hour in a week


def on_call_of(session: Session, group_id: UUID | None) -> list[Contact]:
    """Return who is on call for members of this group, the programme's own and the group's."""
    found = select(Contact).where(
        col(Contact.active).is_(True),
        Contact.role == ContactRole.ON_CALL,
        col(Contact.connection_id).is_(None),
        col(Contact.group_id).is_(None) | (col(Contact.group_id) == group_id),
    )
    return list(session.exec(found))


def uncovered(on_call: Sequence[Contact], now: datetime) -> datetime | None:
    """Return the first quarter of an hour of the week to come in which nobody is on call."""
    if any(each.hours is None for each in on_call):
        return None
    quarter = timedelta(minutes=15)
    begin = now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0)
    moments = (begin + number * quarter for number in range(QUARTERS))
    return next((m for m in moments if not any(is_on_duty(c, m) for c in on_call)), None)


def raises_alerts(session: Session, group: SupportGroup) -> bool:
    """Tell whether a questionnaire of this group can raise an alert."""
    policy, known = policy_of(session), load_instruments()
    return any(may_alert(policy, known[name]) for name in group.instruments.split())


def require_on_call(session: Session, group: SupportGroup, now: datetime) -> None:
    """Raise RequiredError where an alert of an active group could come when nobody is on call."""
    if session.info.get(ON_CALL) != REQUIRED or group.status is not GroupStatus.ACTIVE:
        return
    if not raises_alerts(session, group):
        return
    gap = uncovered(on_call_of(session, group.id), now)
    if gap is not None:
        raise RequiredError(
            "a group whose questionnaires have safety items needs contacts that are on call at"
            f" every hour before it is active; nobody is on {gap:%A at %H:%M} UTC",
            element="status",
        )


def without_on_call(session: Session, now: datetime) -> int:
    """Return how many active groups could raise an alert when nobody is on call."""
    active = session.exec(select(SupportGroup).where(SupportGroup.status == GroupStatus.ACTIVE))
    return sum(
        raises_alerts(session, each) and uncovered(on_call_of(session, each.id), now) is not None
        for each in active
    )
