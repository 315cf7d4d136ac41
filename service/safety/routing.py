"""Who is told of an alert: the person's own clinicians and on-call; never the group.

A hospital is told of its own response, or of the programme's where the person's consent permits
alerts; never without a link, and of nobody who is restricted. Each owner of contacts has a list
of its own: when it is told does not depend on whether there is another (ADR 0042).
"""

from collections import defaultdict
from datetime import datetime
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
Owner = UUID | None  # of contacts: a hospital, or the programme


def lists(session: Session, alert: Alert, tier: Tier, now: datetime) -> dict[Owner, list[Contact]]:
    """Return of each owner who is told, in order: by role, and in it the group's before all's.

    Who is on duty comes first; who is not, only where nobody of the owner on duty is left.
    """
    found: dict[Owner, list[Contact]] = defaultdict(list)
    known = [each for each in contacts_for(session, alert, now) if each.role in tier.route]
    for each in sorted(known, key=lambda one: _rank(one, tier, now)):
        found[each.connection_id].append(each)
    return found


def _rank(contact: Contact, tier: Tier, now: datetime) -> tuple[bool, int, bool]:
    role = tier.route.index(contact.role)
    return not is_on_duty(contact, now), role, contact.group_id is None


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
    """Return the hospitals that may be told: those that may have the alert's documents now.

    It is the one that sent the response, else by consent.
    """
    if restricted(session, [alert.patient_id], now):
        return []
    linked = _linked(session, alert)
    if alert.connection_id is not None:
        return [each.id for each in linked if each.id == alert.connection_id]
    content = Content(Category.ALERTS, _is_part2(session, alert), *LABELS)
    return [
        each.id
        for each in linked
        if _disclosure(session, alert, each, now).purposes(content) & TREATMENT_ONLY
    ]


def _linked(session: Session, alert: Alert) -> list[Connection]:
    """Return the hospitals with contacts that the person is linked to."""
    with_contacts = select(Contact.connection_id).where(col(Contact.connection_id).is_not(None))
    linked = (
        select(Connection)
        .join(Link, col(Link.connection_id) == col(Connection.id))
        .where(Link.patient_id == alert.patient_id, col(Link.undone_at).is_(None))
        .where(col(Connection.id).in_(with_contacts))
        .order_by(col(Connection.id))
    )
    return list(session.exec(linked).unique())


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


def is_on_duty(contact: Contact, now: datetime) -> bool:
    """Tell whether these are the contact's hours, on the clocks of its time zone."""
    if contact.hours is None:
        return True
    wall = now.astimezone(ZoneInfo(contact.time_zone))
    return any(
        wall.weekday() in each["days"] and each["from"] <= f"{wall:%H:%M}" < each["until"]
        for each in contact.hours
    )
