"""Parcels are handed over in their order, so many at once, no further than is noted, and stopped in time."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from connector.engine import sender
from connector.engine.delivery import Attempt, Parcel
from connector.engine.sender import WINDOW, Sender

TAKEN = Attempt(204)


def parcels(count: int, first: int = 0) -> list[Parcel]:
    return [Parcel(position, 1, b"{}") for position in range(first, first + count)]


class Flow:
    """Takes what it is sent, at once or when it is told; `most` is how many it had at the same time."""

    def __init__(self, *, is_open: bool = True) -> None:
        self.sent: list[int] = []
        self.now = self.most = 0
        self.gate = asyncio.Event()
        if is_open:
            self.gate.set()

    async def take(self, parcel: Parcel) -> Attempt:
        self.sent.append(parcel.position)
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(0)
            await self.gate.wait()
        finally:
            self.now -= 1
        return TAKEN


Make = Callable[..., tuple[Sender, asyncio.Event]]


@pytest.fixture
def make() -> Make:
    """`make(send, at_once)`: a sender, and what it tells."""

    def made(send: Callable[[Parcel], Awaitable[Attempt]], at_once: int = 1) -> tuple[Sender, asyncio.Event]:
        told = asyncio.Event()
        return Sender(send, at_once, told.set), told

    return made


async def settled() -> None:
    """Let everything happen that can."""
    for _ in range(50):
        await asyncio.sleep(0)


async def test_one_at_a_time_keeps_the_order(make: Make) -> None:
    """CB-9: the next parcel waits until the one before is done."""
    flow = Flow()
    one, told = make(flow.take)

    one.put(parcels(3))
    one.put(parcels(2, first=3))
    await told.wait()

    assert (flow.sent, flow.most) == ([0, 1, 2, 3, 4], 1)
    assert [(parcel.position, attempt) for parcel, attempt in one.done()] == [(at, TAKEN) for at in range(5)]
    assert one.is_idle


@pytest.mark.parametrize("at_once", [1, 2, 4])
async def test_so_many_are_in_flight_at_once(make: Make, at_once: int) -> None:
    """CB-8: neither more nor fewer than was asked for, begun in their order."""
    flow = Flow(is_open=False)
    some, told = make(flow.take, at_once)

    some.put(parcels(20))
    await settled()
    in_flight = list(flow.sent)
    flow.gate.set()
    await told.wait()

    assert (in_flight, flow.most, len(some.done())) == (list(range(at_once)), at_once, 20)


async def test_no_more_is_begun_than_can_be_sent_twice(make: Make) -> None:
    """CB-1: what is begun and not noted is what a host that dies sends again: 300 at most."""
    flow = Flow()
    many, told = make(flow.take, 32)

    many.put(parcels(1000))
    await settled()
    held = len(flow.sent)
    many.noted(100)
    await settled()

    assert (held, len(flow.sent), told.is_set()) == (WINDOW, WINDOW + 100, True)


async def test_it_tells_before_it_has_to_wait(make: Make) -> None:
    """So that noting and sending happen at the same time."""
    flow = Flow()
    when: list[int] = []
    many = Sender(flow.take, 32, lambda: when.append(len(flow.sent)))

    many.put(parcels(1000))
    await settled()

    assert when[0] < WINDOW


async def test_what_is_noted_is_not_done_again(make: Make) -> None:
    """The rest is what the next look gives."""
    flow = Flow()
    some, told = make(flow.take, 2)
    some.put(parcels(4))
    await told.wait()

    some.noted(3)

    assert [parcel.position for parcel, _ in some.done()] == [3]


async def test_a_halt_lets_what_is_in_flight_end(make: Make) -> None:
    """A pause begins nothing new; what the flow takes meanwhile counts as taken."""
    flow = Flow(is_open=False)
    some, _ = make(flow.take, 2)
    some.put(parcels(9))
    await settled()

    some.halt()
    flow.gate.set()
    await some.stop()

    assert (flow.sent, sorted(parcel.position for parcel, _ in some.done())) == ([0, 1], [0, 1])


async def test_a_stop_does_not_wait_for_a_slow_flow(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """UP-7: after a second of grace it is given up, and is not done: it is sent again some day, with the same ID."""
    assert sender.GRACE == 1
    monkeypatch.setattr(sender, "GRACE", 0.01)
    flow = Flow(is_open=False)
    some, _ = make(flow.take, 2)
    some.put(parcels(5))
    await settled()

    await some.stop()

    assert (some.done(), flow.now, some._tasks) == ([], 0, set())


async def test_a_fault_of_ours_is_told(make: Make) -> None:
    """It must not look like a parcel that takes for ever."""

    async def broken(_: Parcel) -> Attempt:
        raise ZeroDivisionError

    some, told = make(broken, 2)
    some.check()
    some.put(parcels(3))
    await told.wait()

    with pytest.raises(ZeroDivisionError):
        some.check()


async def test_nothing_is_done_at_once(make: Make) -> None:
    """A page may be empty."""
    some, told = make(Flow().take, 4)

    some.put([])

    assert (some.is_idle, some.is_hungry, some.done(), told.is_set()) == (True, True, [], False)
