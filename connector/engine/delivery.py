"""Hand records over to a helper flow: one signed request a record, retried, never redirected (CB-2 to CB-7)."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import aiohttp
import orjson
from standardwebhooks import Webhook

from connector.engine.flows import Target
from connector.engine.network import blocked
from connector.sdk.http import retry_after
from connector.sdk.kinds import Json

DEADLINE = aiohttp.ClientTimeout(total=20)  # seconds for one attempt, over everything (CB-6)
SCHEDULE = (2.0, 10.0)  # seconds before the second and the third attempt, at most
LARGEST_ANSWER = 16 * 1024
SLOW_DOWN = frozenset({429, 503})
GONE = 410

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True)
class Failure:
    """A record that the flow did not take, with the status of its last answer; None where there was none."""

    position: int
    status: int | None


@dataclass(frozen=True)
class Attempt:
    """One attempt: the status of its answer (None: none came), and the seconds the flow asks to wait."""

    status: int | None
    after: float = 0.0
    final: bool = False

    @property
    def taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


class Handover:
    """One stream's way to its flow. `position` counts the records of a run; with the run it is the webhook-id."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        target: Target,
        run: str,
        state: Json,
        *,
        sleep: Sleep = asyncio.sleep,
        schedule: Sequence[float] = SCHEDULE,
    ) -> None:
        self._session = session
        self._target = target
        self._webhook = Webhook(target.secret)
        self._run = run
        self._state = b',"State":' + orjson.dumps(state) + b"}"
        self._sleep = sleep
        self._schedule = schedule
        self._not_before = 0.0
        self.gone = False

    @property
    def waits(self) -> bool:
        """Whether the flow asked to slow down."""
        return time.monotonic() < self._not_before

    async def page(self, records: Sequence[Json], first: int, concurrency: int) -> list[Failure]:
        """Hand over some records, so many at once; returns those that were not taken."""
        waiting = enumerate(records, first)
        failures: list[Failure] = []
        async with asyncio.TaskGroup() as group:
            for _ in range(min(concurrency, len(records))):
                group.create_task(self._work(waiting, failures))
        return failures

    async def _work(self, waiting: Iterator[tuple[int, Json]], failures: list[Failure]) -> None:
        for position, record in waiting:
            last = await self._hand_over(position, b'{"Record":' + orjson.dumps(record) + self._state)
            if not last.taken:
                failures.append(Failure(position, last.status))

    async def _hand_over(self, position: int, body: bytes) -> Attempt:
        """The last attempt that was made."""
        attempt = await self._attempt(position, body)
        for longest in self._schedule:
            if attempt.taken or attempt.final:
                break
            await self._sleep(max(random.uniform(0, longest), attempt.after))
            attempt = await self._attempt(position, body)
        return attempt

    async def _attempt(self, position: int, body: bytes) -> Attempt:
        while (pause := self._not_before - time.monotonic()) > 0:
            await self._sleep(pause)
        if self.gone:
            return Attempt(GONE, final=True)
        try:
            async with self._session.post(
                self._target.url,
                data=body,
                headers=self._headers(position, body),
                allow_redirects=False,
                timeout=DEADLINE,
            ) as answer:
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

    def _headers(self, position: int, body: bytes) -> dict[str, str]:
        now = datetime.now(UTC)
        id_ = f"{self._run}_{position}"
        return {
            **self._target.headers,
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "upcard",
            "webhook-id": id_,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._webhook.sign(id_, now, body.decode()),
        }
