"""The service closed for a while: one row, which every process looks at again each second."""

from dataclasses import dataclass

from sqlmodel import Session

from service import upkeep

NAME = "maintenance"
RETRY_SECONDS = 120
SELECT = upkeep.SELECT


@dataclass(frozen=True)
class Maintenance:
    """Since when, in microseconds since 1970, and after how long a caller should come back."""

    since: int
    retry_after: int


def begin(session: Session, retry_after: int, at: int) -> None:
    """Close the service; who is told already keeps the moment it began."""
    known = status(session)
    upkeep.note(session, NAME, str(retry_after), known.since if known else at)


def end(session: Session) -> None:
    upkeep.end(session, NAME)


def status(session: Session) -> Maintenance | None:
    """Return the maintenance that is on, or None."""
    noted = upkeep.under_way(session, NAME)
    return of_row(noted) if noted else None


def of_row(row: tuple[str, int]) -> Maintenance:
    retry_after, since = row
    return Maintenance(since=since, retry_after=int(retry_after))
