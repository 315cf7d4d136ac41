"""Deletes what is kept for a time when its time is over, in every process, beside its requests."""

import logging
from contextlib import AbstractAsyncContextManager

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from api.context import Context
from api.periodic import again_and_again
from service import idempotency, maintenance
from service.audit import changes, partitions, prepare, retention
from service.audit.retention import Pruned
from service.clock import microseconds
from service.engine import is_sqlite
from service.errors import AlongsideError

PAUSE_SECONDS = 300.0

log = logging.getLogger("alongside")


def pruning(context: Context) -> AbstractAsyncContextManager[None]:
    """Prune and complete audit rows now and every five minutes, until the block ends."""

    def work() -> None:
        try:
            prune(context)
            complete(context)
            look_ahead(context)
            if (months := context.settings.audit_keep_months) is not None:
                prune_audit(context, months)
        except (AlongsideError, SQLAlchemyError) as error:
            told = {"event": "pruning.failed", "failure": type(error).__name__}
            log.warning("old answers were not deleted; it is tried again", extra=told)

    return again_and_again(work, PAUSE_SECONDS, at_once=True)


def prune(context: Context) -> None:
    """Delete kept answers whose time is over; nothing is written where there are none."""
    now = microseconds(context.clock())

    def is_due(session: Session) -> bool:
        return maintenance.status(session) is None and idempotency.has_old(session, now)

    while context.database.read(is_due):
        context.database.unit_of_work(lambda session: idempotency.prune(session, now))


def complete(context: Context) -> int:
    """Bring changes and audit rows together; return how many changes had no row."""
    before = microseconds(context.clock()) - changes.GRACE

    def is_due(session: Session) -> bool:
        return maintenance.status(session) is None and changes.waiting(session, before)

    if not context.database.read(is_due):
        return 0
    found = changes.complete(
        context.database,
        context.audit_reader.engine,
        context.audit,
        context.pseudonyms,
        before=before,
    )
    if found:
        told = {"event": "audit.completed", "changes": found}
        log.warning("%s changes had no audit row: they have one now", found, extra=told)
    return found


def prune_audit(context: Context, months: int) -> Pruned | None:
    """Delete audit rows that are older than so many whole months; None where there are none."""
    now = context.clock()
    before, engine = retention.first_kept(now, months), context.audit_reader.engine
    if not retention.has_older(engine, before):
        return None
    found = retention.prune(engine, before, now)
    told = {"event": "audit.pruned", "rows": found.rows, "before": str(before)}
    log.info("%s audit rows from before %s were deleted", found.rows, before, extra=told)
    return found


def look_ahead(context: Context) -> None:
    """Give the coming months of audit rows their partitions, on PostgreSQL."""
    engine = context.audit_reader.engine
    if is_sqlite(engine):
        return
    with engine.connect() as connection:
        if not partitions.missing(connection, context.clock()):
            return
    prepare(context.settings.audit_url, context.clock)
