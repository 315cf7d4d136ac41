"""What each kind of database offers: to save itself, to check a copy and to load it."""

from pathlib import Path
from typing import Protocol


class Copying(Protocol):
    """How a kind of database is copied: what its module offers. A copy's name has this ending."""

    ENDING: str

    def save(self, url: str, file: Path) -> None:
        """Copy the database, as of one moment."""

    def check(self, file: Path) -> None:
        """Raise BackupError unless the copy is whole."""

    def revision(self, file: Path) -> str | None:
        """Return the revision that the copy is at, or None where it is no installation."""

    def require_free(self, url: str, *, replace: bool) -> None:
        """Raise BackupError where the database is in use, or not empty and not to be replaced."""

    def load(self, url: str, file: Path) -> None:
        """Put the copy in the database's place."""
