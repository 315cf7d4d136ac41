"""Where a write runs: on SQLite a small one at once, every other in a thread (ADR 0018).

https://anyio.readthedocs.io/en/stable/threads.html
"""

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from anyio import to_thread

from api.context import Context
from service.errors import OccupiedError

SMALL_BYTES = 8_192
# With these a body may ask for a search, which takes as long as it takes.
SEARCHING = (b"?", b"ifNoneExist", b"\\u")

T = TypeVar("T")


async def perform(context: Context, work: Callable[[], T], body: bytes, *, seeks: bool) -> T:
    """Return what `work` does with this body; `seeks` tells that it begins with a search."""
    async with context.writers:  # who came first goes first, at once or in a thread
        if context.database.sqlite and not seeks and _is_small(body):
            with suppress(OccupiedError), context.database.at_once():
                return work()
        return await to_thread.run_sync(work)


def _is_small(body: bytes) -> bool:
    return len(body) <= SMALL_BYTES and not any(mark in body for mark in SEARCHING)
