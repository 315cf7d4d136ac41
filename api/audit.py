"""Writes one audit row for each request, whichever route answers it (ADR 0006).

Being outermost, it adds the headers that every answer has, too. A caller's X-Request-Id comes back
and stands in the row beside ours; where there is none, or none that is plain, ours is told.

Routes may leave `access`, `patients`, what audit rows call those (`known`) where their keys go
meanwhile, why they refused (`decision`) and what a form `searched` in the request's state; nothing
else is taken from them.
https://hl7.org/fhir/R4/http.html#custom
"""

import logging
import re
import time
from functools import partial
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uuid_utils import uuid7

from api.audit_rows import AuditRows
from api.fencing import passage
from api.headers import secured
from api.metrics import Metrics, method_of, route_of
from service.acting import acting
from service.audit import AuditEntry, AuditWriter
from service.clock import Clock, microseconds
from service.errors import BusyError
from service.fence import Fence
from service.fhir.store_reader import StoreReader

CALLERS_ID = re.compile(rb"[!-~]{1,128}")
UNWRITTEN = (
    b'{"type":"about:blank","title":"The service is busy; try again","status":503,'
    b'"detail":"the audit row could not be written, so nothing is answered"}'
)

UNAVAILABLE = 503

log = logging.getLogger("alongside.audit")
requests = logging.getLogger("alongside.requests")


class AuditMiddleware:
    """The outermost layer: it sees refusals and failures too."""

    def __init__(
        self,
        app: ASGIApp,
        writer: AuditWriter,
        clock: Clock,
        metrics: Metrics,
        rows: AuditRows,
        fence: tuple[Fence, StoreReader],
    ) -> None:
        self.app = app
        self.metrics = metrics
        self.writer = writer
        self.clock = clock
        self.rows = rows
        self.fence = fence

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state: dict[str, Any] = scope.setdefault("state", {})
        state["request_id"] = uuid7().hex
        state["caller_id"] = _callers(scope)
        at, begun = microseconds(self.clock()), time.perf_counter()
        refused = False

        async def audited(message: Message) -> None:
            nonlocal refused
            if message["type"] == "http.response.start":
                refused = not await self._begun(scope, message, send, (at, begun))
            elif not refused:
                await send(message)

        with acting(partial(self.rows.act, scope)):
            await self.app(scope, receive, audited)

    async def _begun(
        self, scope: Scope, message: Message, send: Send, since: tuple[int, float]
    ) -> bool:
        """Send the first byte once its row is written; False where there is none."""
        state, (at, begun) = scope["state"], since
        shown = (state["caller_id"] or state["request_id"]).encode()
        way = passage(scope, message, *self.fence)
        try:
            await way.open()
            told = await self.writer.write(await self._row(scope, at, message["status"]))
            await way.look_again(told)
            self._answered(scope, message["status"], time.perf_counter() - begun)
            headers = secured(message.get("headers", ()))
            message["headers"] = [*headers, (b"x-request-id", shown)]
            await send(message)
        except BusyError as error:
            self._failed(scope, error, time.perf_counter() - begun)
            await _refuse(send, shown)
            return False
        finally:
            way.shut()
        return True

    async def _row(self, scope: Scope, at: int, status: int) -> AuditEntry:
        """Return the row of an answer.

        Raises:
            BusyError: there is none, for whatever reason; then nothing may be answered.
        """
        try:
            return await self.rows.row(scope, at, status)
        except BusyError:
            raise
        except Exception as error:
            raise BusyError("the audit row could not be made") from error

    def _failed(self, scope: Scope, error: BusyError, seconds: float) -> None:
        request_id = scope["state"]["request_id"]
        told = {"event": "audit.failed", "request_id": request_id}
        log.error("audit row of request %s was not written", request_id, exc_info=error, extra=told)
        self.metrics.audit_failed()
        self.metrics.answered(scope, UNAVAILABLE, seconds)

    def _answered(self, scope: Scope, status: int, seconds: float) -> None:
        self.metrics.answered(scope, status, seconds)
        if requests.isEnabledFor(logging.DEBUG):
            told = {
                "event": "request.answered",
                "request_id": scope["state"]["request_id"],
                "route": route_of(scope),
                "method": method_of(scope),
                "status": status,
                "milliseconds": round(seconds * 1000, 1),
            }
            requests.debug("%(method)s %(route)s %(status)s", told, extra=told)


def _callers(scope: Scope) -> str | None:
    """Return the id that the caller gave the request, where it is short and plain."""
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            return value.decode() if CALLERS_ID.fullmatch(value) else None
    return None


async def _refuse(send: Send, shown: bytes) -> None:
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"cache-control", b"no-store"),
        (b"retry-after", b"1"),
        (b"x-request-id", shown),
    ]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": UNWRITTEN})
