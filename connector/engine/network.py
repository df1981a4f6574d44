"""The one place that opens HTTP sessions: what they dial was looked up once, checked, and is dialled as checked.

The guard cannot see what a request asks for: callers send `allow_redirects=False` (SSRF-6) and their own timeout.
"""

import asyncio
import errno
import socket
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.connector import AddrInfoType

from connector.engine.addresses import Allowed, address_allowed, is_metadata

LOOKUP = 5.0  # seconds for one lookup (SSRF-5)
KEEPALIVE = 15.0  # seconds

Lookup = Callable[[str, int], Awaitable[Sequence[str]]]


class Blocked(OSError):
    """The destination leads to a refused address, and was not dialled. An OSError, so that aiohttp passes it on."""

    def __init__(self) -> None:
        super().__init__(errno.EACCES, "the destination is not allowed")


def blocked(error: BaseException) -> bool:
    """Whether the guard refused the destination: its refusal is among the causes of `error`."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, Blocked):
        cause = cause.__cause__
    return cause is not None


async def look_up(host: str, port: int) -> list[str]:
    """Every address of a name, also those of a family that this machine cannot reach."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


def open_session(
    guard: Allowed | None, *, limit: int, limit_per_host: int = 0, lookup: Lookup = look_up
) -> aiohttp.ClientSession:
    """A session that reaches public addresses on 443 and what `guard` allows, nothing else (SSRF-1, SSRF-5).

    A refusal is an aiohttp.ClientConnectorError for which `blocked` is true.
    """
    allowed = guard or Allowed()
    connector = aiohttp.TCPConnector(
        resolver=_Resolver(allowed, lookup),
        socket_factory=partial(_open_socket, allowed),
        use_dns_cache=False,  # every connection looks up and checks again
        limit=limit,
        limit_per_host=limit_per_host,
        keepalive_timeout=KEEPALIVE,
    )
    session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False)
    session._retry_connection = False  # aiohttp sends PUT and DELETE again where a kept connection drops (DA-9)
    return session


class _Named(str):
    """An address that may be dialled because the operator allows its name: aiohttp hands the socket only an address."""

    __slots__ = ()


class _Resolver(AbstractResolver):
    """Looks a name up once and gives all its addresses, or none if one of them is refused."""

    def __init__(self, allowed: Allowed, lookup: Lookup) -> None:
        self._allowed = allowed
        self._lookup = lookup

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        async with asyncio.timeout(LOOKUP):
            answers = await self._lookup(host, port)
        if not answers:
            raise OSError("The name has no address.")
        checked = [self._checked(host, port, answer) for answer in dict.fromkeys(answers)]
        return [_result(host, port, address) for address in checked]

    async def close(self) -> None:
        """Nothing is held open."""

    def _checked(self, host: str, port: int, address: str) -> str:
        if address_allowed(address, port, self._allowed):
            return address
        if self._allowed.names(host, port) and not is_metadata(address):
            return _Named(address)
        raise Blocked


def _result(host: str, port: int, address: str) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=socket.AI_NUMERICHOST)


def _open_socket(allowed: Allowed, attempt: AddrInfoType) -> socket.socket:
    """The socket for one attempt to connect; sees every address that is dialled, also those that need no lookup."""
    family, kind, protocol, _, (address, port, *_) = attempt
    if not isinstance(address, _Named) and not address_allowed(str(address), int(port), allowed):
        raise Blocked
    return socket.socket(family, kind, protocol)
