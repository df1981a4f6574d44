"""Commands, as an operator uses them, against a host over a real socket."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from connector.cli import app
from connector.cli.key import ready_key
from connector.cli.serve import server, serving
from tests.conftest import Upcard, opened

Command = Callable[..., Awaitable[Result]]


@pytest.fixture
async def upcard(tmp_path: Path) -> AsyncIterator[Upcard]:
    async with opened(tmp_path) as found:
        yield found


@pytest.fixture
async def environment(upcard: Upcard, tmp_path: Path) -> AsyncIterator[dict[str, str]]:
    async with reached(upcard, tmp_path) as found:
        yield found


@pytest.fixture
def command(environment: dict[str, str]) -> Command:
    """`await command("keys", "list")`."""
    return commanding(environment)


@asynccontextmanager
async def reached(upcard: Upcard, folder: Path) -> AsyncIterator[dict[str, str]]:
    """What leads commands to a host: its port, and the data folder with a key that is not the caller's."""
    ready_key(upcard.host.keys, folder)
    listening = server(upcard.app, "127.0.0.1", 0)
    async with serving(listening):
        yield {"UPCARD_DATA_DIR": str(folder), "UPCARD_PORT": str(listening.listening.getsockname()[1])}


def commanding(environment: dict[str, str]) -> Command:
    async def run(*words: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, app, list(words), env=environment)

    return run
