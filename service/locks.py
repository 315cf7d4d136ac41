"""PostgreSQL's advisory locks, and the moment that a transaction's changes are stamped with.

One statement begins a transaction. In this order: it has its locks and its id before its stamp.
https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
"""

from collections.abc import Iterable, Sequence

from sqlmodel import Session

from service.driver import fetched
from service.models.aggregates import Aggregate

HELD = "held"  # in a session's info: the locks of its unit of work; None stands for all
EVERYONE = 7_206_113_552  # shared by every unit of work, save one that is to be alone
OPENING = (
    "SELECT set_config('alongside.unit_of_work', 'on', true), set_config('lock_timeout', ?, true),"
)
BEGIN = f"{OPENING} pg_advisory_xact_lock_shared({EVERYONE}),"
STAMP = " pg_current_xact_id()::text, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
BEGIN_UNLOCKED = BEGIN + STAMP
BEGIN_LOCKED = BEGIN + " pg_advisory_xact_lock(k)," + STAMP + " FROM unnest(?::bigint[]) k"
BEGIN_ALONE = f"{OPENING} pg_advisory_xact_lock({EVERYONE}),{STAMP}"
TRY = "SELECT pg_try_advisory_xact_lock(k) FROM unnest(?::bigint[]) k"


def begin(session: Session, keys: Sequence[int], wait: str) -> int:
    """Take these locks, which are in order; return the stamp, in microseconds since 1970."""
    if keys:
        return _stamp(fetched(session, BEGIN_LOCKED, (wait, keys)))
    return _stamp(fetched(session, BEGIN_UNLOCKED, (wait,)))


def begin_alone(session: Session, wait: str) -> int:
    """Wait until no unit of work is under way and let none begin; return the stamp."""
    return _stamp(fetched(session, BEGIN_ALONE, (wait,)))


class RefusedWideningError(Exception):
    """A lock that turned out to be needed is held by somebody else."""

    def __init__(self, aggregates: set[Aggregate]) -> None:
        super().__init__()
        self.aggregates = aggregates


def widen(session: Session, held: set[Aggregate], missing: set[Aggregate]) -> None:
    """Take the missing locks without waiting, or have the unit of work begin again with them."""
    keys = sorted(aggregate.lock_key for aggregate in missing)
    if not all(taken for (taken,) in fetched(session, TRY, (keys,))):
        raise RefusedWideningError(held | missing)


def require_held(session: Session, aggregates: Iterable[Aggregate]) -> None:
    """Have the unit of work begin again with these locks too, unless it holds them.

    What told which locks a change needs may itself have changed before they were taken.
    """
    held: set[Aggregate] | None = session.info[HELD]
    if held is not None and (missing := set(aggregates) - held):
        raise RefusedWideningError(held | missing)


def _stamp(rows: Sequence[tuple[object, ...]]) -> int:
    return int(str(rows[-1][-1]))
