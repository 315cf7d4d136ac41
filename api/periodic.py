"""Work that a process does again and again beside its requests.

https://docs.python.org/3/library/asyncio-task.html
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from anyio import to_thread


@asynccontextmanager
async def again_and_again(
    work: Callable[[], None], seconds: float, *, at_once: bool
) -> AsyncIterator[None]:
    """Do it in a thread every so many seconds until the block ends; wait for what is under way.

    To cancel the task would leave its thread at work on what is about to be closed.
    """
    over = asyncio.Event()
    task = asyncio.create_task(_until(over, work, seconds, is_due=at_once))
    try:
        yield
    finally:
        over.set()
        await task


async def _until(
    over: asyncio.Event, work: Callable[[], None], seconds: float, *, is_due: bool
) -> None:
    while not over.is_set():
        if is_due:
            await to_thread.run_sync(work)
        is_due = True
        with suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), seconds)
