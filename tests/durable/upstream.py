"""A service that counts commands: slow, silent or quick as a test wants it, so that a kill hits where it should."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

LOOK = 0.02  # seconds


@dataclass
class Upstream:
    """Kandji as far as commands need it. `commands`: how often each device was sent which, before any answer."""

    url: str = ""
    commands: Counter[tuple[str, str]] = field(default_factory=Counter)
    looked_up: Counter[str] = field(default_factory=Counter)
    delay: float = 0.0
    silent: set[str] = field(default_factory=set)  # devices whose commands are counted, and answered after `speak`
    unread: set[str] = field(default_factory=set)  # devices that are looked up in vain, until `speak`

    def of(self, *devices: str) -> int:
        """How many commands came for these devices."""
        return sum(count for (device, _), count in self.commands.items() if device in devices)

    async def came(self, *devices: str) -> bool:
        return all(self.of(device) for device in devices)

    async def is_asked(self, device: str) -> bool:
        return bool(self.looked_up[device])

    def speak(self, *devices: str) -> None:
        """Answer about these devices; about all of them where none is named."""
        self.silent -= set(devices) or self.silent
        self.unread -= set(devices) or self.unread

    async def list(self, _: web.Request) -> web.Response:
        return web.json_response([{"device_id": "d0"}])

    async def get(self, request: web.Request) -> web.Response:
        device = request.match_info["device"]
        self.looked_up[device] += 1
        while device in self.unread:  # noqa: ASYNC110 - the connection may break meanwhile
            await asyncio.sleep(LOOK)
        return web.json_response({"device_id": device, "platform": "Mac", "serial_number": f"C{device}"})

    async def command(self, request: web.Request) -> web.Response:
        device = request.match_info["device"]
        self.commands[device, request.match_info["action"]] += 1
        while device in self.silent:  # noqa: ASYNC110
            await asyncio.sleep(LOOK)
        await asyncio.sleep(self.delay)
        return web.json_response({"PIN": "048213"})


@asynccontextmanager
async def commanded() -> AsyncIterator[Upstream]:
    upstream, application = Upstream(), web.Application()
    application.router.add_get("/api/v1/devices", upstream.list)
    application.router.add_get("/api/v1/devices/{device}", upstream.get)
    application.router.add_post("/api/v1/devices/{device}/action/{action}", upstream.command)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    upstream.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield upstream
    finally:
        upstream.speak()
        await runner.cleanup()
