"""Who is told of an alert: the person's own clinicians and on-call; never the group.

A hospital is told of its own response, or of the programme's where the person's consent permits
alerts. Its contacts are told beside those of other hospitals and without them: when a hospital
is told does not depend on whether there is another (ADR 0042).
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import zip_longest
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, or_, select

from service.disclosures import Disclosure, declared
from service.models.connections import Confidentiality, Connection
from service.models.consents import Category, Consent
from service.models.groups import SupportGroup
from service.models.patients import Link
from service.models.provisions import Label
from service.models.purposes import TREATMENT_ONLY
from service.models.safety import Contact
from service.models.screening import Alert
from service.restrictions import restricted
from service.safety.policy import Tier
from service.weighing import Content

LABELS = (Confidentiality.VERY_RESTRICTED.value, Label.PSYCHIATRY.value)  # an alert's
Round = tuple[Contact, ...]  # who is told at once


def rounds(session: Session, alert: Alert, tier: Tier, now: datetime) -> list[Round]:
    """Return who is told, round by round: by role, and in it hospitals, the group's, the rest.

    Who is on duty comes first; who is not, only where nobody on duty is left.
    """
    found = contacts_for(session, alert, now)
    on_duty = [each for each in found if is_on_duty(each, now)]
    others = [each for each in found if each not in on_duty]
    return [*_ordered(on_duty, tier), *_ordered(others, tier)]


def contacts_for(session: Session, alert: Alert, now: datetime) -> list[Contact]:
    """Return everybody who may be told of this alert."""
    table = Contact
    hospitals = permitted(session, alert, now)
    mine = or_(
        col(table.connection_id).in_(hospitals),
        col(table.connection_id).is_(None)
        & (col(table.group_id).is_(None) | (col(table.group_id) == alert.group_id)),
    )
    found = select(table).where(col(table.active).is_(True), mine)
    return list(session.exec(found.order_by(col(table.place), col(table.id))))


def may_be_told(session: Session, alert: Alert, contact: Contact, now: datetime) -> bool:
    """Tell whether this contact may be told still: consents and contacts change meanwhile."""
    return any(each.id == contact.id for each in contacts_for(session, alert, now))


def permitted(session: Session, alert: Alert, now: datetime) -> list[UUID]:
    """Return the hospitals that may be told: the one that sent the response, else by consent."""
    if alert.connection_id is not None:
        return [alert.connection_id]
    with_contacts = select(Contact.connection_id).where(col(Contact.connection_id).is_not(None))
    linked = (
        select(Connection)
        .join(Link, col(Link.connection_id) == col(Connection.id))
        .where(Link.patient_id == alert.patient_id, col(Link.undone_at).is_(None))
        .where(col(Connection.id).in_(with_contacts))
        .order_by(col(Connection.id))
    )
    if restricted(session, [alert.patient_id], now):
        return []
    content = Content(Category.ALERTS, _is_part2(session, alert), *LABELS)
    return [
        each.id
        for each in session.exec(linked).unique()
        if _disclosure(session, alert, each, now).purposes(content) & TREATMENT_ONLY
    ]


def _is_part2(session: Session, alert: Alert) -> bool:
    group = session.get(SupportGroup, alert.group_id) if alert.group_id else None
    return group is not None and group.part2


def _disclosure(
    session: Session, alert: Alert, connection: Connection, now: datetime
) -> Disclosure:
    found = select(Consent).where(
        Consent.patient_id == alert.patient_id, Consent.connection_id == connection.id
    )
    said = tuple(declared(vars(each)) for each in session.exec(found))
    return Disclosure(policy=connection.policy, consents=said, now=now)


def _ordered(contacts: Iterable[Contact], tier: Tier) -> Iterator[Round]:
    known = list(contacts)
    for role in tier.route:
        of_role = [each for each in known if each.role is role]
        hospitals: dict[UUID, list[Contact]] = {}
        for each in of_role:
            if each.connection_id is not None:
                hospitals.setdefault(each.connection_id, []).append(each)
        for side_by_side in zip_longest(*hospitals.values()):
            yield tuple(each for each in side_by_side if each is not None)
        own = [each for each in of_role if each.connection_id is None]
        yield from ((each,) for each in own if each.group_id is not None)
        yield from ((each,) for each in own if each.group_id is None)


def is_on_duty(contact: Contact, now: datetime) -> bool:
    """Tell whether these are the contact's hours, on the clocks of its time zone."""
    if contact.hours is None:
        return True
    wall = now.astimezone(ZoneInfo(contact.time_zone))
    return any(
        wall.weekday() in each["days"] and each["from"] <= f"{wall:%H:%M}" < each["until"]
        for each in contact.hours
    )
