"""A helper flow on the loopback address, for tests: keeps what it is sent, answers as it is told."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Script = Callable[[dict[str, Any]], web.Response]


@dataclass
class Receiver:
    """`sent` are the bodies in the order they came, `headers` theirs; `script` decides each answer, after `delay`."""

    url: str = ""
    script: Script = lambda _: web.Response(status=204)
    delay: float = 0.0
    sent: list[dict[str, Any]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)  # when each came, by time.monotonic()
    at_once: Counter[str] = field(default_factory=Counter)  # requests under way, by run
    most: Counter[str] = field(default_factory=Counter)  # the most there were, by run
    most_of_all: int = 0

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        run = request.headers["webhook-id"].rpartition("_")[0]
        self.times.append(time.monotonic())
        self.raw.append(body)
        self.sent.append(json.loads(body))
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        self.at_once[run] += 1
        self.most[run] = max(self.most[run], self.at_once[run])
        self.most_of_all = max(self.most_of_all, self.at_once.total())
        answer = self.script(self.sent[-1])
        if self.delay:
            await asyncio.sleep(self.delay)
        self.at_once[run] -= 1
        return answer

    def forget(self) -> None:
        for kept in (self.sent, self.raw, self.headers, self.times, self.most):
            kept.clear()

    @property
    def records(self) -> list[Any]:
        return [body["Record"] for body in self.sent]

    @property
    def ids(self) -> list[str]:
        """The webhook-id of each request."""
        return [headers["webhook-id"] for headers in self.headers]

    def of(self, run: str) -> "Receiver":
        """What came of one run."""
        mine = [at for at, id_ in enumerate(self.ids) if id_.startswith(f"{run}_")]
        part = Receiver(self.url)
        part.sent, part.raw = [self.sent[at] for at in mine], [self.raw[at] for at in mine]
        part.headers, part.times = [self.headers[at] for at in mine], [self.times[at] for at in mine]
        return part


@asynccontextmanager
async def receiving(script: Script | None = None, *, delay: float = 0.0) -> AsyncIterator[Receiver]:
    receiver, application = Receiver(delay=delay), web.Application()
    if script:
        receiver.script = script
    application.router.add_post("/flow{more:.*}", receiver.take)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, shutdown_timeout=0.1).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/flow"
    try:
        yield receiver
    finally:
        await runner.cleanup()
