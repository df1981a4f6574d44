"""The server itself, over real sockets: what a caller sees that the application alone does not decide."""

import asyncio
import base64
import json
import os
import stat
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import httpx
import pytest
import respx

from connector.cli import protocol
from connector.cli.protocol import LARGEST_REQUEST
from connector.cli.serve import run_host, server, serving
from tests.conftest import Log, Upcard, opened
from tests.processes import HostProcess

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


def refused(answer: bytes) -> tuple[int, str]:
    """Status and slug of an answer that is one problem document, after which the connection is closed."""
    head, _, body = answer.partition(b"\r\n\r\n")
    headers = dict(line.lower().split(": ") for line in head.decode().split("\r\n")[1:])
    assert (headers["content-type"], headers["connection"]) == ("application/problem+json", "close")
    assert headers["x-request-id"].startswith("req_")
    return int(head.split()[1]), json.loads(body)["type"]


@pytest.mark.parametrize(
    "request_",
    [
        b"nonsense\r\n\r\n", b"GET / HTTP/9\r\n\r\n", b"GET  HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET /\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)  # fmt: skip
async def test_what_is_not_http_is_a_problem(exchange: Exchange, request_: bytes) -> None:
    """ER-1: also where no application is reached."""
    assert refused(await exchange(request_)) == (400, "invalid_call")


@pytest.mark.parametrize(
    "request_",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 33_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: x\r\n" * 9_000 + b"\r\n",
        b"GET /" + b"x" * 33_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"x" * 100_000,
        b"GET /" + b"x" * 100_000,
    ],
    ids=["one header", "many headers", "the address", "a header without end", "an address without end"],
)
async def test_headers_have_a_limit(exchange: Exchange, request_: bytes) -> None:
    """AU-9: 32 KiB, whether they end or not."""
    assert refused(await exchange(request_)) == (431, "headers_too_large")


async def test_headers_below_the_limit_are_read(upcard: Upcard, exchange: Exchange) -> None:
    """AU-9: and a body of any length does not count as headers."""
    answer = await exchange(post(upcard, "/v1/flows", b" " * 1_000_000, "X: " + "x" * 32_000))

    assert answer.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("asked", ["Upgrade: h2c", "Upgrade: websocket"])
async def test_a_body_is_never_read_as_a_request(upcard: Upcard, exchange: Exchange, asked: str) -> None:
    """ER-2: the parser skips the body of a request that asks for another protocol; Java's client does so by itself."""
    inside = post(upcard, "/v1/keys", b'{"label": "hidden", "scopes": ["admin"]}')

    answer = await exchange(
        post(upcard, "/v1/flows", inside).replace(b"Connection: close", b"Connection: Upgrade\r\n" + asked.encode())
    )

    assert refused(answer) == (400, "invalid_call")


async def test_an_upgrade_without_a_body_is_passed_over(upcard: Upcard, exchange: Exchange) -> None:
    """RFC 9110, 7.8: a server may answer as if nobody had asked for another protocol."""
    asked = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: upgrade, close\r\nUpgrade: h2c\r\n\r\n"

    assert (await exchange(asked)).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("name", ["Authorization", "x-api-client-token"])
async def test_a_trailer_is_no_header(upcard: Upcard, exchange: Exchange, name: str) -> None:
    """AU-2: a key comes before the body, where a proxy in front looks; RFC 9110, 6.5.1."""
    key = upcard.http.headers["authorization"].removeprefix("" if name == "Authorization" else "Bearer ")
    head = "POST /v1/flows HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"

    answer = await exchange(f"{head}2\r\n{{}}\r\n0\r\n{name}: {key}\r\n\r\n".encode())

    assert answer.startswith(b"HTTP/1.1 401 ")


async def test_a_request_without_end_is_cut_off(exchange: Exchange) -> None:
    """AU-9: trailers are held in memory, and anybody may send them."""
    chunked = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: "

    answer = await exchange(chunked + b"x" * (LARGEST_REQUEST + 1))

    assert answer.startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"", b""),
        (b"POST /v1/flows HTTP/1.1\r\nHost", b"HTTP/1.1 408 "),
        ("the start of a body", b"HTTP/1.1 408 "),
        (b"POST /v1/flows HTTP/1.1\r\nContent-Length: 9\r\n\r\n{", b"HTTP/1.1 401 "),
    ],
    ids=["nothing", "headers", "a body", "a body nobody wants"],
)
async def test_a_request_that_dribbles_is_cut_off(
    upcard: Upcard, exchange: Exchange, monkeypatch: pytest.MonkeyPatch, sent: bytes | str, status: bytes
) -> None:
    """AU-9: after 30 seconds, with an answer if it has had none."""
    monkeypatch.setattr(protocol, "SLOWEST", 0.2)
    monkeypatch.setattr(protocol, "AGAIN", 0.01)
    started = post(upcard, "/v1/flows", b"{}")[:-1]

    answer = await exchange(sent if isinstance(sent, bytes) else started)

    assert answer.startswith(status)
    assert bool(answer) == bool(status)


async def test_an_answer_may_take_longer_than_its_request(
    upcard: Upcard, exchange: Exchange, kandji: respx.MockRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AU-9: the limit is for callers, not for the service."""
    monkeypatch.setattr(protocol, "SLOWEST", 0.05)

    async def slow(_: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0.2)
        return httpx.Response(200, json=[])

    kandji.get("/devices").mock(side_effect=slow)

    answer = await exchange(post(upcard, "/v1/cards/kandji/list_devices", b"{}", "Accept: application/x-ndjson"))

    assert answer.startswith(b"HTTP/1.1 200 ")


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder without keys."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UPCARD_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("UPCARD_SECRET_KEYS", raising=False)
    monkeypatch.setattr("resource.setrlimit", lambda *_: None)  # this process and its log are the tests'
    monkeypatch.setattr("connector.engine.logs.configure", lambda: None)
    return tmp_path


def test_without_keys_no_host_starts(alone: Path) -> None:
    """SEC-2: none is made by itself; one sentence says what to set."""
    with pytest.raises(SystemExit, match="No keys to seal secrets with: set UPCARD_SECRET_KEYS"):
        run_host()

    assert not (alone / "secret-keys").exists()


async def test_with_other_keys_no_host_starts(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SEC-2: a host that cannot open its connections says which one it is."""
    async with opened(alone):
        pass
    monkeypatch.setenv("UPCARD_SECRET_KEYS", f"k1:{base64.b64encode(b'9' * 32).decode()}")

    with pytest.raises(SystemExit, match="The secret at connections/acme/fields cannot be opened"):
        await asyncio.to_thread(run_host)


@pytest.fixture
def process(tmp_path: Path) -> Iterator[HostProcess]:
    """A host under a umask that leaves every file open."""
    before, made = os.umask(0), HostProcess(tmp_path / "data", "http://127.0.0.1:1")
    made.start()
    yield made
    os.umask(before)
    made.kill()


@pytest.mark.slow
def test_a_host_keeps_its_secrets_to_itself(process: HostProcess) -> None:
    """SEC-8: its files are its owner's, it dumps no core, and has no child that could show its environment."""
    assert process.running
    at = Path(f"/proc/{process.running.pid}")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in process.folder.iterdir()}
    del modes[f"log-{process.port}"]  # the test's own

    assert {*modes} >= {"key", "secret-keys", "upcard.db", "upcard.db-wal", "slot-0.lock"}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(process.folder.stat().st_mode) == 0o700
    assert [line.split()[4:6] for line in (at / "limits").read_text().splitlines() if "core" in line] == [["0", "0"]]
    assert "".join(path.read_text() for path in at.glob("task/*/children")) == ""
