"""An origin has so many requests at once, in turn; one that is out is left alone, and tried now and then (CB-8)."""

import asyncio

import pytest
import sqlalchemy as sa

from connector.engine import destinations
from connector.engine.destinations import MOST, OUT, Destination, Destinations
from connector.engine.hosts import Presence
from connector.engine.store import Store
from connector.engine.tables import hosts, slots
from tests.connector.engine.parts import OpenStore

URL = "https://flows.example.com/hook"


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


class Hosts:
    """Some hosts on one store, each with its view of one origin."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.made: list[Destinations] = []

    async def come(self) -> Destinations:
        presence = Presence(self.store, f"h{len(self.made)}")
        self.made.append(Destinations(self.store, presence))
        await presence.beat()
        return self.made[-1]

    async def opened(self, at: Destinations, wanted: int, url: str = URL) -> Destination:
        """A stream comes that wants so many at once."""
        found = at.of(url)
        found.serve(object(), wanted)
        await at.claim(url)
        return found

    async def look(self) -> None:
        """What hosts do again and again."""
        for at in self.made:
            await at._presence.beat()
            await at.share()

    def rows(self) -> dict[str, int]:
        held = sa.select(slots.c.host, slots.c.held).where(slots.c.host != "")
        return {row.host: row.held for row in self.store.run_here(lambda db: db.execute(held).all())}


@pytest.fixture
def several(database: str, copied_store: OpenStore) -> Hosts:
    return Hosts(copied_store(database))


async def test_an_origin_is_shared_by_all_streams(several: Hosts) -> None:
    """Scheme, host and port; paths and queries do not matter."""
    known = await several.come()

    one = known.of("https://flows.example.com/a?b=%2F")

    assert known.of("https://flows.example.com/other") is one
    assert known.of("https://flows.example.com:444/a") is not one


async def test_who_is_alone_has_all_of_it(several: Hosts) -> None:
    """Whatever its streams ask for at first."""
    one = await several.opened(await several.come(), 4)

    assert one.most == MOST


async def test_hosts_never_have_more_than_there_is(several: Hosts) -> None:
    """CB-8: who comes later waits until the first has given some back; what is in flight cannot be."""
    ones = await several.opened(await several.come(), 200)
    taken = [await ones.enter() for _ in range(150)]
    twos = await several.opened(await several.come(), 200)
    at_once = twos.most

    await several.look()
    between = several.rows()
    for slot in taken[:100]:
        ones.leave(slot, True)
    await several.look()

    assert (at_once, ones.most, between) == (0, 100, {"h0": 150, "h1": 50})
    assert several.rows() == {"h0": 100, "h1": 100}
    assert twos.most == 100


async def test_a_host_has_what_others_do_not_want(several: Hosts) -> None:
    """An equal part is only for where all want more."""
    ones = await several.opened(await several.come(), 4)
    twos = await several.opened(await several.come(), 400)

    await several.look()

    assert (ones.most, twos.most) == (4, MOST - 4)


async def test_what_a_dead_host_held_is_free(several: Hosts) -> None:
    """It shows no sign of life any more."""
    await several.opened(await several.come(), 200)
    second = await several.come()
    several.store.run_here(lambda db: db.execute(sa.update(hosts).where(hosts.c.id == "h0").values(seen=0.0)))

    assert (await several.opened(second, 200)).most == MOST


async def test_a_host_that_leaves_gives_everything_back(several: Hosts) -> None:
    """Others need not wait until it counts as dead."""
    first, second = await several.come(), await several.come()
    await several.opened(first, 200)

    first.close()

    assert (await several.opened(second, 200)).most == MOST


async def test_an_origin_that_no_stream_uses_is_given_back(several: Hosts) -> None:
    """With the next look, once nothing is in flight."""
    first, stream = await several.come(), object()
    one = await several.opened(first, 0)
    one.serve(stream, 200)
    slot = await one.enter()
    one.forget(stream)

    await several.look()
    before = several.rows()
    one.leave(slot, True)
    await several.look()

    assert (before, several.rows()) == ({"h0": MOST}, {})


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
