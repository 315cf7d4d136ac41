"""Seals the audit rows of this process once a minute (ADR 0031)."""

import asyncio
import logging

from anyio import to_thread

from service.audit import AuditWriter

SECONDS = 60.0

log = logging.getLogger("alongside.audit")


async def seal_each_minute(writer: AuditWriter, seconds: float = SECONDS) -> None:
    """Seal until cancelled; what fails is tried again a minute later."""
    while True:
        await asyncio.sleep(seconds)
        try:
            await to_thread.run_sync(writer.seal)
        except Exception:  # whatever it is, the next minute shall come
            log.exception("audit rows were not sealed", extra={"event": "audit.unsealed"})
