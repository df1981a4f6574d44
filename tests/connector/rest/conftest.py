"""Hosts of one's own, for tests that make connections and flows or break something."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Upcard, opened

Fresh = Callable[..., Awaitable[Upcard]]


@pytest.fixture
async def fresh(tmp_path: Path) -> AsyncIterator[Fresh]:
    """`await fresh(allow_receivers="127.0.0.1:*")`: a host with the settings given."""
    async with AsyncExitStack() as stack:

        async def start(**settings: Any) -> Upcard:
            return await stack.enter_async_context(opened(tmp_path, **settings))

        yield start
