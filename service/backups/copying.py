"""What each kind of database offers: to save itself, to check a copy and to load it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class RequireFree(Protocol):
    def __call__(self, url: str, *, replace: bool) -> None:
        """Raise BackupError where the database is in use, or not empty and not to be replaced."""


@dataclass(frozen=True)
class Copying:
    """How a kind of database is copied; a copy's name has this ending."""

    ending: str
    save: Callable[[str, Path], None]
    check: Callable[[Path], None]
    revision: Callable[[Path], str | None]
    require_free: RequireFree
    load: Callable[[str, Path], None]
