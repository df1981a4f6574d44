"""One service over HTTP: deadlines, retries and what each kind of failure means. The only module that knows httpx.

A request that reads may be repeated. A request that changes something is repeated only when it was certainly not
carried out (never sent, or 429); otherwise its outcome is unknown and the caller has to look (DA-9, UP-3).
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple, Protocol

import aiohttp
import httpx
import orjson
from multidict import CIMultiDict

from connector.sdk.errors import InvalidCall, OutcomeUnknown, Refused, Throttled, Unavailable, Unexpected, UpcardError
from connector.sdk.kinds import Json
from connector.sdk.masks import Mask
from connector.sdk.said import said
from connector.sdk.trace import traced

ATTEMPTS = 4  # of a request, the first among them
DEADLINE = 30.0  # seconds for a request with all its retries
WAIT = 30.0  # seconds a caller is told to wait, where the service asks for time without saying how much
LARGEST_ANSWER = 32 * 1024 * 1024  # bytes
LONGEST_URL = 64 * 1024  # characters
TIMEOUT = aiohttp.ClientTimeout(connect=10, sock_connect=5, sock_read=15)  # seconds
READS = frozenset({"GET", "HEAD"})
TRANSIENT = frozenset({502, 503, 504})
NEVER_SENT = (  # no connection was made, so nothing was carried out
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
)


@dataclass(frozen=True)
class Reply:
    """A service's answer: 2xx, or a refusal (4xx) that nobody has judged yet."""

    status: int
    body: Any
    headers: Mapping[str, str]
    said: str = ""

    def accepted(self) -> "Reply":
        """This answer, unless it is a refusal."""
        if self.status < 400:
            return self
        raise Refused.saying(self.status, self.said)

    def record(self) -> Json:
        """The one record an accepted answer is."""
        if isinstance(self.body, dict):
            return self.body
        raise OutcomeUnknown("The request was carried out, but the answer has no record.")


class TooMuch(Exception):
    """The answer is larger than anybody should have to hold."""


class Again(Exception):
    """This attempt failed in a way that may heal; `error` is what the caller gets if it does not."""

    def __init__(self, error: UpcardError, after: float | None = None) -> None:
        super().__init__(error.detail)
        self.error = error
        self.after = after


class Request(NamedTuple):
    """What is asked, ready to be sent."""

    method: str
    url: str
    headers: CIMultiDict[str]
    content: bytes | None


class Answer(NamedTuple):
    """What came back, whole and decompressed."""

    status: int
    headers: httpx.Headers
    body: bytes


class OverAiohttp(httpx.AsyncBaseTransport):
    """httpx on the host's aiohttp session: one pool and one guard, at a fraction of httpx's own cost (bench/)."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def send(self, request: Request) -> Answer:
        """The same past httpx's own requests and answers: they were a fifth of a call (bench/README.md)."""
        async with self._session.request(
            request.method,
            request.url,
            headers=request.headers,
            data=request.content,
            allow_redirects=False,
            timeout=TIMEOUT,
        ) as answer:
            # aiohttp has decompressed the body, so the header that says it is compressed is left out.
            headers = [(name, value) for name, value in answer.raw_headers if name.lower() != b"content-encoding"]
            return Answer(answer.status, httpx.Headers(headers), await _body(answer))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        headers = CIMultiDict(request.headers.multi_items())
        answer = await self.send(Request(request.method, str(request.url), headers, request.content or None))
        return httpx.Response(answer.status, headers=answer.headers, content=answer.body)


Heard = Callable[[int | None, int], None]
"""Told of every answer: its status (None: none came), and how many attempts were made before."""


class Meter(Protocol):
    """Counts what is asked of a service, and holds back what would be too much."""

    @property
    def patient(self) -> bool:
        """Whether `take` waits out the time a service asks for."""

    async def take(self) -> None:
        """Count one request; returns when it may be sent. Raises Throttled where that would be too late."""

    def learn(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Heed what the headers of an answer say about limits."""


class Service:
    """One service's API under one origin, with its credentials. Redirects are not followed, cookies not kept."""

    def __init__(
        self,
        origin: str,
        headers: Mapping[str, str],
        session: aiohttp.ClientSession | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        meter: Meter | None = None,
        heard: Heard | None = None,
    ) -> None:
        self.sleep = sleep
        self._meter = meter
        self._heard = heard or _nobody
        self._origin = origin
        self._mask = Mask(value.partition(" ")[2] or value for value in headers.values())  # `Bearer` is no secret
        self._headers = CIMultiDict({"Accept": "application/json", "User-Agent": "upcard", **headers})
        self._url = httpx.URL(origin)
        self._http = httpx.AsyncClient(transport=OverAiohttp(session) if session else None, trust_env=False)

    def metered(self, meter: Meter) -> "Service":
        """The same service, asked by way of another meter."""
        other = copy(self)
        other._meter = meter
        return other

    async def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send one request, repeated where that is safe. Raises Throttled, Unavailable, OutcomeUnknown, Unexpected."""
        request = self._written(method, path, query, json, headers)
        end = time.monotonic() + DEADLINE
        for attempt in range(ATTEMPTS):
            end += await self._taken()
            try:
                return await self._once(request, end, attempt)
            except Again as again:
                wait = self._wait(again, attempt)
                if attempt + 1 == ATTEMPTS or time.monotonic() + wait > end:
                    raise again.error from again
                await self.sleep(wait)
        raise AssertionError("unreachable")

    def _written(
        self, method: str, path: str, query: Mapping[str, Any] | None, json: Any, headers: Mapping[str, str] | None
    ) -> Request:
        url = self._origin + path + (f"?{httpx.QueryParams(query)}" if query else "")
        try:
            content = None if json is None else orjson.dumps(json)
        except TypeError as error:
            raise InvalidCall("The request cannot be written: a number in it is too long.") from error
        if len(url) > LONGEST_URL:
            raise InvalidCall("The request cannot be written: its address is too long.")
        said = self._headers.copy()
        said.update(traced())
        said.update(headers or {})
        if content is not None:
            said["Content-Type"] = "application/json"
        return Request(method, url, said, content)

    async def _taken(self) -> float:
        """Take a request from the meter; gives the seconds it took, which are not the service's."""
        if self._meter is None:
            return 0.0
        began = time.monotonic()
        await self._meter.take()
        return time.monotonic() - began

    def _wait(self, again: Again, attempt: int) -> float:
        if again.after is None:
            return _jitter(attempt)
        return 0.0 if self._meter and self._meter.patient else again.after  # a patient meter waits by itself

    async def _once(self, request: Request, end: float, attempt: int) -> Reply:
        try:
            async with asyncio.timeout(end - time.monotonic()):
                answer = await self._sent(request)
        except (httpx.RequestError, aiohttp.ClientError, TimeoutError, OSError) as error:
            self._heard(None, attempt)
            raise _broken(error, reads=request.method in READS) from error
        except TooMuch as error:
            raise _unreadable("The service answered more than 32 MiB.", request.method in READS) from error
        self._heard(answer.status, attempt)
        if self._meter:
            self._meter.learn(answer.headers.raw)
        return _judged(answer, self._mask, reads=request.method in READS)

    async def _sent(self, request: Request) -> Answer:
        # What the client's own `send` calls in the end, after cookies and redirects; and where respx hooks in.
        transport = self._http._transport_for_url(self._url)
        if isinstance(transport, OverAiohttp):
            return await transport.send(request)
        method, url, headers, content = request
        response = await transport.handle_async_request(httpx.Request(method, url, headers=headers, content=content))
        return Answer(response.status_code, response.headers, await response.aread())


def _nobody(_: int | None, __: int) -> None:
    """Nobody wants to know."""


async def _body(answer: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in answer.content.iter_any():
        body += chunk
        if len(body) > LARGEST_ANSWER:
            raise TooMuch
    return bytes(body)


def _broken(error: Exception, *, reads: bool) -> Exception:
    never_sent = isinstance(error, NEVER_SENT)
    if reads or never_sent:
        return Again(Unavailable("The service could not be reached, or its answer broke off."))
    return OutcomeUnknown("The request was sent, but no answer came. It may have been carried out.")


def _judged(answer: Answer, mask: Mask, *, reads: bool) -> Reply:
    status, headers, body = answer
    if status == 429:
        after = retry_after(headers.get("retry-after"))
        wait = WAIT if after is None else after
        error = Throttled("The service asks to slow down. Nothing was done.", retry_after=wait)
        raise Again(error, after)
    if status >= 500 and not reads:
        raise OutcomeUnknown(f"The service answered {status}. The request may have been carried out.")
    if status in TRANSIENT:
        raise Again(Unavailable(f"The service answered {status}."), retry_after(headers.get("retry-after")))
    if status >= 500:
        raise Unavailable(f"The service answered {status}.")
    if status >= 400:
        words = said(body, mask)
        return Reply(status, mask.within(_loads_or(words, body)), headers, words)
    if status >= 300 or status < 200:
        raise _unreadable(f"The service answered {status}, a redirect, which is not followed.", reads)
    try:
        return Reply(status, orjson.loads(body) if body else None, headers)
    except orjson.JSONDecodeError as error:
        raise _unreadable("The service answered something that is not JSON.", reads) from error


def _unreadable(why: str, reads: bool) -> UpcardError:
    return Unexpected(why) if reads else OutcomeUnknown(why + " The request may have been carried out.")


def _loads_or(words: str, body: bytes) -> Any:
    try:
        return orjson.loads(body) if body else None
    except orjson.JSONDecodeError:
        return words


def _jitter(attempt: int) -> float:
    return random.uniform(0.5, 2.0 ** (attempt + 1))


def retry_after(header: str | None) -> float | None:
    """Seconds to wait by a `Retry-After` header (seconds or an HTTP date), 0 to 3600; None where it says nothing."""
    if header is None:
        return None
    try:
        wait = float(header)
    except ValueError:
        try:
            when = parsedate_to_datetime(header)
        except (ValueError, OverflowError):
            return None
        wait = (when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return min(max(wait, 0.0), 3600.0) if wait == wait else None
