"""Invitations: by one, one piece of software registers itself, with no more than it says.

RFC 7591 calls the token of one the initial access token.
https://www.rfc-editor.org/rfc/rfc7591#section-1.2
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session, col, select

from service import driver
from service.clock import microseconds
from service.errors import NotFoundError, ValueSetError
from service.models.connections import Confidentiality, Connection, Invitation
from service.models.purposes import Purpose
from service.rows import get
from service.smart.clients import SECRET_BYTES, check_scopes, hashed

LONGEST = timedelta(days=90)
# Whoever ends it has it: of two who come at once, one waits for the other's row and finds it ended.
END = (
    "UPDATE invitations SET ended_at = ?, row_version = row_version + 1"
    " WHERE token_hash = ? AND ended_at IS NULL AND expires_at > ? RETURNING id"
)


@dataclass(frozen=True, kw_only=True)
class NewInvitation:
    """The most that the software may be given."""

    scopes: tuple[str, ...]
    lasts: timedelta
    connection_id: UUID | None = None
    ceiling: Confidentiality = Confidentiality.RESTRICTED
    roster_role: bool = False
    purpose: Purpose = Purpose.TREATMENT


def invite(session: Session, new: NewInvitation, now: datetime) -> tuple[Invitation, str]:
    """Return an invitation with its token, which nobody can read again.

    Raises:
        InvalidError: a scope or the time is not one that can be had.
    """
    check_scopes(new.scopes, new.connection_id)
    if new.connection_id is not None:
        get(session, Connection, new.connection_id, "connection_id")
    if not timedelta() < new.lasts <= LONGEST:
        rule = f"an invitation lasts at most {LONGEST.days} days"
        raise ValueSetError(rule, element="expires")
    token = secrets.token_urlsafe(SECRET_BYTES)
    invitation = Invitation(
        token_hash=hashed(token),
        connection_id=new.connection_id,
        scopes=list(new.scopes),
        ceiling=new.ceiling,
        roster_role=new.roster_role,
        purpose=new.purpose,
        expires_at=microseconds(now + new.lasts),
    )
    session.add(invitation)
    session.flush()
    return invitation, token


def find(session: Session, token_hash: str, now: datetime) -> Invitation | None:
    """Return the invitation of this token, where it can still be used."""
    statement = select(Invitation).where(
        Invitation.token_hash == token_hash,
        col(Invitation.ended_at).is_(None),
        col(Invitation.expires_at) > microseconds(now),
    )
    return session.exec(statement).one_or_none()


def use(session: Session, token_hash: str, now: datetime) -> Invitation | None:
    """End the invitation and return it; nothing where somebody else has done so."""
    at = microseconds(now)
    found = driver.fetched(session, END, (at, token_hash, at))
    return get(session, Invitation, driver.as_uuid(found[0][0])) if found else None


def open_invitations(session: Session, now: datetime) -> Sequence[Invitation]:
    """Return those that can still be used."""
    statement = select(Invitation).where(
        col(Invitation.ended_at).is_(None), col(Invitation.expires_at) > microseconds(now)
    )
    return session.exec(statement.order_by(col(Invitation.id))).all()


def withdraw(session: Session, invitation_id: UUID, now: datetime) -> None:
    """Let nobody use it any more.

    Raises:
        NotFoundError: it cannot be used anyway.
    """
    invitation = session.get(Invitation, invitation_id, with_for_update=True)
    if invitation is None or invitation.ended_at is not None:
        raise NotFoundError("there is no invitation of this id that can still be used")
    invitation.ended_at = microseconds(now)


def of_client(session: Session, client_id: UUID) -> Invitation:
    """Return the invitation by which a client registered itself."""
    return session.exec(select(Invitation).where(Invitation.client_id == client_id)).one()
