"""A row of a file on its way in: what was read, what became of it, and why it was rejected."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, NamedTuple, Protocol

from sqlmodel import Session as DbSession

from service.errors import AlongsideError
from service.handlers import HANDLERS
from service.models.base import Row


class Outcome(Enum):
    """What a row has changed."""

    ADDED = "added"
    CHANGED = "changed"
    KNOWN = "known already"


class Done(NamedTuple):
    """What a row has done, and whether it raised an alert."""

    outcome: Outcome
    alert: bool = False


class Rejection(NamedTuple):
    """Why a row is not taken in; nothing of it is quoted."""

    row: int
    column: str
    rule: str


@dataclass(frozen=True, kw_only=True)
class Record:
    """One row: its values, or why they cannot be read, or what it is that nobody asked for.

    `row` is the line on which it begins, or the number of the entry; `read` how much of the file
    was read up to it.
    """

    row: int
    read: int
    values: Any = None
    rejections: tuple[Rejection, ...] = ()
    ignored: str | None = None


@dataclass(frozen=True)
class Work:
    """The unit of work that rows are taken in by; `by` is who is said to have done it."""

    session: DbSession
    now: datetime
    by: str

    def run(self, command: Any) -> Any:  # noqa: ANN401 - each command has its result
        """Run a command as it runs for everybody, under the lock that this unit of work has."""
        result = HANDLERS[type(command)].run(self.session, command, self.now)
        self.session.flush()
        return result

    def change(self, row: Row, command: Any) -> Outcome:  # noqa: ANN401
        """Run a command that may change this row, and return whether it did."""
        before = row.row_version
        self.run(command)
        return Outcome.KNOWN if row.row_version == before else Outcome.CHANGED


class Source(Protocol):
    """A file of one kind."""

    def records(self) -> Iterator[Record]:
        """Yield every row, from the beginning; it may be asked again."""

    def put(self, work: Work, values: Any) -> Done:  # noqa: ANN401 - of each kind
        """Take in one row, or find that it is there already."""

    def column(self, element: str, values: Any) -> str:  # noqa: ANN401
        """Return the column of what a command calls `element`."""


def rejections(source: Source, record: Record, error: AlongsideError) -> tuple[Rejection, ...]:
    """Return what a command had to say against a row."""
    return tuple(
        Rejection(record.row, source.column(problem.element, record.values), problem.rule)
        for problem in error.problems
    )
