"""Hosts of one's own, for tests that make connections and flows or break something; and callers who may do less."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from connector.engine.callers import ALL, Grant
from tests.conftest import HOST, Upcard, opened

Fresh = Callable[..., Awaitable[Upcard]]


def holding(
    upcard: Upcard, *scopes: str, cards: tuple[str, ...] = (ALL,), connections: tuple[str, ...] | None = None
) -> httpx.AsyncClient:
    """A client with a key that allows just this."""
    key = upcard.host.keys.mint("a test", Grant(frozenset(scopes), cards, connections))
    return with_key(upcard, key)


def with_key(upcard: Upcard, key: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(upcard.app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=HOST, headers={"Authorization": f"Bearer {key}"})


@pytest.fixture
async def on_either(tmp_path: Path, database: str) -> AsyncIterator[Fresh]:
    """The same as `fresh`, on SQLite and on PostgreSQL; hosts of one test share the database."""
    async with AsyncExitStack() as stack:

        async def start(**settings: Any) -> Upcard:
            return await stack.enter_async_context(opened(tmp_path, database_url=database, **settings))

        yield start


@pytest.fixture
async def fresh(tmp_path: Path) -> AsyncIterator[Fresh]:
    """`await fresh(allow_receivers="127.0.0.1:*")`: a host with the settings given."""
    async with AsyncExitStack() as stack:

        async def start(**settings: Any) -> Upcard:
            return await stack.enter_async_context(opened(tmp_path, **settings))

        yield start
