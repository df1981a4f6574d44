"""An origin has so many requests at once, in turn; one that is out is left alone, and tried now and then (CB-8)."""

import asyncio

import pytest

from connector.engine import destinations
from connector.engine.destinations import OUT, Destination, Destinations


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def out() -> Destination:
    """An origin that has not answered so often that it is left alone."""
    made = Destination()
    for _ in range(OUT):
        made.leave(await made.enter(), False)
    return made


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long origins are left alone, at most; in truth it is a moment."""
    asked: list[float] = []

    class Jitter:
        def uniform(self, _: float, most: float) -> float:
            asked.append(most)
            return 0.01

    monkeypatch.setattr(destinations, "random", Jitter())
    return asked


async def test_an_origin_is_shared_by_all_streams() -> None:
    """Scheme, host and port; paths and queries do not matter."""
    known = Destinations()

    one = known.of("https://flows.example.com/a?b=%2F")

    assert known.of("https://flows.example.com/other") is one
    assert known.of("https://flows.example.com:444/a") is not one


async def test_so_many_are_let_in_and_then_in_turn() -> None:
    """First come, first served: who comes back does not overtake."""
    one, came = Destination(2), list[str]()
    slots = [await one.enter(), await one.enter()]

    async def visit(name: str) -> None:
        slot = await one.enter()
        came.append(name)
        one.leave(slot, True)

    visits = [asyncio.create_task(visit(name)) for name in "abc"]
    await settled()
    before = list(came)
    one.leave(slots[0], True)
    late = asyncio.create_task(visit("late"))
    await asyncio.gather(*visits, late)

    assert (before, came, one.in_flight) == ([], ["a", "b", "c", "late"], 1)


async def test_who_goes_away_leaves_no_slot_taken() -> None:
    """Before its turn, and in the moment it came."""
    one = Destination(1)
    slot = await one.enter()
    waiting = [asyncio.create_task(one.enter()) for _ in range(2)]
    await settled()

    waiting[0].cancel()
    one.leave(slot, True)
    waiting[1].cancel()
    await asyncio.gather(*waiting, return_exceptions=True)

    assert one.in_flight == 0
    assert await asyncio.wait_for(one.enter(), 1) is False


async def test_another_limit_holds_at_once() -> None:
    """More lets others in; fewer waits until enough have left."""
    one = Destination(1)
    slot = await one.enter()
    waiting = [asyncio.create_task(one.enter()) for _ in range(3)]
    await settled()

    one.allow(3)
    await settled()
    let_in = one.in_flight
    one.allow(1)
    one.leave(slot, True)
    await settled()

    assert (let_in, one.in_flight, sum(task.done() for task in waiting)) == (3, 2, 2)
    for task in waiting:
        task.cancel()


async def test_an_origin_that_does_not_answer_is_left_alone(pauses: list[float]) -> None:
    """After so many in a row; then one request at a time tries it."""
    one = await out()
    waiting = [asyncio.create_task(one.enter()) for _ in range(3)]
    await settled()
    at_first = sum(task.done() for task in waiting)

    await asyncio.sleep(0.05)
    tries = [task.result() for task in waiting if task.done()]

    assert (one.is_out, at_first, tries) == (True, 0, [True])
    for task in waiting:
        task.cancel()


async def test_pauses_grow_up_to_a_minute(pauses: list[float]) -> None:
    """From a second on, twice as long after each try that failed."""
    one = await out()
    for _ in range(8):
        one.leave(await one.enter(), False)

    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]


async def test_an_answer_lets_everybody_in(pauses: list[float]) -> None:
    """Of the one that tried, or of one that was in flight before."""
    one = await out()
    waiting = [asyncio.create_task(one.enter()) for _ in range(3)]
    await asyncio.sleep(0.05)

    one.leave(True, True)
    await settled()

    assert (one.is_out, all(task.done() for task in waiting)) == (False, True)


async def test_a_try_that_was_given_up_says_nothing(pauses: list[float]) -> None:
    """A stream was paused meanwhile: the next one tries."""
    one = await out()
    one.leave(await one.enter(), None)

    assert (await asyncio.wait_for(one.enter(), 1), one.is_out) == (True, True)


async def test_an_answer_between_failures_starts_the_count_again() -> None:
    """Only failures in a row mean that it is out."""
    one = Destination()
    for number in range(3 * OUT):
        one.leave(await one.enter(), number % OUT == 0)

    assert not one.is_out
