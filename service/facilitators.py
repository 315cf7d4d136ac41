"""Facilitators and places: who leads groups, and where."""

from datetime import date, datetime, timedelta

from sqlmodel import Session, col, func, select

from service.commands import (
    AddCredential,
    ArrangeSupervision,
    CreateFacilitator,
    CreatePlace,
    RecordSupervision,
    UpdateCredential,
    UpdateFacilitator,
    changes,
)
from service.errors import BusinessRuleError, InvalidError, ValueSetError, VersionError
from service.models.facilitation import Credential, Supervision, SupervisionSession
from service.models.groups import Facilitation, Facilitator, Place
from service.rows import apply, check_version, get, require_text

FURTHEST_EAST = timedelta(hours=14)  # where a day begins first: no day there has begun later


def create_facilitator(session: Session, command: CreateFacilitator, _now: datetime) -> Facilitator:
    """Add someone who leads groups, as a peer or as a professional."""
    row = Facilitator(**vars(command))
    _check_facilitator(row)
    session.add(row)
    return row


def update_facilitator(session: Session, command: UpdateFacilitator, _now: datetime) -> Facilitator:
    """Change a facilitator; who leads no group any more is not active."""
    row = get(session, Facilitator, command.facilitator_id)
    check_version(row, command.if_match)
    apply(row, changes(command, "family", "given", "kind", "name_is_public", "active"))
    with session.no_autoflush:
        _check_facilitator(row)
    return row


def _check_facilitator(row: Facilitator) -> None:
    require_text(row.family, "family")
    require_text(row.given, "given")
    if row.kind is Facilitation.CO_LED:
        raise ValueSetError("a person is a peer or a professional", element="kind")


def add_credential(session: Session, command: AddCredential, now: datetime) -> Credential:
    """Record what a facilitator holds; a renewed one is a further one of the same kind."""
    get(session, Facilitator, command.facilitator_id)
    row = Credential(**vars(command))
    _check_credential(row, now)
    session.add(row)
    return row


def update_credential(session: Session, command: UpdateCredential, now: datetime) -> Credential:
    """Correct a credential, or have it count no more."""
    row = get(session, Credential, command.credential_id)
    check_version(row, command.if_match)
    apply(row, changes(command, "kind", "issuer", "number", "issued", "expires", "counts"))
    with session.no_autoflush:
        _check_credential(row, now)
    return row


def _check_credential(row: Credential, now: datetime) -> None:
    require_text(row.kind, "kind")
    require_text(row.issuer, "issuer")
    if row.issued:
        _refuse_future(row.issued, now, "issued")
    if row.issued and row.expires and row.expires < row.issued:
        raise InvalidError("must not lie before the day it was issued", element="expires")


def _refuse_future(day: date, now: datetime, element: str) -> None:
    if day > (now + FURTHEST_EAST).date():
        raise InvalidError("must not lie in the future", element=element)


def supervision_of(session: Session, facilitator: Facilitator) -> Supervision | None:
    """Return who supervises this person, if that is arranged."""
    found = select(Supervision).where(Supervision.facilitator_id == facilitator.id)
    return session.exec(found).one_or_none()


def arrange_supervision(
    session: Session, command: ArrangeSupervision, _now: datetime
) -> Supervision:
    """Say who supervises a facilitator and, if a day was set, when the next session is due."""
    person = get(session, Facilitator, command.facilitator_id)
    _check_supervisor(session, command)
    row = supervision_of(session, person)
    if row is None:
        if command.if_match is not None:
            raise VersionError("no supervision is arranged yet")
        row = Supervision(facilitator_id=person.id)
        session.add(row)
    else:
        check_version(row, command.if_match)
    apply(row, changes(command, "supervisor_id", "contact", "next_due"))
    return row


def _check_supervisor(session: Session, command: ArrangeSupervision) -> None:
    if (command.supervisor_id is None) == (command.contact is None):
        raise InvalidError("either a facilitator or a named contact", element="supervisor_id")
    if command.contact is not None:
        require_text(command.contact, "contact")
    elif command.supervisor_id == command.facilitator_id:
        raise BusinessRuleError("nobody supervises themselves", element="supervisor_id")
    elif command.supervisor_id is not None:
        get(session, Facilitator, command.supervisor_id, "supervisor_id")


def record_supervision(
    session: Session, command: RecordSupervision, now: datetime
) -> SupervisionSession:
    """Record a supervision session; the newest one says when the next is due."""
    person = get(session, Facilitator, command.facilitator_id)
    arranged = supervision_of(session, person)
    if arranged is None:
        raise BusinessRuleError("first say who supervises this person")
    require_text(command.recorded_by, "recorded_by")
    _refuse_future(command.held_on, now, "held_on")
    if command.next_due and command.next_due <= command.held_on:
        raise InvalidError("must lie after the day it was held", element="next_due")
    last = _last_held(session, person)
    row = SupervisionSession(
        facilitator_id=person.id,
        supervisor_id=arranged.supervisor_id,
        contact=arranged.contact,
        held_on=command.held_on,
        recorded_by=command.recorded_by,
    )
    session.add(row)
    if last is None or command.held_on >= last:
        apply(arranged, {"next_due": command.next_due})
    return row


def _last_held(session: Session, person: Facilitator) -> date | None:
    own = col(SupervisionSession.facilitator_id) == person.id
    return session.exec(select(func.max(SupervisionSession.held_on)).where(own)).one()


def create_place(session: Session, command: CreatePlace, _now: datetime) -> Place:
    """Add a place where groups meet."""
    require_text(command.name, "name")
    row = Place(name=command.name, **vars(command.address))
    session.add(row)
    return row
