"""The requests a connection may make: runs, cards and hosts together stay within what its service takes.

The hour is the clock's, and counted in the store: a host takes some requests of it at once, so that most calls cost no
query. The second is divided among the hosts that are alive. What the service says in its headers counts where it is
less. A tenth of both is left to single calls; bulk, the pages of whole lists, waits where these are refused.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import sqlalchemy as sa

from connector.engine.pace import Pace, kept
from connector.engine.store import Store, inserting
from connector.engine.tables import budgets
from connector.sdk.client import Limits
from connector.sdk.errors import Throttled
from connector.sdk.http import retry_after
from connector.sdk.kinds import Json

HOUR = 3600  # seconds
BLOCK = 50  # requests that a host takes of an hour at once, or less where the hour has few
BLOCKS = 100  # in an hour, at least
LOOK = 60.0  # seconds until one request looks whether what the service said, or what is in the store, still holds
LONGEST_WAIT = 20.0  # seconds that a single call waits for its second
LONGEST_PAUSE = 3600.0  # seconds that a service may ask for
SHORT = 2.0  # seconds that every request waits rather than fail

HEEDED = frozenset(
    {
        b"x-ratelimit-limit-hour",
        b"x-ratelimit-limit-second",
        b"x-ratelimit-remaining-hour",
        b"ratelimit-remaining",
        b"ratelimit-reset",
        b"retry-after",
    }
)


@dataclass(frozen=True)
class Lack:
    """Why a request is held back, and until when, in seconds since 1970."""

    why: str
    until: float

    def __str__(self) -> str:
        return f"{self.why} until {_written(self.until)}"


class Budgets:
    """The budgets of all connections, as this host has them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._hosts = 1
        self._budgets: dict[tuple[str, Limits], Budget] = {}

    def of(self, connection: str, limits: Limits) -> "Budget":
        """The budget of a connection; what is known of it outlives changes of the connection."""
        if (connection, limits) not in self._budgets:
            self._budgets[connection, limits] = Budget(connection, limits, self._store, self._hosts)
        return self._budgets[connection, limits]

    def divide(self, hosts: int) -> None:
        """So many hosts are alive: each may use its part of every second."""
        self._hosts = hosts
        for budget in self._budgets.values():
            budget.divide(hosts)

    def close(self) -> None:
        """Give back what this host took and did not use, in this thread: the loop may have no others any more."""
        for budget in self._budgets.values():
            self._store.run_here(budget.give_back)


class Budget:
    """The requests that one connection may make. `wall` and `steady` are the time of day and a clock for waits."""

    def __init__(
        self,
        connection: str,
        limits: Limits,
        store: Store,
        hosts: int = 1,
        *,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.wall, self.steady, self.sleep = wall, steady, sleep
        self.pace = Pace(limits.per_second / hosts)
        self.connection = connection
        self._store = store
        self._limits = self._declared = limits
        self._hosts = hosts
        self._claiming = asyncio.Lock()
        self._hour = self._held = 0  # requests that were taken of an hour, and not used yet
        self._is_stale = False  # whether these were taken before the limits changed
        self._said_hour = self._said = 0  # requests that the service says are left, and in which hour it said so
        self._look = 0.0  # when a request looks whether the service still says so
        self._paused = 0.0

    def divide(self, hosts: int) -> None:
        self._hosts = hosts
        self.pace.allow(self._limits.per_second / hosts)

    async def spend(self, *, bulk: bool) -> Lack | None:
        """Use one of the hour's requests, or say why there is none."""
        now = self.wall()
        if bulk and now < self._paused:
            return Lack(f"the service asks {self.connection} to slow down", self._paused)
        hour = _hour(now)
        if self._refused(now, hour, bulk) or not (self._used(hour) or await self._claimed(hour, bulk)):
            return Lack(f"the hour's requests of {self.connection} are used up", hour + HOUR)
        return None

    def learn(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Heed what the service says; what cannot be read is passed over."""
        said = {key: value for name, value in headers if (key := name.lower()) in HEEDED}
        if not said:
            return
        now = self.wall()
        self._limit(_number(said.get(b"x-ratelimit-limit-second")), _number(said.get(b"x-ratelimit-limit-hour")))
        if (left := _number(said.get(b"x-ratelimit-remaining-hour"))) is not None:
            self._said, self._said_hour, self._look = left, _hour(now), now + LOOK
        after = retry_after(said[b"retry-after"].decode("latin-1")) if b"retry-after" in said else None
        if after is None and _number(said.get(b"ratelimit-remaining")) == 0:
            after = _number(said.get(b"ratelimit-reset"))
        if after:
            self._paused = max(self._paused, now + min(after, LONGEST_PAUSE))

    def give_back(self, db: sa.Connection) -> None:
        """Put what was taken of the hour and not used back into the store."""
        held, self._held, self._is_stale = self._held, 0, False
        mine = (budgets.c.connection == self.connection, budgets.c.hour == self._hour)
        if held:
            db.execute(sa.update(budgets).where(*mine).values(used=budgets.c.used - held))

    async def shown(self) -> Json:
        """How many requests an hour has, how many are left of it, and when the next one begins."""
        hour = _hour(self.wall())
        held = self._held if self._hour >= hour else 0
        spent = sa.select(budgets.c.used).where(budgets.c.connection == self.connection, _counts(hour))
        used = await self._store.run(lambda db: db.execute(spent).scalar()) or 0
        left = min(self._limits.per_hour, self._limits.per_hour - used + held)
        left = min(left, self._said) if self._said_hour == hour else left
        return {"per_hour": self._limits.per_hour, "left": max(0, left), "resets": _written(hour + HOUR)}

    def _refused(self, now: float, hour: int, bulk: bool) -> bool:
        """Whether the service itself has too few left; now and then one request looks."""
        if self._said_hour != hour:
            return False
        if self._said > (kept(self._limits.per_hour) if bulk else 0):
            self._said -= 1
            return False
        if now < self._look:
            return True
        self._look = now + LOOK
        return False

    def _used(self, hour: int) -> bool:
        """Use one of those that this host has."""
        if not self._held or self._hour < hour or self._is_stale:
            return False
        self._held -= 1
        return True

    async def _claimed(self, hour: int, bulk: bool) -> bool:
        """Take some of the hour and use the first; near the end of what all may use, one at a time."""
        async with self._claiming:
            if self._used(hour):
                return True
            if self._is_stale:
                await self._store.run(self.give_back)
            per_hour = self._limits.per_hour
            for_all = per_hour - kept(per_hour)
            block = min(BLOCK, max(1, per_hour // BLOCKS))
            for wanted, most in ((block, for_all), (1, for_all if bulk else per_hour)):
                claim = partial(_claim, connection=self.connection, hour=hour, wanted=wanted, most=most)
                found = await self._store.run(claim) if wanted <= most else None
                if found is not None:
                    self._hour, self._held = found, wanted - 1
                    return True
        return False

    def _limit(self, per_second: int | None, per_hour: int | None) -> None:
        """The service's own limits, where they are lower than the declared ones."""
        limits, declared = self._limits, self._declared
        second = min(declared.per_second, per_second or limits.per_second)
        hour = min(declared.per_hour, per_hour or limits.per_hour)
        if (second, hour) != (limits.per_second, limits.per_hour):
            self._limits, self._is_stale = Limits(second, hour), True
            self.divide(self._hosts)


class Share:
    """A kind of request, and what it may use of a budget: a `Meter`. Patient ones wait for the hour."""

    def __init__(self, budget: Budget, *, bulk: bool, patient: bool) -> None:
        self._budget = budget
        self._bulk = bulk
        self.patient = patient
        self.waits_for: str | None = None
        self.learn = budget.learn

    async def take(self) -> None:
        """Use one request: of the hour, then of the second."""
        budget = self._budget
        if not self._bulk and (wait := budget.pace.wait(budget.steady(), bulk=False)) > LONGEST_WAIT:
            raise Throttled("Too many calls wait for their turn at the service. Nothing was done.", retry_after=wait)
        if lack := await budget.spend(bulk=self._bulk):
            await self._wait_out(lack)
        now = budget.steady()
        wait = budget.pace.wait(now, bulk=self._bulk)
        while wait and self._bulk:
            await budget.sleep(wait)
            now = budget.steady()
            wait = budget.pace.wait(now, bulk=True)
        budget.pace.book(now + wait)
        if wait:
            await budget.sleep(wait)

    async def _wait_out(self, lack: Lack | None) -> None:
        budget = self._budget
        try:
            while lack:
                seconds = lack.until - budget.wall()
                if not self.patient and seconds > SHORT:
                    why = str(lack)
                    raise Throttled(f"{why[0].upper()}{why[1:]}. Nothing was done.", retry_after=seconds)
                self.waits_for = str(lack)
                await budget.sleep(max(0.0, min(seconds, LOOK)))
                lack = await budget.spend(bulk=self._bulk)
        finally:
            self.waits_for = None


def _claim(db: sa.Connection, *, connection: str, hour: int, wanted: int, most: int) -> int | None:
    """Count requests as used, all or none, in one statement; gives the hour they are of.

    That may be the hour after the one asked for: a host whose clock is behind counts with the others.
    """
    is_over = sa.not_(_counts(hour))
    begun = inserting(db)(budgets).values(connection=connection, hour=hour, used=wanted)
    counted = begun.on_conflict_do_update(
        index_elements=[budgets.c.connection],
        set_={
            "hour": sa.case((is_over, hour), else_=budgets.c.hour),
            "used": sa.case((is_over, wanted), else_=budgets.c.used + wanted),
        },
        where=sa.or_(is_over, budgets.c.used + wanted <= most),
    )
    return db.execute(counted.returning(budgets.c.hour)).scalar()


def _counts(hour: int) -> sa.ColumnElement[bool]:
    """Whether what is in the store is of this hour, or of the next by a clock that is ahead; later ones are wrong."""
    return budgets.c.hour.between(hour, hour + HOUR)


def _hour(now: float) -> int:
    """When the hour of a time began."""
    return int(now // HOUR) * HOUR


def _number(value: bytes | None) -> int | None:
    """A header's whole number, if it is one."""
    return int(value) if value is not None and value.isdigit() and len(value) < 10 else None


def _written(seconds: float) -> str:
    return datetime.fromtimestamp(math.ceil(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
