"""Seals the audit rows of this process once a minute (ADR 0031)."""

import logging
from contextlib import AbstractAsyncContextManager

from api.periodic import again_and_again
from service.audit import AuditWriter

SECONDS = 60.0

log = logging.getLogger("alongside.audit")


def sealing(writer: AuditWriter, seconds: float = SECONDS) -> AbstractAsyncContextManager[None]:
    """Seal every minute until the block ends; what fails is tried again a minute later."""

    def seal() -> None:
        try:
            writer.seal()
        except Exception:  # whatever it is, the next minute shall come
            log.exception("audit rows were not sealed", extra={"event": "audit.unsealed"})

    return again_and_again(seal, seconds, at_once=False)
