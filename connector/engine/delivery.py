"""Hand records over to a helper flow: signed requests, retried, never redirected (CB-2 to CB-7)."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
import orjson
from yarl import URL

from connector.engine.flows import Target
from connector.engine.network import blocked
from connector.sdk.http import retry_after
from connector.sdk.kinds import Json

DEADLINE = aiohttp.ClientTimeout(total=20)  # seconds for one attempt, over everything (CB-6)
SCHEDULE = (2.0, 10.0)  # seconds before the second and the third attempt, at most
GRACE = 1.0  # seconds that requests in flight get when a stream is to stop
LARGEST_ANSWER = 16 * 1024
SLOW_DOWN = frozenset({429, 503})
PATIENCE = 100  # requests to slow down that a parcel sits out before they count as an attempt
GONE = 410

Sleep = Callable[[float], Awaitable[None]]


def body_of(record: Json, state: bytes = b"{}") -> bytes:
    """What a flow is sent for one record; `state` is JSON already."""
    return b'{"Record":' + orjson.dumps(record) + b',"State":' + state + b"}"


def batch_of(records: Sequence[Json], state: bytes) -> bytes:
    """What a flow is sent for several records."""
    return b'{"Records":' + orjson.dumps(records) + b',"State":' + state + b"}"


@dataclass(frozen=True)
class Parcel:
    """One request: the position of its first record, how many it has, and its body."""

    position: int
    records: int
    body: bytes


@dataclass(frozen=True)
class Attempt:
    """One attempt: the status of its answer (None: none came), and the seconds the flow asks to wait."""

    status: int | None
    after: float = 0.0
    final: bool = False

    @property
    def taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_blocked(self) -> bool:
        """Whether the guard refused the address."""
        return self.status is None and self.final

    @property
    def reason(self) -> str:
        return f"the flow answered {self.status}" if self.status else "the flow did not answer"


async def _first_of(all_done: "asyncio.Future[list[None]]", halted: "asyncio.Future[Any]") -> None:
    """Wait until all is done, or until the grace after a halt is over."""
    waits: list[asyncio.Future[Any]] = [all_done, halted]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    if not all_done.done():
        await asyncio.wait([all_done], timeout=GRACE)
    if all_done.done():
        all_done.result()


class Handover:
    """One stream's way to its flow. The run and a parcel's position are its webhook-id."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        target: Target,
        run: str,
        *,
        sleep: Sleep = asyncio.sleep,
        schedule: Sequence[float] = SCHEDULE,
        patience: int = PATIENCE,
    ) -> None:
        self._session = session
        self._url = URL(target.url, encoded=True)  # sent byte for byte as it was given (CB-12)
        self._headers = {
            **target.headers,
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "upcard",
        }
        self._target = target
        self._run = run
        self._sleep = sleep
        self._schedule = schedule
        self._patience = patience
        self._not_before = 0.0
        self.gone = False

    @property
    def waits(self) -> float:
        """The seconds that the flow still asks to wait."""
        return max(0.0, self._not_before - time.monotonic())

    async def send(
        self, parcels: Sequence[Parcel], concurrency: int, halt: asyncio.Event, *, stop_at_failure: bool = False
    ) -> dict[int, Attempt]:
        """Hand parcels over, so many at once, until all are done or `halt` is set; the last attempt of each done."""
        waiting, done = iter(parcels), dict[int, Attempt]()
        workers = [
            asyncio.create_task(self._work(waiting, done, halt, stop_at_failure))
            for _ in range(min(concurrency, len(parcels)))
        ]
        halted = asyncio.create_task(halt.wait())
        try:
            if workers:
                await _first_of(asyncio.gather(*workers), halted)
        finally:
            for task in [halted, *workers]:
                task.cancel()
            await asyncio.gather(*workers, halted, return_exceptions=True)
        return done

    async def _work(
        self, waiting: Iterator[Parcel], done: dict[int, Attempt], halt: asyncio.Event, stop_at_failure: bool
    ) -> None:
        for parcel in waiting:
            if halt.is_set():
                return
            attempt = await self._hand_over(parcel)
            done[parcel.position] = attempt
            if self.gone or (stop_at_failure and not attempt.taken):
                halt.set()

    async def _hand_over(self, parcel: Parcel) -> Attempt:
        """The last attempt that was made."""
        attempt = await self._heard(parcel)
        for longest in self._schedule:
            if attempt.taken or attempt.final:
                break
            await self._sleep(max(random.uniform(0, longest), attempt.after))
            attempt = await self._heard(parcel)
        return attempt

    async def _heard(self, parcel: Parcel) -> Attempt:
        """The first answer that is not a request to slow down: these cost time, not a record, for a long while."""
        for _ in range(self._patience):
            attempt = await self._attempt(parcel)
            if attempt.status not in SLOW_DOWN:
                break
        return attempt

    async def _attempt(self, parcel: Parcel) -> Attempt:
        while self.waits:
            await self._sleep(self.waits)
        if self.gone:
            return Attempt(GONE, final=True)
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
                return self._heeded(answer)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return Attempt(None, final=blocked(error))

    def _heeded(self, answer: aiohttp.ClientResponse) -> Attempt:
        after = retry_after(answer.headers.get("Retry-After")) or 0.0
        if answer.status in SLOW_DOWN:
            self._not_before = max(self._not_before, time.monotonic() + (after or 1.0))
        self.gone = self.gone or answer.status == GONE
        return Attempt(answer.status, after, final=self.gone)

    def _signed(self, parcel: Parcel) -> dict[str, str]:
        now = datetime.now(UTC)
        id_ = f"{self._run}_{parcel.position}"
        return {
            **self._headers,
            "webhook-id": id_,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._target.signed(id_, now, parcel.body.decode()),
        }
