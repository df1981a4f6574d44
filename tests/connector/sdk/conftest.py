"""Services to ask: one behind a real socket on the loopback address, over the session that the host uses."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import pytest
import respx

from connector.engine.addresses import Allowed
from connector.engine.network import open_session
from connector.sdk.http import Service
from tests.connector.sdk.wire import Serve, Slept, There, Wire


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """`await serve(answer(b"[]"), HANG_UP)`: a service that answers so, in turn."""
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(open_session(Allowed.parse("127.0.0.1:*"), limit=20))

        async def start(*answers: bytes) -> There:
            wire, slept = Wire(list(answers)), Slept()
            server = await stack.enter_async_context(await asyncio.start_server(wire.serve, "127.0.0.1", 0))
            stack.callback(lambda: [task.cancel() for task in wire.held])
            wire.port = server.sockets[0].getsockname()[1]
            service = Service(f"http://127.0.0.1:{wire.port}", {"Authorization": "Bearer t0ken"}, session, slept)
            return There(service, wire, slept)

        yield start


@pytest.fixture
def played() -> Iterator[respx.MockRouter]:
    """A service that respx plays; what is not routed here fails the test."""
    with respx.mock(using="httpx", assert_all_called=False) as router:
        yield router
