"""Where the time comes from: a function that is passed in, so that tests can set it."""

from collections.abc import Callable
from datetime import UTC, datetime

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """Return the present time, in UTC."""
    return datetime.now(UTC)


def microseconds(moment: datetime) -> int:
    """Return `moment` as microseconds since 1970, the unit of the document store."""
    delta = moment - EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds
