"""Keep a server busy with one request over some kept-alive connections, and count its answers."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from bench.wire import split

WARM_UP = 0.5  # seconds


@dataclass
class Tally:
    """Answers so far; each of them was 200."""

    done: int = 0


@dataclass(frozen=True)
class Measured:
    """What a server did in some time: answers, seconds, and seconds of CPU of all who were watched."""

    done: int
    seconds: float
    cpu: tuple[float, ...]

    @property
    def rate(self) -> float:
        return self.done / self.seconds


class Client(asyncio.Protocol):
    """One connection: sends the request again as soon as it is answered."""

    def __init__(self, request: bytes, tally: Tally) -> None:
        self._request = request
        self._tally = tally
        self._unread = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own is none by class
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._unread += data
        if (message := split(self._unread)) is None:
            return
        head, _, self._unread = message
        assert head.startswith(b"HTTP/1.1 200"), message
        self._tally.done += 1
        self._transport.write(self._request)

    def close(self) -> None:
        self._transport.abort()


async def load(port: int, request: bytes, clients: int, seconds: float, cpu: Callable[[], list[float]]) -> Measured:
    """Measure for some seconds, after a warm-up; `cpu` gives the CPU seconds of those who are watched."""
    loop, tally = asyncio.get_running_loop(), Tally()
    opened = [await loop.create_connection(lambda: Client(request, tally), "127.0.0.1", port) for _ in range(clients)]
    await asyncio.sleep(WARM_UP)
    began, before, done = loop.time(), cpu(), tally.done
    await asyncio.sleep(seconds)
    used = tuple(now - then for now, then in zip(cpu(), before, strict=True))
    found = Measured(tally.done - done, loop.time() - began, used)
    for _, client in opened:
        client.close()
    return found
