"""What the engine's tests share: a clock in hand, and the types of their fixtures."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from connector.engine.callers import Caller, Grant
from connector.engine.store import Store

KEY = bytes(range(32))
OpenStore = Callable[[str], Store]
OpenFlow = Callable[[Callable[[web.Request], Awaitable[web.StreamResponse]]], Awaitable[str]]


@dataclass
class Clock:
    """Time that passes only where somebody sleeps; stands in for the module `time` as well."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        """The time of day, which receivers compare with theirs."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += max(seconds, 0.001)  # no sleep is so short that time stands still


def caller(id_: str) -> Caller:
    """Somebody who may do everything."""
    return Caller(id_, Grant.everything())


Json = dict[str, Any]
