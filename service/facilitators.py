"""Facilitators and places: who leads groups, and where."""

from datetime import datetime

from sqlmodel import Session

from service.commands import CreateFacilitator, CreatePlace
from service.errors import ValueSetError
from service.models.groups import Facilitation, Facilitator, Place
from service.rows import require_text


def create_facilitator(session: Session, command: CreateFacilitator, _now: datetime) -> Facilitator:
    """Add someone who leads groups, as a peer or as a professional."""
    require_text(command.family, "family")
    require_text(command.given, "given")
    if command.kind is Facilitation.CO_LED:
        raise ValueSetError("a person is a peer or a professional", element="kind")
    row = Facilitator(**vars(command))
    session.add(row)
    return row


def create_place(session: Session, command: CreatePlace, _now: datetime) -> Place:
    """Add a place where groups meet."""
    require_text(command.name, "name")
    row = Place(name=command.name, **vars(command.address))
    session.add(row)
    return row
