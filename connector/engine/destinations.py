"""Where helper flows are: how many requests each origin takes at once, over all streams, and whether it answers (CB-8).

A slow or dead origin holds up its own streams, and nothing else.
"""

import asyncio
import hashlib
import random
import time
from collections import deque

import sqlalchemy as sa
from yarl import URL

from connector.engine.hosts import DEAD, Presence
from connector.engine.store import Store, inserting
from connector.engine.tables import hosts, slots

MOST = 200  # requests in flight to one origin, over all streams and hosts
OUT = 20  # requests without an answer, one after the other, that mean it is out
LONGEST_PAUSE = 60.0  # seconds between two tries of an origin that is out
SHARED = 0.5  # seconds until hosts see what others need


class Destination:
    """One origin. While it is out, one request at a time tries it, after longer and longer pauses."""

    def __init__(self, most: int = MOST) -> None:
        self.in_flight = 0
        self.most = most
        self._streams: dict[object, int] = {}
        self._waiting: deque[asyncio.Future[bool]] = deque()
        self._unanswered = 0
        self._pause = 0.0
        self._next_try = 0.0
        self._is_tried = False

    @property
    def is_out(self) -> bool:
        """Whether it has not answered so often that it is left alone."""
        return self._unanswered >= OUT

    @property
    def wanted(self) -> int:
        """Requests that its streams would have in flight."""
        return sum(self._streams.values())

    def serve(self, stream: object, at_once: int) -> None:
        """A stream wants so many at once."""
        self._streams[stream] = at_once

    def forget(self, stream: object) -> None:
        """It wants no more."""
        self._streams.pop(stream, None)

    def allow(self, most: int) -> None:
        """From now on, so many at once."""
        self.most = most
        self._admit()

    async def enter(self) -> bool:
        """Wait for a slot; whether it is the one to try an origin that is out."""
        if not self._waiting and self._is_free():
            return self._taken()
        turn: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave(turn.result(), None)
            raise

    def leave(self, is_try: bool, reached: bool | None) -> None:
        """Give the slot back, and say whether an answer came; None where that was not waited for."""
        self.in_flight -= 1
        self._is_tried = self._is_tried and not is_try
        if reached:
            self._unanswered, self._pause = 0, 0.0
        elif reached is not None:
            self._unanswered += 1
            if is_try or self._unanswered == OUT:
                self._rest()
        self._admit()

    def _rest(self) -> None:
        """Leave it alone for a while, with full jitter."""
        self._pause = min(LONGEST_PAUSE, self._pause * 2 or 1.0)
        loop, pause = asyncio.get_running_loop(), random.uniform(self._pause / 2, self._pause)
        self._next_try = loop.time() + pause
        loop.call_later(pause, self._admit)

    def _admit(self) -> None:
        while self._waiting and self._is_free():
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(self._taken())

    def _is_free(self) -> bool:
        if self.in_flight >= self.most:
            return False
        if not self.is_out:
            return True
        return not self._is_tried and asyncio.get_running_loop().time() >= self._next_try

    def _taken(self) -> bool:
        self.in_flight += 1
        self._is_tried = self._is_tried or self.is_out
        return self.is_out


class Destinations:
    """The origins that this host sends to. All hosts together keep to what one origin takes.

    Each notes how many slots of an origin it holds, and takes no more than the others leave. Who is alone has all of
    them; where others come, everybody gets as many as they want, or an equal part.
    """

    def __init__(self, store: Store, presence: Presence) -> None:
        self._store = store
        self._presence = presence
        self._known: dict[str, Destination] = {}

    @property
    def out(self) -> int:
        """How many do not answer."""
        return sum(one.is_out for one in self._known.values())

    def of(self, url: str) -> Destination:
        """The origin of an address, shared by all streams. It takes nothing until it is claimed."""
        return self._known.setdefault(_hashed(url), Destination(0))

    async def claim(self, url: str) -> None:
        """Take slots for what is wanted of an origin now."""
        await self._share({_hashed(url): self.of(url)})

    async def share(self) -> None:
        """Take and give back, as streams come and go here and elsewhere."""
        unused = [origin for origin, one in self._known.items() if not (one.wanted or one.in_flight)]
        for origin in unused:
            del self._known[origin]
        if unused or self._presence.alive > 1 or any(one.most < MOST for one in self._known.values()):
            await self._share(dict(self._known))

    def close(self) -> None:
        """Give everything back, in this thread: the loop may have no others any more."""
        mine = sa.delete(slots).where(slots.c.host == self._presence.id)
        self._store.run_here(lambda db: db.execute(mine))

    async def _share(self, some: dict[str, Destination]) -> None:
        in_flight = {origin: (one.in_flight, one.wanted) for origin, one in some.items()}
        known = list(self._known)
        parts = await self._store.run(lambda db: self._parts(db, in_flight, known))
        for origin, part in parts.items():
            some[origin].allow(part)

    def _parts(self, db: sa.Connection, in_flight: dict[str, tuple[int, int]], known: list[str]) -> dict[str, int]:
        mine, now = self._presence.id, time.time()
        db.execute(sa.delete(slots).where(slots.c.host == mine, slots.c.origin.not_in(known)))
        return {origin: self._part(db, origin, now, *counts) for origin, counts in sorted(in_flight.items())}

    def _part(self, db: sa.Connection, origin: str, now: float, in_flight: int, wanted: int) -> int:
        """How many slots this host has of an origin from now on."""
        _put(db, origin, "", 0, 0)  # one host at a time
        alive = sa.select(hosts.c.id).where(hosts.c.seen >= now - DEAD)
        theirs = (slots.c.origin == origin, slots.c.host != self._presence.id, slots.c.host.in_(alive))
        others = db.execute(sa.select(slots.c.held, slots.c.wanted).where(*theirs)).all()
        fair = max(MOST // (1 + len(others)), MOST - sum(other.wanted for other in others))
        part: int = min(wanted if others else MOST, fair, MOST - sum(other.held for other in others))
        _put(db, origin, self._presence.id, max(part, in_flight), wanted)  # what is in flight cannot be given back yet
        return part


def _hashed(url: str) -> str:
    """An origin as it is at rest: the address of a flow is a secret (CB-12)."""
    return hashlib.sha256(str(URL(url, encoded=True).origin()).encode()).hexdigest()


def _put(db: sa.Connection, origin: str, host: str, held: int, wanted: int) -> None:
    new = inserting(db)(slots).values(origin=origin, host=host, held=held, wanted=wanted)
    same = [slots.c.origin, slots.c.host]
    db.execute(new.on_conflict_do_update(index_elements=same, set_={"held": held, "wanted": wanted}))
