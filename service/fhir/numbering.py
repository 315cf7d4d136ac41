"""The numbers by which index rows name their documents: each is greater than those before it.

What is written together then lies together in the indexes (ADR 0044).
https://www.postgresql.org/docs/current/functions-sequence.html
"""

import threading
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from sqlalchemy import Engine
from sqlmodel import Session

from service.fhir.statements import rows_of

BLOCK = 1000  # what the sequence counts in
NEXT_BLOCK = "SELECT nextval('document_blocks')"
LAST = "SELECT max(number) FROM documents"


@dataclass
class Numbers:
    """Numbers that nobody else has, up to `end`; threads share them."""

    following: int = 0
    end: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, session: Session) -> int:
        with self.lock:
            if self.following == self.end:
                ((block,),) = rows_of(session, NEXT_BLOCK, ())
                self.following, self.end = block * BLOCK, (block + 1) * BLOCK
            self.following += 1
            return self.following - 1


_numbers: WeakKeyDictionary[Engine, Numbers] = WeakKeyDictionary()
_guard = threading.Lock()


def next_number(session: Session) -> int:
    """Return the number of a document that is about to be written.

    On SQLite there is one writer: numbers go on from the last. On PostgreSQL each process has a
    block of them, of which a transaction that is undone leaves some out.
    """
    if session.get_bind().dialect.name == "sqlite":
        return _after_the_last(session)
    return _of_process(session.get_bind().engine).take(session)


def _of_process(engine: Engine) -> Numbers:
    found = _numbers.get(engine)
    if found is None:
        with _guard:
            found = _numbers.setdefault(engine, Numbers())
    return found


def _after_the_last(session: Session) -> int:
    last = session.info.get(LAST)
    if last is None:
        last = rows_of(session, LAST, ())[0][0] or 0
    session.info[LAST] = last + 1
    return int(last) + 1
