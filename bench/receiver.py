"""A helper flow that costs next to nothing: answers 204 and counts requests and distinct records."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bench.wire import Answering

TAKEN = b"HTTP/1.1 204 No Content\r\n\r\n"
BEFORE_ID = b'"device_id":"'
LENGTH_OF_ID = 36


class Receiver:
    """`seen` are the device IDs that came."""

    def __init__(self) -> None:
        self.requests = 0
        self.seen: set[bytes] = set()

    def take(self, _: bytes, body: bytes) -> bytes:
        begin = body.index(BEFORE_ID) + len(BEFORE_ID)
        self.requests += 1
        self.seen.add(body[begin : begin + LENGTH_OF_ID])
        return TAKEN

    def forget(self) -> None:
        self.requests = 0
        self.seen.clear()


@asynccontextmanager
async def receiving(port: int) -> AsyncIterator[Receiver]:
    receiver = Receiver()
    loop = asyncio.get_running_loop()
    async with await loop.create_server(lambda: Answering(receiver.take), "127.0.0.1", port):
        yield receiver
