"""Deletes what is kept for a time when its time is over, in every process, beside its requests.

https://docs.python.org/3/library/asyncio-task.html
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from anyio import to_thread
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from api.context import Context
from service import idempotency, maintenance
from service.clock import microseconds
from service.errors import AlongsideError

PAUSE_SECONDS = 300.0

log = logging.getLogger("alongside")


@asynccontextmanager
async def pruning(context: Context) -> AsyncIterator[None]:
    """Prune now and every five minutes until the block ends, and wait for what is under way.

    To cancel the task would leave its thread at work on a database that is about to be closed.
    """
    over = asyncio.Event()
    task = asyncio.create_task(_prune_again_and_again(context, over))
    try:
        yield
    finally:
        over.set()
        await task


async def _prune_again_and_again(context: Context, over: asyncio.Event) -> None:
    while not over.is_set():
        try:
            await to_thread.run_sync(prune, context)
        except (AlongsideError, SQLAlchemyError) as error:
            told = {"event": "pruning.failed", "failure": type(error).__name__}
            log.warning("old answers were not deleted; it is tried again", extra=told)
        with suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), PAUSE_SECONDS)


def prune(context: Context) -> None:
    """Delete kept answers whose time is over; nothing is written where there are none."""
    now = microseconds(context.clock())

    def is_due(session: Session) -> bool:
        return maintenance.status(session) is None and idempotency.has_old(session, now)

    while context.database.read(is_due):
        context.database.unit_of_work(lambda session: idempotency.prune(session, now))
