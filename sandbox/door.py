"""The door of a simulated service: admin calls pass, the rest is logged, limited, perhaps made to fail, and answered.

What every simulated service has of it; each says what it is called, what it limits, and what answers.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Protocol

from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox import wire
from sandbox.admin import ADMIN, Watched
from sandbox.clock import Clock
from sandbox.faults import Fault
from sandbox.log import Entry

NO_FAULT = Fault("latency")
PAGE = "<!doctype html><html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"


class State(Watched, Protocol):
    """All that a service holds."""

    clock: Clock


class Door(ABC):
    """An ASGI app with one service behind it; the admin calls may replace what it holds."""

    prefix: ClassVar[str]
    called: ClassVar[str]
    """The key under which its API finds what it holds, in the state of a request."""

    def __init__(self, api: ASGIApp, admin: ASGIApp) -> None:
        self._api = api
        self._admin = admin

    @property
    @abstractmethod
    def held(self) -> State:
        """All that it holds now."""

    @abstractmethod
    def limited(self) -> tuple[ASGIApp | None, Mapping[str, str]]:
        """What answers instead of everything else where there were too many requests; headers of whatever answers."""

    @abstractmethod
    def answering(self, fault: Fault, scope: Scope) -> ASGIApp:
        """What answers instead of the API, or the API itself."""

    def path_of(self, scope: Scope) -> str:
        """Where a request goes; some services do not mind a slash at the end."""
        path: str = scope["path"]
        return path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._api(scope, receive, send)
            return
        scope = {**scope, "path": self.path_of(scope)}
        if scope["path"].startswith(ADMIN):
            await self._admin(scope, receive, send)
        else:
            await self._logged(scope, receive, send)

    async def _logged(self, scope: Scope, receive: Receive, send: Send) -> None:
        held, query = self.held, scope["query_string"].decode("latin-1")
        entry = Entry(scope["method"], scope["path"].removeprefix(self.prefix), query, held.clock.now())
        scope["state"] = {**scope.get("state", {}), self.called: held, "entry": entry}
        held.log.begin(entry)
        try:
            await self._faulty(held, entry, scope, receive, send)
        finally:
            held.log.end(entry)

    async def _faulty(self, held: State, entry: Entry, scope: Scope, receive: Receive, send: Send) -> None:
        instead, headers = self.limited()
        faults = [] if instead else held.faults.strike(entry.method, entry.path)
        entry.fault = " ".join(fault.kind for fault in faults)
        await asyncio.sleep(sum(fault.milliseconds for fault in faults) / 1000)
        last = faults[-1] if faults else NO_FAULT
        answering = instead or self.answering(last, scope)
        await wire.sent(last, wire.stamped(answering, entry, headers), scope, receive, send)
