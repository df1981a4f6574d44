"""The steps of one kind of durable work that are under way on this host; none is begun any more once it stops."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class Steps:
    """Counts them, and waits for them when the host stops."""

    def __init__(self) -> None:
        self.are_stopping = False
        self._under_way = 0
        self._over = asyncio.Event()

    @asynccontextmanager
    async def step(self) -> AsyncIterator[None]:
        """The block is one; when the host stops it is not begun: another one takes the work up."""
        if self.are_stopping:
            await asyncio.Event().wait()  # for the end of this process
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1
            if self.are_stopping and not self._under_way:
                self._over.set()

    async def stop(self, within: float) -> None:
        """Let those under way end, for so many seconds; none is begun from now on."""
        self.are_stopping = True
        if self._under_way:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), within)
