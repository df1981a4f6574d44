"""A helper flow on the loopback address, for tests: keeps what it is sent, answers as it is told."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Script = Callable[[dict[str, Any]], web.Response]


@dataclass
class Receiver:
    """`sent` are the bodies in the order they came, `headers` theirs; `script` decides each answer."""

    url: str = ""
    script: Script = lambda _: web.Response(status=204)
    sent: list[dict[str, Any]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        self.raw.append(await request.read())
        self.sent.append(json.loads(self.raw[-1]))
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        return self.script(self.sent[-1])

    def forget(self) -> None:
        for kept in (self.sent, self.raw, self.headers):
            kept.clear()

    @property
    def records(self) -> list[Any]:
        return [body["Record"] for body in self.sent]


@asynccontextmanager
async def receiving(script: Script | None = None) -> AsyncIterator[Receiver]:
    receiver, application = Receiver(), web.Application()
    if script:
        receiver.script = script
    application.router.add_post("/flow", receiver.take)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/flow"
    try:
        yield receiver
    finally:
        await runner.cleanup()
