"""Seals the audit rows of this process once a minute (ADR 0031)."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from anyio import to_thread

from service.audit import AuditWriter

SECONDS = 60.0

log = logging.getLogger("alongside.audit")


@asynccontextmanager
async def sealing(writer: AuditWriter, seconds: float = SECONDS) -> AsyncIterator[None]:
    """Seal every minute until the block ends; what fails is tried again a minute later."""
    over = asyncio.Event()
    task = asyncio.create_task(_seal_again_and_again(writer, seconds, over))
    try:
        yield
    finally:
        over.set()  # not cancelled: its thread would go on with a writer that is about to close
        await task


async def _seal_again_and_again(writer: AuditWriter, seconds: float, over: asyncio.Event) -> None:
    while not over.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), seconds)
            return
        try:
            await to_thread.run_sync(writer.seal)
        except Exception:  # whatever it is, the next minute shall come
            log.exception("audit rows were not sealed", extra={"event": "audit.unsealed"})
