"""A small helper flow on this machine: checks each signature and counts what it takes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError


class Receiver:
    """Takes records; `seen` are the distinct ones, by `device_id`."""

    def __init__(self, secret: str) -> None:
        self._webhook = Webhook(secret)
        self.requests = 0
        self.seen: set[str] = set()

    async def take(self, request: web.Request) -> web.Response:
        try:
            sent: dict[str, Any] = self._webhook.verify(await request.read(), dict(request.headers))
        except (WebhookVerificationError, ValueError):
            return web.Response(status=401)
        self.requests += 1
        self.seen.add(sent["Record"]["device_id"])
        return web.Response(status=204)


@asynccontextmanager
async def receiving(secret: str) -> AsyncIterator[tuple[Receiver, str]]:
    """A receiver on a free port of the loopback address, and its URL."""
    receiver, application = Receiver(secret), web.Application()
    application.router.add_post("/record", receiver.take)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield receiver, f"http://127.0.0.1:{runner.addresses[0][1]}/record"
    finally:
        await runner.cleanup()
