"""The server itself, over real sockets: what a caller sees that the application alone does not decide."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import respx

from connector.cli.serve import server, serving
from tests.conftest import Log, Upcard, opened

Exchange = Callable[[bytes], Awaitable[bytes]]


@pytest.fixture
async def upcard(tmp_path: Path) -> AsyncIterator[Upcard]:
    async with opened(tmp_path) as found:
        yield found


@pytest.fixture
async def exchange(upcard: Upcard) -> AsyncIterator[Exchange]:
    """`await exchange(request)`: all that is answered, until the connection is closed."""
    listening = server(upcard.app, "127.0.0.1", 0)

    async def exchanged(request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(*listening.listening.getsockname())
        writer.write(request)
        answer = await reader.read()
        writer.close()
        return answer

    async with serving(listening):
        yield exchanged


def post(upcard: Upcard, path: str, body: bytes, *headers: str) -> bytes:
    """A request with the key, after which the connection is closed."""
    key = upcard.http.headers["authorization"]
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"Authorization: {key}", "Content-Type: application/json"]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "Connection: close", *headers, "", ""]).encode() + body


async def test_a_list_that_breaks_off_does_not_look_complete(
    upcard: Upcard, exchange: Exchange, kandji: respx.MockRouter, log: Log
) -> None:
    """UP-6: the answer has no end, and the log one line that says why."""
    kandji.get("/devices", params={"offset": 0}).respond(json=[{"device_id": str(number)} for number in range(300)])
    kandji.get("/devices", params={"offset": 300}).respond(500)

    answer = await exchange(post(upcard, "/v1/cards/kandji/list_devices", b"{}", "Accept: application/x-ndjson"))

    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.count(b'{"device_id"') == 300
    assert not answer.endswith(b"0\r\n\r\n")
    (line,) = map(json.loads, log().splitlines())
    assert (line["event"], line["outcome"]) == ("call", "unavailable")


async def test_a_list_that_ends_looks_complete(upcard: Upcard, exchange: Exchange, kandji: respx.MockRouter) -> None:
    """UP-6: so that a caller can tell."""
    kandji.get("/devices").respond(json=[])

    answer = await exchange(post(upcard, "/v1/cards/kandji/list_devices", b"{}", "Accept: application/x-ndjson"))

    assert answer.endswith(b"\r\n\r\n0\r\n\r\n")
