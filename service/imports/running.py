"""An import as it runs: all or nothing, the good rows only, or none at all to see what would be.

ADR 0027. Nobody else writes while rows are taken in; the first that is rejected ends an import of
all or nothing, and the file is then gone through once more to find the others.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from sqlmodel import Session as DbSession

from service.database import Database, Settle
from service.enrollments.waitlist import LATER
from service.errors import AlongsideError, BusyError, ProjectionError
from service.guard import savepoint
from service.imports.report import Report, Tally
from service.imports.rows import Record, Rejection, Source, Work, rejections

CHUNK = 100


class Mode(StrEnum):
    WHOLE = "whole"
    PARTIAL = "partial"
    DRY_RUN = "dry-run"


class _RejectedError(Exception):
    """A row of an import of all or nothing is not taken in."""

    def __init__(self, found: tuple[Rejection, ...]) -> None:
        super().__init__()
        self.found = found


@dataclass(frozen=True)
class Import:
    """One import; `progress` is told how much of the file was read."""

    database: Database
    source: Source
    by: str
    report: Report
    progress: Callable[[int], object] = lambda _read: None

    def run(self, mode: Mode) -> None:
        """Take the file in; what became of it is in the report."""
        {Mode.WHOLE: self._whole, Mode.PARTIAL: self._partial, Mode.DRY_RUN: self._examine}[mode]()

    def _whole(self) -> None:
        try:
            self.database.unit_of_work_alone(self._all_or_nothing)
        except _RejectedError as error:
            self.report.forget()
            self._examine()
            if not self.report.total.rejected:  # what forbade the row is gone since
                self.report.forget()
                self.report.add(Tally(rejected=1, rejections=list(error.found)))

    def _all_or_nothing(self, session: DbSession, settle: Settle) -> None:
        for chunk in self._chunks():
            work, tally = self._work(session), Tally()
            for record in chunk:
                _put(self.source, work, record, tally)
            settle()
            self._count(chunk, tally)

    def _examine(self) -> None:
        """Find every row that is rejected, and leave nothing."""

        def work(session: DbSession, settle: Settle) -> None:
            for chunk in self._chunks():
                tally = self._sorted(session, chunk)
                settle()
                self._count(chunk, tally)

        self.database.unit_of_work_alone(work, keep=False)

    def _partial(self) -> None:
        """Take in what can be, each chunk for itself."""
        for chunk in self._chunks():
            tally = self.database.unit_of_work_alone(
                lambda session, _settle, rows=chunk: self._sorted(session, rows)  # type: ignore[misc]
            )
            self._count(chunk, tally)

    def _sorted(self, session: DbSession, chunk: Iterable[Record]) -> Tally:
        """Take in each row that can be, and undo the others."""
        work, tally = self._work(session), Tally()
        for record in chunk:
            try:
                with savepoint(session):
                    _put(self.source, work, record, tally)
            except _RejectedError as error:
                tally.reject(error.found)
        return tally

    def _work(self, session: DbSession) -> Work:
        session.info[LATER] = True  # a file says who waits before it says who has a seat
        return Work(session, self.database.clock(), self.by)

    def _chunks(self) -> Iterator[list[Record]]:
        records = iter(self.source.records())
        while chunk := list(islice(records, CHUNK)):
            yield chunk

    def _count(self, chunk: list[Record], tally: Tally) -> None:
        self.report.add(tally)
        self.progress(chunk[-1].read)


def _put(source: Source, work: Work, record: Record, tally: Tally) -> None:
    """Take in one row, or raise what is wrong with it."""
    if record.ignored is not None:
        tally.ignored[record.ignored] += 1
        return
    if record.rejections:
        raise _RejectedError(record.rejections)
    try:
        done = source.put(work, record.values)
    except (BusyError, ProjectionError):  # no fault of the row
        raise
    except AlongsideError as error:
        raise _RejectedError(rejections(source, record, error)) from None
    tally.done(done)
