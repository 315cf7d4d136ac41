"""Rows by id, and the version a caller has seen: what every domain function begins with."""

from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

from sqlmodel import Session

from service.errors import InvalidError, NotFoundError, RequiredError, VersionError
from service.models.base import Row

R = TypeVar("R", bound=Row)


def get(session: Session, table: type[R], row_id: UUID, element: str | None = None) -> R:
    """Return the row.

    Raises:
        NotFoundError: there is none, and the id came from the address.
        InvalidError: there is none, and the id stood in `element` of the request.
    """
    row = session.get(table, row_id)
    if row is not None:
        return row
    what = f"there is no {table.__name__} with this id"
    if element is None:
        raise NotFoundError(what)
    raise InvalidError(what, element=element)


def check_version(row: Row, if_match: int | None) -> None:
    """Raise VersionError unless the caller has seen the current version, or did not say."""
    if if_match is not None and row.row_version != if_match:
        raise VersionError(
            f"the current version is {row.row_version}; read it again before changing it"
        )


def require_text(value: object, element: str) -> None:
    """Raise RequiredError where a text that must say something says nothing."""
    if not isinstance(value, str) or not value.strip():
        raise RequiredError("must not be empty", element=element)


def require_offset(moment: datetime, element: str) -> datetime:
    """Return the moment in UTC; raise InvalidError where it has no offset."""
    if moment.tzinfo is None:
        raise InvalidError("a time needs its offset, such as Z or +01:00", element=element)
    return moment.astimezone(UTC)


def apply(row: Row, changed: dict[str, object]) -> None:
    """Set only what differs, so that a request that changes nothing writes nothing."""
    for name, value in changed.items():
        if getattr(row, name) != value:
            setattr(row, name, value)
