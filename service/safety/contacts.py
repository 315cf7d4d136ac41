"""Contacts: who is told of alerts, by which channel, in which hours, for whose patients."""

import re
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from sqlmodel import Session

from service import outbox
from service.commands import CreateContact, TestContact, UpdateContact, changes
from service.errors import BusinessRuleError, InvalidError, RequiredError
from service.models.connections import Connection
from service.models.groups import SupportGroup
from service.models.safety import Channel, Contact
from service.rows import apply, check_version, get, require_text

TEST = "contact.test"
MAILBOX = re.compile(r"[^@\s<>,;:\"()\[\]\\]+@[A-Za-z0-9.-]+")
TIME = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d|24:00")
LAST_DAY = 6


def create_contact(session: Session, command: CreateContact, _now: datetime) -> Contact:
    """Add a contact: a hospital's, a group's, or one for everybody."""
    if command.connection_id and command.group_id:
        raise BusinessRuleError("is a hospital's or a group's, not both", element="group_id")
    if command.connection_id:
        get(session, Connection, command.connection_id, "connection_id")
    if command.group_id:
        get(session, SupportGroup, command.group_id, "group_id")
    row = Contact(**vars(command))
    _check(row)
    session.add(row)
    return row


def update_contact(session: Session, command: UpdateContact, _now: datetime) -> Contact:
    """Change a contact; one that is not active is told nothing."""
    row = get(session, Contact, command.contact_id)
    check_version(row, command.if_match)
    given = changes(command)
    apply(row, {k: v for k, v in given.items() if k not in {"contact_id", "if_match"}})
    with session.no_autoflush:
        _check(row)
    return row


def test_contact(session: Session, command: TestContact, now: datetime) -> Contact:
    """Write a message that says it is a test; how it went is shown by the outbox."""
    row = get(session, Contact, command.contact_id)
    payload = {"contact": str(row.id)}
    outbox.put(session, outbox.New(kind=TEST, payload=payload, lane=f"contact:{row.id}"), now)
    return row


def _check(row: Contact) -> None:
    require_text(row.name, "name")
    _check_address(row)
    if row.time_zone not in available_timezones():
        raise InvalidError("must be a time zone of the IANA list", element="time_zone")
    ZoneInfo(row.time_zone)
    for number, each in enumerate(row.hours or ()):
        _check_hours(each, f"hours[{number}]")
    if row.hours == []:
        raise RequiredError("leave it out for always, or name hours", element="hours")


def _check_address(row: Contact) -> None:
    if row.channel is Channel.EMAIL:
        if not MAILBOX.fullmatch(row.address):
            raise InvalidError("must be an e-mail address", element="address")
        return
    if urlsplit(row.address).scheme not in {"https", "http"}:
        raise InvalidError("must begin with https://", element="address")
    if row.secret is None:
        raise RequiredError("a webhook needs one, by which it is signed", element="secret")


def _check_hours(each: dict[str, Any], element: str) -> None:
    if not each["days"] or not all(0 <= day <= LAST_DAY for day in each["days"]):
        raise InvalidError("are days from 0, Monday, to 6", element=f"{element}.days")
    for name in ("from", "until"):
        if not TIME.fullmatch(each[name]):
            raise InvalidError("must be as in 09:00", element=f"{element}.{name}")
    if each["from"] >= each["until"]:
        rule = "must be after `from`; a night is two entries, to 24:00 and from 00:00"
        raise InvalidError(rule, element=f"{element}.until")
