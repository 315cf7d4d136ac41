"""Cuts: what retention took out of the chains, said in the chain of the seals (ADR 0038).

A cut is a seal whose writer is `-writer-first`: the rows of the writer from `first` to the seal's
`seq` are gone, and the last of them had the seal's `hash`. The chain goes on from there.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from service.audit.chain import Head

MARK = "-"


def cuts_of(rows: Iterable[Any]) -> Iterator[Head]:
    """Yield the cut of each run of rows (writer, seq, hash), which come in order."""
    first = 0
    last: Head | None = None
    for writer, seq, kept in rows:
        head = Head(writer, seq, bytes(kept))
        if last is None or (head.writer, head.seq - 1) != (last.writer, last.seq):
            if last is not None:
                yield _cut(last, first)
            first = seq
        last = head
    if last is not None:
        yield _cut(last, first)


def _cut(last: Head, first: int) -> Head:
    return Head(f"{MARK}{last.writer}{MARK}{first}", last.seq, last.hash)


class Cuts:
    """What the seals say is gone."""

    def __init__(self) -> None:
        self._runs: dict[str, dict[int, Head]] = defaultdict(dict)

    def add(self, sealed: Head) -> bool:
        """Take a seal's head, and tell whether it is a cut."""
        if not sealed.writer.startswith(MARK):
            return False
        writer, _, first = sealed.writer[1:].rpartition(MARK)
        self._runs[writer][int(first)] = Head(writer, sealed.seq, sealed.hash)
        return True

    def after(self, head: Head) -> Head:
        """Return the last row that is gone right after this one, or the row itself."""
        runs = self._runs.get(head.writer, {})
        while (found := runs.get(head.seq + 1)) is not None:
            head = found
        return head

    def covers(self, head: Head) -> bool:
        """Tell whether this row is among those that are gone."""
        runs = self._runs.get(head.writer, {})
        return any(first <= head.seq <= run.seq for first, run in runs.items())

    def __len__(self) -> int:
        return sum(len(runs) for runs in self._runs.values())
