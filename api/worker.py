"""Delivers what the outbox holds: any number of workers, in processes of their own or beside API.

What a worker has claimed when it is killed is claimed by another when its lease is over.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from api.bootstrap import alerting_of
from api.context import Context
from service import maintenance, outbox
from service.clock import Clock
from service.database import Database
from service.errors import AlongsideError
from service.notifying import LEASE, Result
from service.outbox import Claim, Message
from service.safety.telling import take_up

POLL_SECONDS = 0.4
AFTER_FAILURE_SECONDS = 1.0

Handle = Callable[[Message], Result]

log = logging.getLogger("alongside.worker")


class Worker:
    """Claims messages of the kinds it knows, as many as it has threads, and handles them."""

    def __init__(
        self, database: Database, clock: Clock, handlers: Mapping[str, Handle], threads: int
    ) -> None:
        self.database = database
        self.clock = clock
        self.handlers = handlers
        self.threads = threads
        self._stopping = threading.Event()
        self._news = threading.Event()
        self._lock = threading.Lock()
        self._lanes: Counter[str] = Counter()
        self._busy = 0

    def wake(self) -> None:
        """Look at once: something was written, or a thread is free."""
        self._news.set()

    def stop(self) -> None:
        """Claim nothing more; what was claimed is handled to its end."""
        self._stopping.set()
        self.wake()

    def run(self) -> None:
        """Work until stopped."""
        self._begin()
        with ThreadPoolExecutor(self.threads, "deliver") as pool:
            while not self._stopping.is_set():
                for message in self._claimed():
                    pool.submit(self._handle, message)
                self._news.wait(POLL_SECONDS)
                self._news.clear()

    def once(self) -> int:
        """Handle what is due now, one after the other; return how many messages that was."""
        found = self._claimed()
        for message in found:
            self._handle(message)
        return len(found)

    def _begin(self) -> None:
        try:
            while self.database.unit_of_work(lambda session: take_up(session, self.clock())):
                pass
        except (AlongsideError, SQLAlchemyError) as error:
            _failed("worker.take-up-failed", error)

    def _claimed(self) -> list[Message]:
        with self._lock:
            free = self.threads - self._busy
            full = [lane for lane, n in self._lanes.items() if n >= max(1, self.threads // 2)]
        if free <= 0:
            return []
        wanted = Claim(kinds=tuple(self.handlers), limit=free, lease=LEASE, full=full)
        try:
            if not self.database.read(lambda session: self._is_due(session, wanted)):
                return []
            found = self.database.unit_of_work(
                lambda session: outbox.claim(session, wanted, self.clock())
            )
        except (AlongsideError, SQLAlchemyError) as error:
            _failed("worker.claim-failed", error)
            self._stopping.wait(AFTER_FAILURE_SECONDS)
            return []
        with self._lock:
            self._busy += len(found)
            self._lanes.update(each.lane for each in found if each.lane)
        return found

    def _is_due(self, session: Session, wanted: Claim) -> bool:
        if maintenance.status(session) is not None:
            return False
        return outbox.is_waiting(session, wanted, self.clock())

    def _handle(self, message: Message) -> None:
        try:
            result = self._result(message)
            self.database.unit_of_work(
                lambda session: self._settle(session, message, result), *result.locks
            )
        except (AlongsideError, SQLAlchemyError) as error:  # another takes it when its lease ends
            _failed("worker.settle-failed", error)
        finally:
            with self._lock:
                self._busy -= 1
                if message.lane:
                    self._lanes[message.lane] -= 1
            self.wake()

    def _result(self, message: Message) -> Result:
        try:
            return self.handlers[message.kind](message)
        except Exception as error:  # whatever it is, the message is tried again
            log.exception("a handler failed", extra={"event": "worker.handler-failed"})
            pauses = Result().pauses
            last = message.attempts >= pauses.attempts
            return Result(failure=type(error).__name__, last=last)

    def _settle(self, session: Session, message: Message, result: Result) -> None:
        """Record how it went, unless the lease was lost to somebody else."""
        now = self.clock()
        if result.failure is None:
            held = outbox.finish(session, message)
        elif result.last:
            held = outbox.give_up(session, message, result.failure, now)
        else:
            due = now + result.pauses.pause(message.attempts)
            held = outbox.postpone(session, message, result.failure, due)
        if held:
            result.record(session)


def _failed(event: str, error: Exception) -> None:
    told = {"event": event, "failure": type(error).__name__}
    log.warning("a message was not handled; it is tried again", extra=told)


def worker_of(context: Context) -> Worker:
    """Return the worker of this process, which its own commits wake."""
    handlers = alerting_of(context).handlers()
    made = Worker(context.database, context.clock, handlers, context.settings.worker_threads)
    context.database.news = made.wake
    return made


@contextmanager
def working(worker: Worker) -> Iterator[None]:
    """Work in a thread until the block ends; wait for what is under way."""
    thread = threading.Thread(target=worker.run, name="worker")
    thread.start()
    try:
        yield
    finally:
        worker.stop()
        thread.join()
