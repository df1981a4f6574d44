"""What the fixtures hand out: words for their types, a clock in hand, a served tenant."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx

from sandbox.kandji import Sandbox

Api = Callable[..., httpx.AsyncClient]
Device = dict[str, Any]
Find = Callable[..., Awaitable[Device]]
Act = Callable[..., Awaitable[httpx.Response]]


class Hands:
    """A clock that only a test moves."""

    def __init__(self) -> None:
        self.now = 1_795_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True)
class Served:
    """A tenant behind a real server, and a client of it."""

    app: Sandbox
    url: str
    client: httpx.Client

    def fault(self, **fault: Any) -> None:
        self.client.post(f"{self.url}/_sandbox/faults", json=fault).raise_for_status()

    def reset(self) -> None:
        self.client.post(f"{self.url}/_sandbox/reset").raise_for_status()
