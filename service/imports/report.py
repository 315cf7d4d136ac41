"""What an import did: how many rows, and why the others were rejected.

https://owasp.org/www-community/attacks/CSV_Injection
"""

import csv
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from service.errors import InvalidError
from service.imports.rows import Done, Outcome, Rejection

SHOWN = 20
FORMULA = ("=", "+", "-", "@", "\t", "\r")
HEADER = ("row", "column", "rule")


@dataclass
class Tally:
    """What became of a few rows."""

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    ignored: Counter[str] = field(default_factory=Counter)
    alerts: int = 0
    rejected: int = 0
    rejections: list[Rejection] = field(default_factory=list)

    def done(self, done: Done) -> None:
        self.outcomes[done.outcome] += 1
        self.alerts += done.alert

    def reject(self, rejections: tuple[Rejection, ...]) -> None:
        self.rejected += 1
        self.rejections += rejections


@dataclass
class Report:
    """The whole of it; only the first rejections are kept, all are handed to `write`."""

    write: Callable[[Rejection], object] = lambda _rejection: None
    total: Tally = field(default_factory=Tally)

    def add(self, tally: Tally) -> None:
        """Count these rows too, now that it is certain what became of them."""
        self.total.outcomes += tally.outcomes
        self.total.ignored += tally.ignored
        self.total.alerts += tally.alerts
        self.total.rejected += tally.rejected
        for each in tally.rejections:
            self.write(each)
            if len(self.total.rejections) < SHOWN:
                self.total.rejections.append(each)

    def forget(self) -> None:
        """Begin again: what was counted was undone."""
        self.total = Tally()


@contextmanager
def reporting(path: Path | None) -> Iterator[Report]:
    """Yield a report whose rejections are also written to a CSV file, where there is one."""
    if path is None:
        yield Report()
        return
    try:
        file = path.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise InvalidError(f"{path} cannot be written: {error.strerror}") from error
    with file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        yield Report(lambda each: writer.writerow([each.row, *map(escaped, each[1:])]))


def escaped(cell: str) -> str:
    """Return the cell so that no spreadsheet takes it for a formula."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell
