"""No answer begins once what it may show was taken away (ADR 0036).

A request notes, before it reads, how often anything was taken from its audience; before its first
byte it looks again. In one process nothing is taken away between that look and the byte: the
commit waits for answers that have begun to be sent, and those that follow wait for the commit.
"""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from sqlmodel import Session

from service.driver import fetched
from service.errors import BusyError, OccupiedError
from service.models.documents import PUBLIC

RAISED = "raised"
EPOCHS = "SELECT audience, epoch FROM disclosure_epochs WHERE audience IN (?, ?)"
RAISE = (
    "INSERT INTO disclosure_epochs (audience, epoch) VALUES (?, 1) ON CONFLICT (audience)"
    " DO UPDATE SET epoch = disclosure_epochs.epoch + 1 RETURNING epoch"
)
PAUSE_SECONDS = 0.001
COMMIT_SECONDS = 5.0  # that an answer waits for a commit
SENDING_SECONDS = 1.0  # that a commit waits for answers: whoever takes theirs slowly delays none

Epochs = Mapping[int, int]


class Noted(NamedTuple):
    """What a request knew before it read: of its audience, and of the public."""

    audience: int
    taken: tuple[int, int]
    epochs: tuple[int, int]


def raise_epochs(session: Session, audiences: Iterable[int]) -> None:
    """Note in this unit of work that something is taken away from these audiences."""
    raised: dict[int, int] = session.info.setdefault(RAISED, {})
    for audience in sorted(audiences):
        ((raised[audience],),) = fetched(session, RAISE, (audience,))


class Fence:
    """One process: which audiences something is being taken from, and who is being answered."""

    def __init__(self) -> None:
        self._state = threading.Condition()
        self._waiting = 0  # commits, for answers
        self._committing: Counter[int] = Counter()
        self._sending: Counter[int] = Counter()
        self._taken: Counter[int] = Counter()
        self._epochs: dict[int, int] = {}

    def knows(self, audience: int) -> bool:
        """Tell whether this process has seen the epochs of this audience."""
        return audience in self._epochs and PUBLIC in self._epochs

    def learn(self, audience: int, epochs: Epochs) -> None:
        """Remember the epochs that the database has; they only ever rise."""
        with self._state:
            for each in (audience, PUBLIC):
                self._epochs[each] = max(epochs.get(each, 0), self._epochs.get(each, 0))

    def forget(self) -> None:
        """Forget every epoch: the database is another one, in which they may have begun anew."""
        with self._state:
            self._epochs.clear()

    def note(self, audience: int) -> Noted:
        """Return what is known before anything is read; `_open` changes it the other way round."""
        return Noted(audience, self._taken_from(audience), self._known(audience))

    async def enter(self, noted: Noted) -> bool:
        """Begin to answer, False where something was taken away meanwhile; `leave` ends it.

        Raises:
            BusyError: what is being taken away takes too long.
        """
        until = time.monotonic() + COMMIT_SECONDS
        while (entered := self._entered(noted)) is None:
            if time.monotonic() > until:
                raise BusyError("what may be shown is being changed; try again in a moment")
            await asyncio.sleep(PAUSE_SECONDS)
        return entered

    def holds(self, noted: Noted, epochs: Epochs) -> bool:
        """Tell whether the database says so, too; what it says else is remembered."""
        found = (epochs.get(noted.audience, 0), epochs.get(PUBLIC, 0))
        if found == noted.epochs:
            return True
        self.learn(noted.audience, epochs)
        return False

    def leave(self, noted: Noted) -> None:
        """End what `enter` began: the first byte is out, or nothing was sent."""
        with self._state:
            self._sending[noted.audience] -= 1
            if self._waiting:
                self._state.notify_all()

    @contextmanager
    def closed(self, raised: Epochs, *, wait: bool = True) -> Iterator[None]:
        """Commit something that takes away from these audiences while none of them is answered.

        Raises:
            OccupiedError: one of them is, and this is not to `wait`.
        """
        if not raised:
            yield
            return
        self._close(raised, wait=wait)
        committed = False
        try:
            yield
            committed = True
        finally:
            self._open(raised, committed=committed)

    def _entered(self, noted: Noted) -> bool | None:
        """Enter where that may be; None stands for waiting."""
        with self._state:
            if self._taken_from(noted.audience) != noted.taken:
                return False
            if self._committing[noted.audience] or self._committing[PUBLIC]:
                return None
            self._sending[noted.audience] += 1
            return True

    def _close(self, raised: Epochs, *, wait: bool) -> None:
        with self._state:
            if not wait and self._answers(raised):
                raise OccupiedError("somebody is being answered")
            self._committing.update(raised.keys())
            self._waiting += 1
            self._state.wait_for(lambda: not self._answers(raised), SENDING_SECONDS)
            self._waiting -= 1

    def _open(self, raised: Epochs, *, committed: bool) -> None:
        with self._state:
            for audience, epoch in raised.items() if committed else ():
                self._epochs[audience] = max(epoch, self._epochs.get(audience, 0))
            self._taken.update(raised.keys())
            self._committing.subtract(raised.keys())

    def _answers(self, raised: Epochs) -> bool:
        """Tell whether one of these audiences is being answered; the public is everybody."""
        asked = self._sending if PUBLIC in raised else raised
        return any(self._sending[each] > 0 for each in asked)

    def _taken_from(self, audience: int) -> tuple[int, int]:
        return self._taken[audience], self._taken[PUBLIC]

    def _known(self, audience: int) -> tuple[int, int]:
        return self._epochs.get(audience, 0), self._epochs.get(PUBLIC, 0)
