"""Duties: what a host does again and again while it runs, beside the calls."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import structlog

from connector.engine.store import AWAY

log = structlog.get_logger()


@asynccontextmanager
async def on_duty(*duties: Coroutine[Any, Any, None]) -> AsyncIterator[list[asyncio.Task[None]]]:
    """Do all of this while the block runs."""
    tasks = [asyncio.create_task(duty) for duty in duties]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def again(work: Callable[[], Awaitable[None]], every: float) -> None:
    """Do it for ever, with so many seconds in between. What fails is in the log, and done again."""
    while True:
        try:
            await work()
        except AWAY:
            pass  # the next turn may find the store again
        except Exception as error:
            log.error("duty", error=type(error).__name__, exc_info=error)
        await asyncio.sleep(every)
