"""What stands in a cell of a CSV file, as a value; whatever it is not is named by its rule.

https://www.rfc-editor.org/rfc/rfc3339
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, time, tzinfo
from enum import StrEnum
from typing import Any
from uuid import UUID

from service.errors import InvalidError, ValueSetError

LARGEST = 2_147_483_647  # what a column of either database holds
WHOLE = re.compile(r"[0-9]{1,10}")
NUL = "\0"  # PostgreSQL's text cannot hold it

Read = Callable[[str, tzinfo | None], Any]


def text(cell: str, _zone: tzinfo | None) -> str:
    if NUL in cell:
        raise InvalidError("must not hold the character U+0000")
    try:
        cell.encode()
    except UnicodeEncodeError:
        raise InvalidError("must be UTF-8") from None
    return cell


def whole(cell: str, _zone: tzinfo | None) -> int:
    if not WHOLE.fullmatch(cell) or int(cell) > LARGEST:
        raise InvalidError("must be a whole number, such as 12")
    return int(cell)


def flag(cell: str, _zone: tzinfo | None) -> bool:
    if cell not in {"true", "false"}:
        raise ValueSetError("must be true or false")
    return cell == "true"


def row_id(cell: str, _zone: tzinfo | None) -> UUID:
    try:
        return UUID(cell)
    except ValueError:
        raise InvalidError("must be an id as /v1 gives it") from None


def words(cell: str, zone: tzinfo | None) -> tuple[str, ...]:
    return tuple(text(cell, zone).split())


def one_of(enum: type[StrEnum]) -> Read:
    """Return what reads a code."""

    def read(cell: str, _zone: tzinfo | None) -> StrEnum:
        try:
            return enum(cell)
        except ValueError:
            raise ValueSetError(f"must be one of {', '.join(enum)}") from None

    return read


def moment(cell: str, zone: tzinfo | None) -> datetime:
    """Return a date and time in UTC; without an offset it is of the zone that was named."""
    try:
        found = datetime.fromisoformat(cell)
    except ValueError:
        raise InvalidError("must be a date and time of ISO 8601, with its offset") from None
    if len(cell) <= len("2026-01-31"):
        raise InvalidError("must have its time of day, as in 2026-01-31T18:00:00+01:00")
    return _universal(found, zone)


def day_or_moment(cell: str, zone: tzinfo | None) -> datetime:
    """Return a moment in UTC; of a day alone its first, in the zone that was named."""
    try:
        day = datetime.strptime(cell, "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        return moment(cell, zone)
    return _universal(datetime.combine(day, time()), zone)


def _universal(found: datetime, zone: tzinfo | None) -> datetime:
    if found.tzinfo is None:
        if zone is None:
            raise InvalidError("needs its offset, such as Z or +01:00, or name a --time-zone")
        found = found.replace(tzinfo=zone)
        if found.utcoffset() != found.replace(fold=1).utcoffset():
            raise InvalidError("the clocks change at that hour: give the offset")
    try:
        return found.astimezone(UTC)
    except OverflowError:
        raise InvalidError("must be a date that a calendar has") from None
