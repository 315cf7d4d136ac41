"""What an operator has begun, by name, in the transaction of whoever asks."""

from sqlmodel import Session

from service import driver

SELECT = "SELECT value, at FROM upkeep WHERE name = ?"
WRITE = (
    "INSERT INTO upkeep (name, value, at) VALUES (?, ?, ?)"
    " ON CONFLICT (name) DO UPDATE SET value = excluded.value, at = excluded.at"
)
END = "DELETE FROM upkeep WHERE name = ?"


def under_way(session: Session, name: str) -> tuple[str, int] | None:
    """Return what was noted and when, in microseconds since 1970; None where nothing was begun."""
    rows = driver.fetched(session, SELECT, (name,))
    return (rows[0][0], rows[0][1]) if rows else None


def note(session: Session, name: str, value: str, at: int) -> None:
    driver.execute(session, WRITE, (name, value, at))


def end(session: Session, name: str) -> None:
    driver.execute(session, END, (name,))
