"""Hand parcels over in their order, so many at once. Knows nothing of pages, stores or why."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable

from connector.engine.delivery import Attempt, Parcel

WINDOW = 300  # parcels at most that were begun and are not noted: what is sent twice if the host dies
SLACK = 16  # parcels at least that are begun while others are noted
GRACE = 1.0  # seconds that requests in flight get when a stream is to stop

Send = Callable[[Parcel], Awaitable[Attempt]]
Done = list[tuple[Parcel, Attempt]]


class Sender:
    """`told` is called when there is enough to note, or nothing left to do."""

    def __init__(self, send: Send, concurrency: int, told: Callable[[], None]) -> None:
        self._send = send
        self._concurrency = concurrency
        self._told = told
        self._enough = WINDOW - concurrency - max(SLACK, concurrency // 4)
        self._waiting: deque[Parcel] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._begun = 0  # and not noted yet
        self._done: Done = []
        self._is_halted = False
        self._fault: BaseException | None = None

    @property
    def is_idle(self) -> bool:
        return not self._waiting and not self._tasks

    @property
    def is_hungry(self) -> bool:
        """Whether what waits does not keep everybody busy."""
        return len(self._waiting) < self._concurrency

    @property
    def is_halted(self) -> bool:
        return self._is_halted

    def put(self, parcels: Iterable[Parcel]) -> None:
        self._waiting.extend(parcels)
        self._fill()

    def done(self) -> Done:
        """What was handed over and is not noted yet, each with its last attempt."""
        return self._done[:]

    def noted(self, count: int) -> None:
        """The first so many of these are noted: that makes room for others."""
        del self._done[:count]
        self._begun -= count
        self._fill()
        if len(self._done) >= self._enough:
            self._told()

    def halt(self) -> None:
        """Begin nothing more."""
        self._is_halted = True

    async def stop(self) -> None:
        """Begin nothing more, and give up what is in flight after a moment of grace: that is not done."""
        self.halt()
        try:
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=GRACE)
        finally:
            left = [*self._tasks]
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    def check(self) -> None:
        """Raise the fault of ours that ended the work, if one did."""
        if self._fault:
            raise self._fault

    def _fill(self) -> None:
        if self._is_halted:
            return
        for _ in range(min(len(self._waiting), WINDOW - self._begun, self._concurrency - len(self._tasks))):
            task = asyncio.create_task(self._work())
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    async def _work(self) -> None:
        while self._waiting and self._begun < WINDOW and not self._is_halted:
            parcel = self._waiting.popleft()
            self._begun += 1
            attempt = await self._send(parcel)
            self._done.append((parcel, attempt))
            if len(self._done) == self._enough:
                self._told()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (fault := task.exception()):
            self._fault = fault
        if self._fault or not self._tasks:
            self._told()
