"""The engine, and the unit of work: the only place that commits (DESIGN section 2)."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Protocol, TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import QueuePool
from sqlmodel import Session

from service import acting, locks
from service.checkpoints import Checkpoints
from service.clock import Clock, microseconds, system_clock
from service.driver import DRIVER, connected, may_retry
from service.engine import UNIT_OF_WORK, WRITING, create_engine, is_sqlite
from service.errors import BusyError, OccupiedError
from service.fence import RAISED, Fence
from service.guard import READS, Touched, attach_guard
from service.models.aggregates import Aggregate

T = TypeVar("T")

ATTEMPTS = 30
WRITE_SECONDS = 5.0
LOCK_WAIT = "4s"
ALONE_WAIT = "30s"  # as long as SQLite waits for another program
PATIENCE_SECONDS = 15.0
FIRST_PAUSE_SECONDS = 0.002
MOMENT = "moment"
OF_WRITING = {UNIT_OF_WORK, DRIVER, locks.HELD}  # in the info of who writes
NOTICED = "noticed"  # in a session's info, where its commit is news for a worker
READING = {"isolation_level": "AUTOCOMMIT"}
Settle = Callable[[], None]


class Projector(Protocol):
    """What turns touched rows into documents; `service.fhir.projection` has the one we use."""

    def aggregates(self, session: Session, touched: Touched) -> set[Aggregate]:
        """Return every aggregate that the touched rows' documents are made from."""

    def project(self, session: Session, touched: Touched, stamp: int) -> None:
        """Write the documents of the touched rows; `stamp` is microseconds since 1970."""


class Database:
    """One database with the projector that keeps its documents true."""

    def __init__(
        self,
        url: str,
        *,
        projector: Projector | None = None,
        clock: Clock = system_clock,
        info: Mapping[str, object] | None = None,
    ) -> None:
        """Open it; `info` is what the domain finds in the session of each unit of work."""
        self.engine: Engine = create_engine(url)
        self._impatient = create_engine(url, busy_seconds=0)
        self.projector = projector
        self.clock = clock
        self.info = dict(info or {})
        self.sqlite = is_sqlite(self.engine)
        self.fence = Fence()
        self._process_lock = threading.Lock()
        self._checkpoints = Checkpoints(self.engine.url.database or "") if self.sqlite else None
        attach_guard(self.engine)
        attach_guard(self._impatient)
        self._thread = threading.local()
        self._counting = threading.Lock()
        self.retries = 0  # of units of work, since the process began
        self.news: Callable[[], None] | None = None  # told after a commit that is NOTICED

    def read(self, work: Callable[[Session], T]) -> T:
        """Run `work`, which only reads.

        On PostgreSQL each statement is a transaction of its own, as it has a snapshot of its own
        anyway; a transaction that ends in ROLLBACK would end every prepared statement too.
        """
        with Session(self.engine, expire_on_commit=False) as session:
            session.info |= {**self.info, READS: True}
            if not self.sqlite:
                session.connection(execution_options=READING)
            return work(session)

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Let this thread's units of work raise OccupiedError where they would have to wait.

        On SQLite only: elsewhere every statement waits for the network (ADR 0018).
        """
        self._thread.at_once = True
        try:
            yield
        finally:
            self._thread.at_once = False

    def unit_of_work(self, work: Callable[[Session], T], *named: Aggregate) -> T:
        """Run `work` under the locks of its aggregates, with its documents, and commit.

        `work` may be run again, in a fresh session: it must have no other effect.

        Raises:
            BusyError: the locks were not to be had within the attempts or the time.
            OccupiedError: they were not to be had `at_once`.
        """
        if getattr(self._thread, "at_once", False):
            return self._attempt_at_once(work, set(named))
        if getattr(self._thread, "working", False):
            raise RuntimeError("a unit of work within another would wait for it for ever")
        wanted, started = set(named), time.monotonic()
        for attempt in range(ATTEMPTS):
            try:
                return self._attempt(work, wanted)
            except locks.RefusedWideningError as refused:
                wanted |= refused.aggregates
            except DBAPIError as error:
                if not may_retry(error):
                    raise
            with self._counting:
                self.retries += 1
            if time.monotonic() - started > PATIENCE_SECONDS:
                break
            time.sleep(min(FIRST_PAUSE_SECONDS * 2**attempt, 0.25))
        raise BusyError("the records are being changed by others; try again in a moment")

    def unit_of_work_alone(self, work: Callable[[Session, Settle], T], *, keep: bool = True) -> T:
        """Run `work` while nobody else writes, for as long as it takes, and commit (ADR 0027).

        Others go on reading. `work` calls what it is given now and then, lest its rows fill the
        memory: documents follow what it has touched so far, and the session lets go of it. Where
        `keep` is false everything is undone in the end, and no documents are made.

        Raises:
            BusyError: others did not stop writing in time.
        """
        try:
            if not self.sqlite:
                return self._transaction_alone(work, keep=keep)
            with self._process_lock:
                return self._transaction_alone(work, keep=keep)
        except DBAPIError as error:
            if may_retry(error):
                message = "the records are being changed by others; try again in a moment"
                raise BusyError(message) from error
            raise

    def _transaction_alone(self, work: Callable[[Session, Settle], T], *, keep: bool) -> T:
        with self._opened(self.engine, Touched()) as session:
            self._begin(session, (), alone=True)
            settle = partial(self._settle, session, keep=keep)
            result = work(session, settle)
            settle()
            if not keep:
                session.rollback()
                return result
            acting.note(session, Touched(), self.stamp(session))
            self._commit(session)
        if self._checkpoints is not None:
            self._checkpoints.now()
        return result

    def _settle(self, session: Session, *, keep: bool) -> None:
        """Make the documents of what was touched so far, and let go of it."""
        session.flush()
        touched: Touched = session.info[UNIT_OF_WORK]
        if keep and touched and self.projector is not None:
            self.projector.project(session, touched, self.stamp(session))
        session.info[UNIT_OF_WORK] = Touched()
        session.expunge_all()

    def _attempt(self, work: Callable[[Session], T], wanted: set[Aggregate]) -> T:
        if not self.sqlite:
            return self._transaction(work, wanted, self.engine)
        with self._process_lock:  # before BEGIN IMMEDIATE, or calls are lost to busy time-outs
            return self._alone(work, wanted, self.engine)

    def _attempt_at_once(self, work: Callable[[Session], T], wanted: set[Aggregate]) -> T:
        if not self._process_lock.acquire(blocking=False):
            raise OccupiedError("this process is writing")
        try:
            return self._alone(work, wanted, self._impatient)
        except OperationalError as error:
            if may_retry(error):
                raise OccupiedError("another process is writing") from error
            raise
        finally:
            self._process_lock.release()

    def _alone(self, work: Callable[[Session], T], wanted: set[Aggregate], engine: Engine) -> T:
        """Run it on SQLite, while this thread holds the process lock."""
        result = self._transaction(work, wanted, engine)
        if self._checkpoints is not None:
            self._checkpoints.committed()
        return result

    def lock(self, session: Session, *named: Aggregate) -> None:
        """Take further locks within a unit of work, which begins again where that means waiting."""
        held: set[Aggregate] | None = session.info[locks.HELD]
        if held is not None and (missing := set(named) - held):
            locks.widen(session, held, missing)
            held |= missing

    def connections(self) -> dict[str, int]:
        """Return how many connections are in use, and how many wait to be."""
        pools = [
            pool for pool in (self.engine.pool, self._impatient.pool) if isinstance(pool, QueuePool)
        ]
        used = sum(pool.checkedout() for pool in pools)
        return {"used": used, "idle": sum(pool.checkedin() for pool in pools)}

    def close(self) -> None:
        """Let go of every connection."""
        if self._checkpoints is not None:
            self._checkpoints.close()
        self.engine.dispose()
        self._impatient.dispose()

    def _transaction(
        self, work: Callable[[Session], T], wanted: set[Aggregate], engine: Engine
    ) -> T:
        started = time.monotonic()
        touched = Touched()
        with self._opened(engine, touched) as session:
            self._begin(session, wanted)
            session.info[locks.HELD] = None if self.sqlite else wanted
            result = work(session)
            session.flush()
            self._project(session, touched, wanted)
            acting.note(session, touched, self.stamp(session))
            if time.monotonic() - started > WRITE_SECONDS:
                raise BusyError(f"the change took over {WRITE_SECONDS:.0f} s; nothing was kept")
            self._commit(session)
            noticed = session.info.get(NOTICED)
        if noticed and self.news is not None:
            self.news()
        return result

    def _commit(self, session: Session) -> None:
        """Commit; what takes something away does so while nobody is answered (ADR 0036)."""
        waits = not getattr(self._thread, "at_once", False)
        with self.fence.closed(session.info.get(RAISED, {}), wait=waits):
            session.commit()

    @contextmanager
    def _opened(self, engine: Engine, touched: Touched) -> Iterator[Session]:
        with Session(engine, expire_on_commit=False, autoflush=True) as session:
            session.info |= {**self.info, UNIT_OF_WORK: touched, locks.HELD: None}
            connection = session.connection(execution_options={WRITING: True})
            session.info[DRIVER] = connected(session)
            connection.info[UNIT_OF_WORK] = 1  # the pool resets it when the connection comes back
            self._thread.working = True
            try:
                yield session
            finally:
                self._thread.working = False

    def _project(self, session: Session, touched: Touched, held: set[Aggregate]) -> None:
        if not touched or self.projector is None:
            return
        if not self.sqlite:  # there is one writer at a time, and it holds everything
            missing = self.projector.aggregates(session, touched) - held
            if missing:
                locks.widen(session, held, missing)
        self.projector.project(session, touched, self.stamp(session))

    def _begin(self, session: Session, wanted: Iterable[Aggregate], *, alone: bool = False) -> None:
        """Take the locks, and the moment of this unit of work's changes."""
        if self.sqlite:
            session.info[MOMENT] = microseconds(self.clock())
            return
        if alone:
            session.info[MOMENT] = locks.begin_alone(session, ALONE_WAIT)
            return
        keys = sorted(aggregate.lock_key for aggregate in wanted)
        session.info[MOMENT] = locks.begin(session, keys, LOCK_WAIT)

    def stamp(self, session: Session) -> int:
        """Return the moment of this unit of work's changes, in microseconds since 1970.

        On PostgreSQL the transaction has its id before the moment is taken: what polls by time
        then waits for it (DESIGN section 2, the horizon).
        """
        moment: int = session.info[MOMENT]
        return moment


def read_within(session: Session, work: Callable[[Session], T]) -> T:
    """Run `work`, which only reads, within a unit of work: it sees rows as they will be read."""
    session.flush()
    bind = session.connection()
    # To close a session that joins so leaves the transaction alone.
    with Session(bind, expire_on_commit=False, join_transaction_mode="rollback_only") as fresh:
        told = {key: one for key, one in session.info.items() if key not in OF_WRITING}
        fresh.info |= {**told, READS: True}
        return work(fresh)
