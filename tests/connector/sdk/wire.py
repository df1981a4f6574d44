"""A service on the loopback address that answers byte for byte, or hangs, or hangs up; and a clock of no length."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from connector.sdk.http import Service

HANG, HANG_UP = b"hang", b"hang up"


def answer(body: bytes = b"{}", status: str = "200 OK", *headers: str) -> bytes:
    """One whole answer; `Content-Length` is the body's unless a header says otherwise."""
    length = [] if any(header.startswith(("Content-Length", "Transfer")) for header in headers) else [len(body)]
    lines = [f"HTTP/1.1 {status}", *headers, *(f"Content-Length: {size}" for size in length)]
    return "\r\n".join([*lines, "", ""]).encode() + body


@dataclass
class Wire:
    """`answers` are given in turn, the last one again and again; `asked` are the heads and bodies that came."""

    answers: list[bytes]
    asked: list[tuple[str, bytes]] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)
    port: int = 0
    held: set["asyncio.Task[None]"] = field(default_factory=set)

    @property
    def heads(self) -> list[str]:
        return [head for head, _ in self.asked]

    @property
    def lines(self) -> list[str]:
        """Method and target of each request."""
        return [head.partition(" HTTP/")[0] for head in self.heads]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.held.add(task)
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass  # the other end is gone, or the test is over
        finally:
            self.held.discard(task)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next((line for line in head.lower().split("\r\n") if line.startswith("content-length")), ":0")
        self.asked.append((head, await reader.readexactly(int(length.partition(":")[2]))))
        self.came.set()
        told = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if told == HANG:
            await asyncio.Event().wait()
        if told == HANG_UP:
            return False
        writer.write(told)
        await writer.drain()
        return b"connection: close" not in told.lower()


@dataclass
class Slept:
    """Sleeps that end at once; `seconds` are those that were asked for."""

    seconds: list[float] = field(default_factory=list)

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


@dataclass(frozen=True)
class There:
    """A service, its other end, and how long it slept."""

    service: Service
    wire: Wire
    slept: Slept


Serve = Callable[..., Awaitable[There]]
