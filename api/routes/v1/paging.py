"""Keyset paging, once for every list: rows by id, a cursor that callers do not read.

https://www.rfc-editor.org/rfc/rfc8288
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import Depends, Query
from sqlmodel import Session, col
from sqlmodel.sql.expression import SelectOfScalar

from service.errors import InvalidError
from service.models.base import Row

R = TypeVar("R", bound=Row)
T = TypeVar("T")

PAGE = 50
LARGEST_PAGE = 200
INVALID = "must be a cursor from the `next` link of this list"


@dataclass(frozen=True)
class Paging:
    limit: int
    cursor: str | None = None


async def paging(
    limit: Annotated[
        int, Query(ge=1, le=LARGEST_PAGE, description="Most items on a page", examples=[PAGE])
    ] = PAGE,
    cursor: Annotated[
        str | None, Query(max_length=500, description="From the `next` link; not to be made up")
    ] = None,
) -> Paging:
    return Paging(limit, cursor)


Paged = Annotated[Paging, Depends(paging)]


def encode(*parts: str) -> str:
    return base64.urlsafe_b64encode("|".join(parts).encode()).decode().rstrip("=")


def decode(cursor: str, count: int) -> list[str]:
    """Return the parts of a cursor, or raise InvalidError where it is not one of ours."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        parts = raw.decode().split("|")
    except (ValueError, binascii.Error):
        parts = []
    if len(parts) != count or any("\x00" in part for part in parts):
        raise InvalidError(INVALID, element="cursor")
    return parts


def decode_id(cursor: str) -> UUID:
    """Return the id after which the page begins."""
    (part,) = decode(cursor, 1)
    try:
        return UUID(hex=part)
    except ValueError:
        raise InvalidError(INVALID, element="cursor") from None


def cut(found: Sequence[T], limit: int) -> tuple[list[T], T | None]:
    """Return a page of what was found and, where more follows, its last item."""
    page = list(found[:limit])
    return page, page[-1] if len(found) > limit else None


def rows_after(
    session: Session, statement: SelectOfScalar[R], table: type[R], page: Paging
) -> tuple[list[R], str | None]:
    """Return one page of rows in the order of their ids, and the cursor of the next."""
    if page.cursor is not None:
        statement = statement.where(col(table.id) > decode_id(page.cursor))
    found = session.exec(statement.order_by(col(table.id)).limit(page.limit + 1)).all()
    rows, last = cut(found, page.limit)
    return rows, encode(last.id.hex) if last else None
