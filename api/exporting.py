"""Tells a collector of audit rows and seals, once a minute where a setting names one (ADR 0038)."""

import logging
from contextlib import AbstractAsyncContextManager
from threading import Lock

from api.context import Context
from api.periodic import again_and_again
from service import maintenance
from service.audit.export import collector, export
from service.clock import microseconds

SECONDS = 60.0

log = logging.getLogger("alongside.audit")
_alone = Lock()


def exporting(context: Context, seconds: float = SECONDS) -> AbstractAsyncContextManager[None]:
    """Export every minute until the block ends; what fails is tried again a minute later."""
    address = context.settings.audit_export

    def work() -> None:
        if address is None or context.database.read(maintenance.status) is not None:
            return
        try:
            export_audit(context, address)
        except Exception:  # whatever it is, the next minute shall come
            log.exception("audit rows were not exported", extra={"event": "audit.unexported"})

    return again_and_again(work, seconds, at_once=False)


def export_audit(context: Context, address: str) -> int:
    """Tell the collector what it was not told; return how many rows and seals."""
    to = collector(address)
    try:
        with _alone:
            now = microseconds(context.clock())
            return export(context.database, context.audit_reader.engine, to, now=now)
    finally:
        to.close()
