"""Hand records over to a helper flow: signed requests, one at a time, never redirected (CB-2 to CB-7)."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

import aiohttp
import orjson
from multidict import CIMultiDict
from yarl import URL

from connector.engine.destinations import Destination
from connector.engine.flows import Target
from connector.engine.network import blocked
from connector.sdk.errors import Unexpected
from connector.sdk.http import retry_after
from connector.sdk.kinds import Json
from connector.sdk.trace import parent

DEADLINE = aiohttp.ClientTimeout(total=20)  # seconds for one attempt, over everything (CB-6)
LARGEST_ANSWER = 16 * 1024  # bytes of a flow's answer that are read
SLOW_DOWN = frozenset({429, 503})
PATIENCE = 100  # requests to slow down that a parcel sits out before they count as an attempt
GONE = 410
UNREACHED = frozenset({None, 502, 504})  # the flow itself has not answered
MAY_HEAL = frozenset({None, 408, 425, 429})  # besides all from 500 on (CB-4)

Sleep = Callable[[float], Awaitable[None]]


def body_of(record: Json, state: bytes = b"{}") -> bytes:
    """What a flow is sent for one record; `state` is JSON already. Raises Unexpected for one nobody can write."""
    return b'{"Record":' + _written(record) + b',"State":' + state + b"}"


def batch_of(records: Sequence[Json], state: bytes) -> bytes:
    """What a flow is sent for several records."""
    return b'{"Records":' + _written(records) + b',"State":' + state + b"}"


def _written(value: Json | Sequence[Json]) -> bytes:
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError as error:  # it is nested in over 254 levels
        raise Unexpected("The service sent a record that is nested too deeply to be handed on.") from error


class Parcel(NamedTuple):
    """One request: the position of its first record, how many it has, and its body.

    `again`: it is among the failures, and was sent so many times (`attempts`) already.
    """

    position: int
    records: int
    body: bytes
    attempts: int = 0
    again: bool = False


class Attempt(NamedTuple):
    """One attempt: the status of its answer (None: none came), and the seconds the flow asks to wait."""

    status: int | None
    after: float = 0.0
    final: bool = False

    @property
    def taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def may_heal(self) -> bool:
        """Whether it makes sense to try for long; other refusals stay what they are (CB-4)."""
        return self.status in MAY_HEAL or (self.status or 0) >= 500

    @property
    def is_blocked(self) -> bool:
        """Whether the guard refused the address."""
        return self.status is None and self.final

    @property
    def reason(self) -> str:
        return f"the flow answered {self.status}" if self.status else "the flow did not answer"


class Asked(NamedTuple):
    """The request that a stream goes back to, and its trace: id and flags (OB-2)."""

    request: str = ""
    trace: tuple[str, str] | None = None


NOBODY = Asked()


class Handover:
    """One stream's way to its flow. The run and a parcel's position are its webhook-id."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        destination: Destination,
        target: Target,
        run: str,
        *,
        asked: Asked = NOBODY,
        concurrency: int = 1,
        sleep: Sleep = asyncio.sleep,
        patience: int = PATIENCE,
    ) -> None:
        self._session = session
        self._destination = destination
        destination.serve(self, concurrency)
        self._target = target
        self._url = URL(target.url, encoded=True)  # sent byte for byte as it was given (CB-12)
        self._headers = CIMultiDict(target.headers)
        self._headers.update(
            {"Content-Type": "application/json", "Accept-Encoding": "identity", "User-Agent": "upcard"}
        )
        if asked.request:
            self._headers["x-request-id"] = asked.request
        self._trace = asked.trace
        self._run = run
        self._sleep = sleep
        self._patience = patience
        self._not_before = 0.0
        self.gone = False

    def close(self) -> None:
        """No more is sent."""
        self._destination.forget(self)

    @property
    def waits_for(self) -> str | None:
        """What holds the records up, in words."""
        if self._not_before > time.monotonic():
            return "the helper flow asks to slow down"
        return "the helper flow does not answer" if self._destination.is_out else None

    async def send(self, parcel: Parcel) -> Attempt:
        """The first answer that is not a request to slow down: these cost time, not a record, for a long while."""
        for _ in range(self._patience):
            attempt = await self._attempt(parcel)
            if attempt.status not in SLOW_DOWN:
                break
        return attempt

    async def _attempt(self, parcel: Parcel) -> Attempt:
        while (wait := self._not_before - time.monotonic()) > 0:
            await self._sleep(wait)
        slot = await self._destination.enter()
        attempt = None
        try:
            attempt = Attempt(GONE, final=True) if self.gone else await self._post(parcel)
        finally:
            self._destination.leave(slot, attempt and attempt.status not in UNREACHED)
        return attempt

    async def _post(self, parcel: Parcel) -> Attempt:
        try:
            async with self._session.post(
                self._url,
                data=parcel.body,
                headers=self._signed(parcel),
                allow_redirects=False,
                auto_decompress=False,
                timeout=DEADLINE,
            ) as answer:
                if answer.content_length != 0:
                    with suppress(aiohttp.ClientError, OSError):  # the status has been given, and decides
                        await answer.content.read(LARGEST_ANSWER)
                return Attempt(answer.status) if 200 <= answer.status < 300 else self._heeded(answer)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return Attempt(None, final=blocked(error))

    def _heeded(self, answer: aiohttp.ClientResponse) -> Attempt:
        after = retry_after(answer.headers.get("Retry-After")) or 0.0
        if answer.status in SLOW_DOWN:
            self._not_before = max(self._not_before, time.monotonic() + (after or 1.0))
        self.gone = self.gone or answer.status == GONE
        return Attempt(answer.status, after, final=self.gone)

    def _signed(self, parcel: Parcel) -> CIMultiDict[str]:
        id_, at = f"{self._run}_{parcel.position}", int(time.time())
        headers = self._headers.copy()
        headers["webhook-id"] = id_
        headers["webhook-timestamp"] = str(at)
        headers["webhook-signature"] = self._target.signed(id_, at, parcel.body)
        if self._trace:
            headers["traceparent"] = parent(*self._trace)
        return headers
