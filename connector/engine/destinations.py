"""Where helper flows are: how many requests each origin takes at once, over all streams, and whether it answers (CB-8).

A slow or dead origin holds up its own streams, and nothing else.
"""

import asyncio
import random
from collections import deque

from yarl import URL

MOST = 200  # requests in flight to one origin, over all streams and hosts
OUT = 20  # requests without an answer, one after the other, that mean it is out
LONGEST_PAUSE = 60.0  # seconds between two tries of an origin that is out


class Destination:
    """One origin. While it is out, one request at a time tries it, after longer and longer pauses."""

    def __init__(self, most: int = MOST) -> None:
        self.in_flight = 0
        self._most = most
        self._waiting: deque[asyncio.Future[bool]] = deque()
        self._unanswered = 0
        self._pause = 0.0
        self._next_try = 0.0
        self._is_tried = False

    @property
    def is_out(self) -> bool:
        """Whether it has not answered so often that it is left alone."""
        return self._unanswered >= OUT

    @property
    def wanted(self) -> int:
        """Requests that are in flight, and that wait to be."""
        return self.in_flight + len(self._waiting)

    def allow(self, most: int) -> None:
        """From now on, so many at once."""
        self._most = most
        self._admit()

    async def enter(self) -> bool:
        """Wait for a slot; whether it is the one to try an origin that is out."""
        if not self._waiting and self._is_free():
            return self._taken()
        turn: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave(turn.result(), None)
            raise

    def leave(self, is_try: bool, reached: bool | None) -> None:
        """Give the slot back, and say whether an answer came; None where that was not waited for."""
        self.in_flight -= 1
        self._is_tried = self._is_tried and not is_try
        if reached:
            self._unanswered, self._pause = 0, 0.0
        elif reached is not None:
            self._unanswered += 1
            if is_try or self._unanswered == OUT:
                self._rest()
        self._admit()

    def _rest(self) -> None:
        """Leave it alone for a while, with full jitter."""
        self._pause = min(LONGEST_PAUSE, self._pause * 2 or 1.0)
        loop, pause = asyncio.get_running_loop(), random.uniform(self._pause / 2, self._pause)
        self._next_try = loop.time() + pause
        loop.call_later(pause, self._admit)

    def _admit(self) -> None:
        while self._waiting and self._is_free():
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(self._taken())

    def _is_free(self) -> bool:
        if self.in_flight >= self._most:
            return False
        if not self.is_out:
            return True
        return not self._is_tried and asyncio.get_running_loop().time() >= self._next_try

    def _taken(self) -> bool:
        self.in_flight += 1
        self._is_tried = self._is_tried or self.is_out
        return self.is_out


class Destinations:
    """The origins that this host sends to."""

    def __init__(self) -> None:
        self._known: dict[str, Destination] = {}

    def of(self, url: str) -> Destination:
        """The origin of an address; what is known of it is shared by all streams."""
        return self._known.setdefault(str(URL(url, encoded=True).origin()), Destination())
