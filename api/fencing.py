"""An answer that would show what was taken away meanwhile is made anew (ADR 0036).

`note` is called before a request reads anything, `answered` leads it to its answer; in between,
`api.audit` looks again where the first byte would leave.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send
from uuid_utils import uuid7

from api.context import Context
from api.responses import refusal
from service.access import Access
from service.fence import EPOCHS, Fence, Noted
from service.fhir.store_reader import StoreReader
from service.models.documents import PUBLIC

ATTEMPTS = 6
SHOWS_NOTHING = 400  # from this status on an answer has nothing of what is kept here
UNSTEADY = "what may be shown is changing too quickly; try again in a moment"

Answer = Callable[[Request], Awaitable[Response]]


class TakenAwayError(Exception):
    """Something was taken from the caller's audience since the request was noted."""


async def note(request: Request, context: Context, access: Access) -> None:
    """Remember what was taken away from the caller so far; the programme is shown everything."""
    state = request.scope.setdefault("state", {})
    if access.is_programme or "noted" in state:
        return
    fence = context.database.fence
    if not fence.knows(access.audience):
        fence.learn(access.audience, await _epochs(context.reader, access.audience))
    state["noted"] = fence.note(access.audience)


async def _epochs(reader: StoreReader, audience: int) -> Mapping[int, int]:
    return dict(await reader.rows(EPOCHS, (audience, PUBLIC)))


class Passage:
    """The way out for one answer: `open` before its audit row is written, `shut` in the end."""

    def __init__(self, fence: Fence, reader: StoreReader, noted: Noted | None) -> None:
        self.fence = fence
        self.reader = reader
        self.noted = noted
        self._entered = False

    async def open(self) -> None:
        if self.noted is None:
            return
        if not await self.fence.enter(self.noted):
            raise TakenAwayError
        self._entered = True

    async def look_again(self, told: Mapping[int, int] | None) -> None:
        """Ask the database for what other processes took away, unless it has `told` that."""
        if self.noted is None:
            return
        found = await _epochs(self.reader, self.noted.audience) if told is None else told
        if not self.fence.holds(self.noted, found):
            raise TakenAwayError

    def shut(self) -> None:
        if self._entered and self.noted is not None:
            self.fence.leave(self.noted)
            self._entered = False


def passage(scope: Scope, message: Message, fence: Fence, reader: StoreReader) -> Passage:
    """Return the way out for the answer that begins with this message."""
    noted = scope["state"].get("noted") if message["status"] < SHOWS_NOTHING else None
    return Passage(fence, reader, noted)


async def answered(
    scope: Scope, receive: Receive, send: Send, answer: Answer, lay_out: Callable[[Response], None]
) -> None:
    """Send what is answered; made anew while something is taken away before its first byte.

    A route that must not be carried out twice leaves in `again` how it is answered then.
    """
    state = scope.setdefault("state", {})
    for _ in range(ATTEMPTS):
        again: Answer = state.get("again", answer)
        response = await again(Request(scope, receive, send))
        lay_out(response)
        with suppress(TakenAwayError):
            await response(scope, receive, send)
            return
        _begin_again(state)
    busy = refusal(503, "transient", UNSTEADY)
    busy.headers["Retry-After"] = "1"
    await busy(scope, receive, send)


def _begin_again(state: dict[str, object]) -> None:
    """Forget what the answer that was not sent was about; what is sent has an id of its own."""
    for name in ("noted", "patients", "searched"):
        state.pop(name, None)
    state["request_id"] = uuid7().hex
