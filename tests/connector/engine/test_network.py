"""What a session dials: against real listeners on the loopback, which count who connects."""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack

import aiohttp
import httpx
import pytest
import uvloop

from connector.engine import network
from connector.engine.addresses import Allowed
from connector.engine.network import Blocked, Lookup, blocked, look_up, open_session
from connector.sdk.http import OverAiohttp

PUBLIC = "93.184.215.14"
PUBLIC_IPV6 = "2606:4700:4700::1111"


class Listener:
    """A receiver on the loopback that remembers the heads of the requests it was sent."""

    def __init__(self, status: str, headers: Sequence[str]) -> None:
        self._answer = "\r\n".join([f"HTTP/1.1 {status}", "Content-Length: 0", "Connection: close", *headers, "", ""])
        self._connections = 0
        self.heads: list[str] = []

    async def start(self, host: str, port: int) -> asyncio.Server:
        server = await asyncio.start_server(self._serve, host, port)
        self.host, self.port = server.sockets[0].getsockname()
        return server

    async def contacts(self) -> int:
        """Connections so far; our own, made to be sure, comes after them. To be asked once, at the end."""
        reader, writer = await asyncio.open_connection(self.host, self.port)
        writer.write(b"GET /contacts HTTP/1.1\r\n\r\n")
        await reader.read()
        writer.close()
        return self._connections - 1

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(self._answer.encode())
        writer.close()


Listen = Callable[..., Awaitable[Listener]]


@pytest.fixture
async def listen() -> AsyncIterator[Listen]:
    async with AsyncExitStack() as servers:

        async def start(*headers: str, status: str = "200 OK", host: str = "127.0.0.1", port: int = 0) -> Listener:
            listener = Listener(status, headers)
            await servers.enter_async_context(await listener.start(host, port))
            return listener

        yield start


@pytest.fixture
async def dialled(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Every address that the event loop is asked to connect to; none of them is reached."""
    attempts: list[tuple[str, int]] = []

    async def unreachable(_: socket.socket, address: tuple[str, int]) -> None:
        attempts.append(address[:2])
        raise ConnectionRefusedError(errno.ECONNREFUSED, "refused")

    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", unreachable)
    return attempts


def answering(*turns: Sequence[str]) -> Lookup:
    """A lookup that gives these answers in turn; one lookup too many is an error."""
    answers = iter(turns)

    async def lookup(host: str, port: int) -> Sequence[str]:
        return next(answers)

    return lookup


async def status(url: str, allowed: str = "", lookup: Lookup = look_up) -> int:
    async with open_session(Allowed.parse(allowed), limit=10, lookup=lookup) as session, session.get(url) as response:
        return response.status


async def failure(url: str, allowed: str = "", lookup: Lookup = look_up) -> aiohttp.ClientError:
    with pytest.raises(aiohttp.ClientError) as raised:
        await status(url, allowed, lookup)

    return raised.value


async def test_an_allowed_address_is_reached(listen: Listen) -> None:
    """SSRF-7: a receiver on the loopback that the operator lists is called over plain http."""
    receiver = await listen()

    assert await status(f"http://127.0.0.1:{receiver.port}/", f"127.0.0.1:{receiver.port}") == 200


async def test_an_allowed_name_is_reached_where_it_leads(listen: Listen) -> None:
    """SSRF-7: whoever lists a name need not know its addresses."""
    receiver = await listen()
    lookup = answering(["127.0.0.1"])

    assert await status(f"http://hooks.internal:{receiver.port}/", f"hooks.internal:{receiver.port}", lookup) == 200


def test_an_allowed_name_is_reached_on_uvloop() -> None:
    """SSRF-7: uvloop, which the host runs on, dials the address that the guard let through."""

    async def call() -> int:
        receiver = Listener("200 OK", ())
        async with await receiver.start("127.0.0.1", 0):
            url, listed = f"http://hooks.internal:{receiver.port}/", f"hooks.internal:{receiver.port}"
            return await status(url, listed, answering(["127.0.0.1"]))

    assert uvloop.run(call()) == 200


@pytest.mark.parametrize("host", ["127.0.0.1", "[::ffff:127.0.0.1]", "localhost", "LOCALHOST", "0x7f000001", "0x7f.1"])
async def test_a_refused_address_is_not_contacted(listen: Listen, host: str) -> None:
    """SSRF-4, SSRF-5: neither as a literal, nor by a name, nor by a number that the resolver takes for an address."""
    receiver = await listen()

    error = await failure(f"http://{host}:{receiver.port}/")

    assert blocked(error)
    assert await receiver.contacts() == 0


@pytest.mark.parametrize("host", ["2130706433", "127.1", "0177.0.0.1", "0", "127.0.0.1."])
async def test_a_number_that_is_no_plain_address_is_not_contacted(listen: Listen, host: str) -> None:
    """SSRF-3: aiohttp itself refuses what neither its resolver nor a strict reader calls an address."""
    receiver = await listen()

    await failure(f"http://{host}:{receiver.port}/", f"127.0.0.1:{receiver.port}")

    assert await receiver.contacts() == 0


async def test_a_name_that_changes_its_address_is_not_followed(listen: Listen) -> None:
    """SSRF-5: DNS rebinding; the second connection is checked like the first, after one lookup for each."""
    receiver = await listen()
    inner = await listen(host="127.0.0.2", port=receiver.port)
    lookup = answering(["127.0.0.1"], ["127.0.0.2"])
    url = f"http://rebinding.example:{receiver.port}/"

    async with open_session(Allowed.parse(f"127.0.0.1:{receiver.port}"), limit=10, lookup=lookup) as session:
        first = await session.get(url)
        with pytest.raises(aiohttp.ClientConnectorError) as raised:
            await session.get(url)

    assert first.status == 200
    assert blocked(raised.value)
    assert (await receiver.contacts(), await inner.contacts()) == (1, 0)


async def test_only_the_checked_address_is_dialled(dialled: list[tuple[str, int]]) -> None:
    """SSRF-5: public at first and private afterwards; what was checked is dialled, and nothing else ever is."""
    lookup = answering([PUBLIC], ["127.0.0.1"])

    first = await failure("https://rebinding.example/", lookup=lookup)
    second = await failure("https://rebinding.example/", lookup=lookup)

    assert (blocked(first), blocked(second)) == (False, True)
    assert dialled == [(PUBLIC, 443)]


@pytest.mark.parametrize(
    "answers",
    [
        ["127.0.0.1"],
        [PUBLIC, "127.0.0.1"],
        ["10.0.0.1", PUBLIC],
        [PUBLIC, PUBLIC_IPV6, "::1"],
        [PUBLIC, "169.254.169.254"],
        [PUBLIC_IPV6, "::ffff:10.0.0.1"],
        [PUBLIC_IPV6, "64:ff9b::7f00:1"],
        [PUBLIC_IPV6, "fe80::1%eth0"],
        [PUBLIC, "not an address"],
    ],
)
async def test_one_refused_answer_refuses_the_name(dialled: list[tuple[str, int]], answers: list[str]) -> None:
    """SSRF-5: every A and AAAA answer has to be allowed, else none is dialled."""
    error = await failure("https://split.example/", lookup=answering(answers))

    assert blocked(error)
    assert dialled == []


async def test_every_allowed_answer_may_be_dialled(dialled: list[tuple[str, int]]) -> None:
    """SSRF-5: where one address does not answer, the next of the checked ones is tried, without another lookup."""
    error = await failure("https://public.example/", lookup=answering([PUBLIC, PUBLIC_IPV6, PUBLIC]))

    assert not blocked(error)
    assert set(dialled) == {(PUBLIC, 443), (PUBLIC_IPV6, 443)}


async def test_a_public_address_is_dialled_on_443_only(dialled: list[tuple[str, int]]) -> None:
    """SSRF-2: the connection is held to the port too, whatever the request asked for."""
    open_port = await failure(f"https://{PUBLIC}/")
    other_port = await failure(f"https://{PUBLIC}:8443/")

    assert (blocked(open_port), blocked(other_port)) == (False, True)
    assert dialled == [(PUBLIC, 443)]


async def test_an_allowed_name_does_not_allow_its_address(listen: Listen) -> None:
    """SSRF-7: the list is exact; another name for the same address stays refused."""
    receiver = await listen()
    listed = f"hooks.internal:{receiver.port}"

    by_address = await failure(f"http://127.0.0.1:{receiver.port}/", listed)
    by_name = await failure(f"http://other.example:{receiver.port}/", listed, answering(["127.0.0.1"]))

    assert (blocked(by_address), blocked(by_name)) == (True, True)
    assert await receiver.contacts() == 0


@pytest.mark.parametrize("address", ["169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254", "168.63.129.16"])
async def test_an_allowed_name_does_not_lead_to_metadata(dialled: list[tuple[str, int]], address: str) -> None:
    """SSRF-7: the metadata addresses stay refused unless they are listed themselves."""
    error = await failure("http://hooks.internal/", "hooks.internal:80", answering([address]))

    assert blocked(error)
    assert dialled == []


async def test_without_a_guard_only_public_addresses_are_reached(listen: Listen) -> None:
    """SSRF-7: off by default; no list of the operator means no exception, not no check."""
    receiver = await listen()

    async with open_session(None, limit=10) as session:
        with pytest.raises(aiohttp.ClientConnectorError) as raised:
            await session.get(f"http://127.0.0.1:{receiver.port}/")

    assert blocked(raised.value)
    assert await receiver.contacts() == 0


async def test_a_redirect_does_not_lead_inside(listen: Listen) -> None:
    """SSRF-6: even a caller who forgets `allow_redirects=False` is not led to a refused address."""
    inner = await listen(host="127.0.0.2")
    receiver = await listen(f"Location: http://127.0.0.2:{inner.port}/", status="307 Temporary Redirect")

    error = await failure(f"http://127.0.0.1:{receiver.port}/", f"127.0.0.1:{receiver.port}")

    assert blocked(error)
    assert await inner.contacts() == 0


async def test_proxy_variables_are_ignored(listen: Listen, monkeypatch: pytest.MonkeyPatch) -> None:
    """SSRF-1: the environment does not send requests elsewhere."""
    receiver, proxy = await listen(), await listen()
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")

    await status(f"http://127.0.0.1:{receiver.port}/", "127.0.0.1:*")

    assert (await receiver.contacts(), await proxy.contacts()) == (1, 0)


async def test_cookies_are_not_kept(listen: Listen) -> None:
    """SSRF-6: what one answer sets is not sent with the next request."""
    receiver = await listen("Set-Cookie: a=b; Path=/")

    async with open_session(Allowed.parse("localhost:*"), limit=10, lookup=answering(*[["127.0.0.1"]] * 2)) as session:
        await session.get(f"http://localhost:{receiver.port}/")
        await session.get(f"http://localhost:{receiver.port}/")

    assert len(receiver.heads) == 2
    assert "cookie" not in receiver.heads[1].lower()


async def test_a_refusal_by_address_is_a_connector_error() -> None:
    """SSRF-8: the guard's Blocked is the `os_error` and the cause of what aiohttp raises."""
    error = await failure("http://127.0.0.1/")

    assert isinstance(error, aiohttp.ClientConnectorError)
    assert isinstance(error.os_error, Blocked)
    assert error.__cause__ is error.os_error


async def test_a_refusal_by_name_is_a_dns_error() -> None:
    """SSRF-8: the same for a name, as aiohttp's error for lookups."""
    error = await failure("http://inner.example/", lookup=answering(["127.0.0.1"]))

    assert isinstance(error, aiohttp.ClientConnectorDNSError)
    assert isinstance(error.os_error, Blocked)
    assert error.__cause__ is error.os_error


async def test_a_refusal_is_known_through_httpx() -> None:
    """SSRF-8: services are asked with httpx on top of the session; the chain of causes leads to Blocked."""
    transport = OverAiohttp(open_session(None, limit=10))

    async with httpx.AsyncClient(transport=transport, trust_env=False) as client:
        with pytest.raises(aiohttp.ClientConnectorError) as raised:
            await client.get("http://127.0.0.1/")

    assert blocked(raised.value)


async def test_a_refused_connection_is_not_a_refusal_of_ours(listen: Listen) -> None:
    """SSRF-8: a receiver that is down may be tried again; it is not reported as blocked."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"

        error = await failure(url, "127.0.0.1:*")

    assert isinstance(error, aiohttp.ClientConnectorError)
    assert not blocked(error)


async def test_a_name_without_addresses_is_an_error_of_the_lookup() -> None:
    """SSRF-5: nothing found is not a refusal."""
    error = await failure("https://empty.example/", lookup=answering([]))

    assert isinstance(error, aiohttp.ClientConnectorDNSError)
    assert not blocked(error)


async def test_a_lookup_has_a_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """SSRF-5: a resolver that never answers ends as a timeout of the connection."""
    monkeypatch.setattr(network, "LOOKUP", 0.001)

    async def hang(host: str, port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        return ()

    error = await failure("https://slow.example/", lookup=hang)

    assert isinstance(error, aiohttp.ConnectionTimeoutError)
    assert not blocked(error)


async def test_a_session_has_the_limits_it_was_opened_with() -> None:
    """The caller bounds its connections, in all and to one host."""
    async with open_session(None, limit=7, limit_per_host=3) as session:
        connector = session.connector

        assert connector is not None
        assert (connector.limit, connector.limit_per_host) == (7, 3)
