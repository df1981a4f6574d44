"""A helper flow that costs next to nothing: counts how often each record came, in five bytes a record.

It tells records apart by the number that the stub puts into their device IDs.
"""

import asyncio
import re
import time
from array import array
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from zlib import crc32

from bench.wire import Answering

PATIENCE = 600  # seconds
LOOK = 0.01  # seconds between looks at what came
TAKEN = b"HTTP/1.1 204 No Content\r\n\r\n"
REFUSED = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
NUMBER = re.compile(rb'"device_id":"[0-9a-f-]{24}(\d{12})"')
WEBHOOK_ID = re.compile(rb"\r\nwebhook-id: (\S+)")  # the bare loop sends none


class Wrong(Exception):
    """Records are lost, came more often than they may, or came again as something else."""


class Receiver:
    """`times` says how often each record came, `came` how many did; `first` is when the first of them did."""

    def __init__(self, records: int) -> None:
        self.url = ""
        self.refused: frozenset[int] = frozenset()  # answered 404
        self._records = records
        self.forget()

    def forget(self) -> None:
        self.times = bytearray(self._records)
        self._prints = array("I", bytes(4 * self._records))
        self.came = self.differing = 0
        self.first = self.last = self.silence = 0.0  # `silence` is the longest between two requests

    def take(self, head: bytes, body: bytes) -> bytes:
        self._tick(time.perf_counter())
        found, id_ = NUMBER.search(body), WEBHOOK_ID.search(head)
        assert found
        number, print_ = int(found[1]), crc32(body, crc32(id_[1] if id_ else b""))
        if not self.times[number]:
            self.came += 1
            self._prints[number] = print_
        self.differing += self._prints[number] != print_
        self.times[number] += 1
        return REFUSED if number in self.refused else TAKEN

    async def reaches(self, count: int) -> None:
        """Wait until so many records came."""
        async with asyncio.timeout(PATIENCE):
            while self.came < count:  # noqa: ASYNC110 - an event a record would cost more than looking
                await asyncio.sleep(LOOK)

    def check(self, wanted: bytes | None = None) -> None:
        """Raises Wrong unless each record came as often as is wanted, once by default, and always the same."""
        wanted = wanted or b"\x01" * self._records
        if self.times == wanted and not self.differing:
            return
        pairs = list(zip(self.times, wanted, strict=True))
        lost = sum(should > came for came, should in pairs)
        repeated = sum(should < came for came, should in pairs)
        raise Wrong(f"{lost:,} records are lost, {repeated:,} came too often, {self.differing:,} came changed.")

    def _tick(self, now: float) -> None:
        self.first = self.first or now
        self.silence = max(self.silence, now - (self.last or now))
        self.last = now


@asynccontextmanager
async def receiving(records: int, delay: float = 0.0) -> AsyncIterator[Receiver]:
    """A receiver on a port of its own, which answers after so many seconds."""
    receiver = Receiver(records)
    loop = asyncio.get_running_loop()
    async with await loop.create_server(lambda: Answering(receiver.take, delay), "127.0.0.1", 0) as server:
        receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/record"
        yield receiver
