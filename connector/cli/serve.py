"""Run uvicorn servers in this process: one for `serve`, the host and a simulated tenant for `up`."""

import asyncio
import contextlib
import gc
import resource
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import structlog
import uvicorn
import uvloop

from connector.cli.key import first_key
from connector.cli.protocol import Limited
from connector.engine import logs
from connector.engine.seals import Broken, NoKeys
from connector.engine.settings import Settings
from connector.host import Host, open_host
from connector.rest.app import app

NOTICE = 1.0  # seconds, at least, that a host which is about to stop says so at /readyz
GRACE = 3  # seconds for answers that are being written, after `Host.drain`; all of it ends within twenty (UP-7)


class CannotStart(Exception):
    """A server cannot start; says why."""


class Server(uvicorn.Server):
    """A server on a socket of ours, which leaves signals to the one who runs several of them."""

    def __init__(self, config: uvicorn.Config, listening: socket.socket) -> None:
        super().__init__(config)
        self.listening = listening

    def part(self) -> None:
        """Every answer from now on is the last one of its connection, so that none is cut off between two requests."""
        closes = (b"connection", b"close")
        self.config.encoded_headers.append(closes)  # of which uvicorn makes these every second:
        self.server_state.default_headers = [*self.server_state.default_headers, closes]

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def server(application: Any, host: str, port: int) -> Server:
    """A server that listens already, so that a taken port is told at once."""
    config = uvicorn.Config(
        application,
        http=Limited,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # identity is the key's, never a header's (AU-6)
        timeout_graceful_shutdown=GRACE,
    )
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return Server(config, socket.create_server((host, port), family=family, backlog=config.backlog))
    except OSError as error:
        raise CannotStart(f"Cannot listen on {host}:{port}: {error.strerror}.") from error


@asynccontextmanager
async def serving(*servers: Server) -> AsyncIterator[tuple[Server, ...]]:
    """Run the servers while the block runs."""
    tasks = [asyncio.create_task(each.serve([each.listening])) for each in servers]
    gc.collect()
    gc.freeze()  # what was imported stays; collections then look at little
    gc.set_threshold(5_000, 20, 100)  # a page of records is 5,000 objects, and no garbage yet
    try:
        yield servers
    finally:
        for each in servers:
            each.should_exit = True
        await asyncio.gather(*tasks)


async def drained(host: Host, server: Server) -> None:
    """Take no calls any more, but answer still: that this host is about to stop, and what is in flight."""
    server.part()
    await asyncio.gather(host.drain(), asyncio.sleep(NOTICE))


async def until_stopped() -> None:
    """Wait for Ctrl-C or SIGTERM."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()


def run_host() -> None:
    """`upcard serve`."""
    logs.configure()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a dump of this process would hold every secret (SEC-8)
    try:
        uvloop.run(_serve(Settings()))
    except (Broken, CannotStart, NoKeys, ValueError) as error:
        raise SystemExit(str(error)) from None


async def _serve(settings: Settings) -> None:
    async with open_host(settings) as host, serving(server(app(host), settings.host, settings.port)) as (served,):
        first_key(host.keys, settings.data_dir)
        at = f"{settings.host}:{settings.port}"
        structlog.get_logger().info("ready", at=at, key_file=str(settings.data_dir / "key"))
        await until_stopped()
        await drained(host, served)
