"""The least of HTTP/1.1 that keeps a measuring end cheap: requests with a length, kept-alive connections, no errors."""

import asyncio
import re
from collections.abc import Callable
from typing import cast

LENGTH = re.compile(rb"\r\ncontent-length: ?(\d+)", re.IGNORECASE)
END = b"\r\n\r\n"

Answer = Callable[[bytes, bytes], bytes]


class Answering(asyncio.Protocol):
    """One connection of a server: `answer` turns a request's head and body into all bytes of a response.

    They are sent after `delay` seconds, for which a caller must wait before it asks again.
    """

    def __init__(self, answer: Answer, delay: float = 0.0) -> None:
        self._answer = answer
        self._delay = delay
        self._unread = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own is none by class

    def data_received(self, data: bytes) -> None:
        self._unread += data
        while message := split(self._unread):
            head, body, self._unread = message
            self._send(self._answer(head, body))

    def _send(self, response: bytes) -> None:
        if self._delay:
            asyncio.get_running_loop().call_later(self._delay, self._transport.write, response)
        else:
            self._transport.write(response)


def split(data: bytes) -> tuple[bytes, bytes, bytes] | None:
    """Head, body and what follows; None while the message is not complete."""
    end = data.find(END)
    if end < 0:
        return None
    length = LENGTH.search(data, 0, end)
    begin = end + len(END)
    finish = begin + (int(length[1]) if length else 0)
    return (data[:end], data[begin:finish], data[finish:]) if len(data) >= finish else None


def response(body: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return head % len(body) + body
