"""An answer on its way: stamped with headers, logged, over a connection that may fail.

ASGI has no word for this, so the transport behind uvicorn's `send` is closed (its attribute `transport`, both
with httptools and h11). Where there is no such transport, as in-process, the app raises ConnectionResetError.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.faults import Fault
from sandbox.log import Entry


async def sent(fault: Fault, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """The answer on its way, over a connection that may fail; `send` is the server's own."""
    if fault.kind == "drop":
        await drop(receive, send)
    elif fault.kind == "lost_answer":
        await capture(app, scope, receive)
        await drop(receive, send)
    elif fault.kind == "cut":
        await cut(await capture(app, scope, receive), receive, send)
    else:
        await app(scope, receive, send)


def stamped(app: ASGIApp, entry: Entry, headers: Mapping[str, str]) -> ASGIApp:
    """The app with these headers on its answer, and the status in the log."""
    extra = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def with_headers(scope: Scope, receive: Receive, send: Send) -> None:
        async def stamp(message: Message) -> None:
            if message["type"] == "http.response.start":
                entry.status = message["status"]
                message = {**message, "headers": [*message["headers"], *extra]}
            await send(message)

        await app(scope, receive, stamp)

    return with_headers


@dataclass(frozen=True)
class Captured:
    """An answer that was produced and not sent."""

    start: Message
    body: bytes


async def capture(app: ASGIApp, scope: Scope, receive: Receive) -> Captured:
    messages: list[Message] = []

    async def keep(message: Message) -> None:
        messages.append(message)

    await app(scope, receive, keep)
    return Captured(messages[0], b"".join(message.get("body", b"") for message in messages[1:]))


async def drop(receive: Receive, send: Send) -> None:
    """Reset the connection: the client sees it close without a byte."""
    _transport(send).abort()
    await _until_closed(receive)


async def cut(answer: Captured, receive: Receive, send: Send) -> None:
    """Send the headers and half of the announced body, then close."""
    transport = _transport(send)
    await send(answer.start)
    await send({"type": "http.response.body", "body": answer.body[: len(answer.body) // 2], "more_body": True})
    transport.close()
    await _until_closed(receive)


async def _until_closed(receive: Receive) -> None:
    """Once uvicorn knows that the client is gone it neither answers nor complains."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _transport(send: Send) -> asyncio.Transport:
    transport: asyncio.Transport | None = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionResetError("The sandbox closed the connection, as a fault asked for.")
    return transport
