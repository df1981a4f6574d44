"""Run uvicorn servers in this process: one for `serve`, the host and a simulated tenant for `up`."""

import asyncio
import contextlib
import gc
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import structlog
import uvicorn
import uvloop

from connector.cli.key import ready_key
from connector.engine.seals import NoKeys
from connector.engine.settings import Settings
from connector.rest.app import app

DRAIN = 20  # seconds for calls in flight when the host stops (UP-7)


class Server(uvicorn.Server):
    """A server that leaves signals to the one who runs several of them."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def server(application: Any, host: str, port: int) -> Server:
    config = uvicorn.Config(
        application,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=DRAIN,
    )
    return Server(config)


@asynccontextmanager
async def serving(*servers: Server) -> AsyncIterator[None]:
    """Run the servers while the block runs; they answer when it begins."""
    tasks = [asyncio.create_task(each.serve()) for each in servers]
    while not all(each.started for each in servers):
        if any(task.done() for task in tasks):
            break
        await asyncio.sleep(0.005)
    try:
        if not all(each.started for each in servers):
            raise SystemExit("A server could not start: is the port taken?")
        gc.collect()
        gc.freeze()  # what was imported stays; collections then look at little (engine.md, 4b)
        yield
    finally:
        for each in servers:
            each.should_exit = True
        await asyncio.gather(*tasks)


async def until_stopped() -> None:
    """Wait for Ctrl-C or SIGTERM."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()


def run_host() -> None:
    """`upcard serve`."""
    try:
        uvloop.run(_serve(Settings()))
    except NoKeys as error:
        raise SystemExit(str(error)) from None


async def _serve(settings: Settings) -> None:
    application = app(settings)
    async with serving(server(application, settings.host, settings.port)):
        ready_key(application.state.host.keys, settings.data_dir)
        structlog.get_logger().info(
            "ready", host=settings.host, port=settings.port, key_file=str(settings.data_dir / "key")
        )
        await until_stopped()
