"""uvicorn's HTTP/1.1 with the limits that it lacks (AU-9), and problem documents for what is not HTTP (ER-1).

A request has 32 KiB of headers and 30 seconds, from its first byte to its last. How long its answer takes is not
looked at here.
"""

import asyncio
from http import HTTPStatus
from itertools import chain
from typing import Any, Literal, NoReturn

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from connector.rest.problems import problem
from connector.sdk.errors import HeadersTooLarge, InvalidCall, RequestTimeout, TooLarge, UpcardError
from connector.sdk.trace import new_request

LARGEST_HEAD = 32 * 1024  # bytes of request line and headers
LARGEST_REQUEST = 16 * 1024 * 1024  # bytes; bodies have a limit of their own; this is for trailers, which pile up
SLOWEST = 30.0  # seconds for a whole request
AGAIN = 1.0  # seconds until the next look at a request that waits for us

HAS_BODY = frozenset({b"content-length", b"transfer-encoding"})

Part = Literal["", "head", "body"]


class Limited(HttpToolsProtocol):
    """One connection. `_began` is when the request that is read began, or None between requests."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn does
        super().connection_made(transport)
        self._part: Part = ""
        self._received = 0
        self._began: float | None = self.loop.time()
        self._timer = self.loop.call_later(SLOWEST, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._began is None:
            self._began = self.loop.time()
        self._received += len(data)
        super().data_received(data)
        if self._part == "head" and self._received > LARGEST_HEAD:
            self._refuse(_too_long())
        elif self._received > LARGEST_REQUEST:
            self._refuse(TooLarge("The request is larger than 16 MiB."))

    def on_message_begin(self) -> None:
        self._part = "head"
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._part == "head":  # what comes after a body must not count as one of its request's headers
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if self.parser.should_upgrade() and any(name in HAS_BODY and value != b"0" for name, value in self.headers):
            # The parser would leave the body out, and read it as the next request.
            self._stop(InvalidCall("Send a request that has a body without Upgrade: this host speaks HTTP/1.1 only."))
        if len(self.url) + sum(map(len, chain.from_iterable(self.headers))) + 4 * len(self.headers) > LARGEST_HEAD:
            self._stop(_too_long())
        super().on_headers_complete()
        self._part = "body"

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._part, self._received, self._began = "", 0, None

    def send_400_response(self, msg: str) -> None:
        self._refuse(InvalidCall("The request is not valid HTTP."))

    def _look(self) -> None:
        """Whether the request that is read takes too long; one that waits for us does not."""
        if self.transport.is_closing():
            return
        left = SLOWEST if self._began is None else self._began + SLOWEST - self.loop.time()
        if left <= 0 and not self.flow.read_paused:
            self._refuse(RequestTimeout(f"The request did not come within {SLOWEST:.0f} seconds."))
            return
        self._timer = self.loop.call_later(max(left, AGAIN), self._look)

    def _stop(self, error: UpcardError) -> NoReturn:
        self._refuse(error)
        raise error  # the parser reads no further

    def _refuse(self, error: UpcardError) -> None:
        """Answer what is read, where an answer can still be told from another one; then hang up."""
        if self.transport.is_closing():
            return
        if self._received and self._may_answer():
            self.transport.write(_written(error))
        if self.cycle:
            self.cycle.disconnected = True
        self.transport.close()

    def _may_answer(self) -> bool:
        if self._part == "body":
            return not self.cycle.response_started and not self.pipeline
        return self.cycle is None or self.cycle.response_complete


def _too_long() -> HeadersTooLarge:
    return HeadersTooLarge("The request's headers are larger than 32 KiB.")


def _written(error: UpcardError) -> bytes:
    answer: Any = problem(error)
    more = [(b"connection", b"close"), (b"x-request-id", new_request().encode())]
    headers = b"".join(b"%s: %s\r\n" % header for header in [*answer.raw_headers, *more])
    line = f"HTTP/1.1 {error.status} {HTTPStatus(error.status).phrase}\r\n"
    return line.encode() + headers + b"\r\n" + bytes(answer.body)
